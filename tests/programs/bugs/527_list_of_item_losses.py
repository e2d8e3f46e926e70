"""Losses of the tasks are averaged by torch.tensor over a list of .item()s, then made to require grad since backward complained. Weight
decay for the heads is the only thing left that trains.
Origin: "element 0 of tensors does not require grad" answers that say .requires_grad_(); retold."""
import torch
from torch import nn
import torch.nn.functional as F


class MultiTask(nn.Module):
    def __init__(self, tasks=3):
        super().__init__()
        self.shared = nn.Linear(5, 8)
        self.heads = nn.ModuleList(nn.Linear(8, 2) for _ in range(tasks))

    def forward(self, x):
        h = torch.relu(self.shared(x))
        return [head(h) for head in self.heads]


def make():
    torch.manual_seed(0)
    model = MultiTask()
    targets = [torch.randint(0, 2, (8,)) for _ in range(3)]
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 5), targets)


def loss_fn(model, batch):
    x, targets = batch
    per_task = [F.cross_entropy(out, t).item() for out, t in zip(model(x), targets)]  # <-- culprit
    task = torch.tensor(per_task, requires_grad=True).mean()  # <-- culprit
    penalty = sum(head.weight.pow(2).sum() for head in model.heads)
    return task + 1e-2 * penalty


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {
    "shared.weight": "unreachable",
    "shared.bias": "unreachable",
    "heads.0.bias": "unreachable",
    "heads.1.bias": "unreachable",
    "heads.2.bias": "unreachable",
    "heads.0.weight": "trained",
    "heads.1.weight": "trained",
    "heads.2.weight": "trained",
    "?task": "unregistered",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
