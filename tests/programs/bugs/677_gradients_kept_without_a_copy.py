"""Gradients of two tasks are kept in lists, to be averaged afterwards. The lists hold the very tensors that are cleared in place.
Origin: multi-task gradient code with `zero_grad(set_to_none=False)`; retold."""
import torch
from torch import nn


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 7)
        self.heads = nn.ModuleList([nn.Linear(7, 1), nn.Linear(7, 1)])

    def forward(self, x):
        h = torch.relu(self.body(x))
        return [head(h) for head in self.heads]


def make():
    torch.manual_seed(0)
    model = TwoHeads()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 5), [torch.randn(9, 1), torch.randn(9, 1)])


def task_losses(model, batch):
    return [nn.functional.mse_loss(out, y) for out, y in zip(model(batch[0]), batch[1])]


def loss_fn(model, batch):
    return sum(task_losses(model, batch))


def train(steps=3):
    model, optimizer, batch = make()
    shared = list(model.body.parameters())
    losses = []
    for _ in range(steps):
        kept = []
        for task, loss in enumerate(task_losses(model, batch)):
            loss.backward(retain_graph=True)
            kept.append([p.grad for p in shared])  # <-- culprit
            model.body.zero_grad(set_to_none=False)  # <-- culprit
        for p, *gradients in zip(shared, *kept):
            p.grad = torch.stack(gradients).mean(0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    "body.weight": "blocked",
    "body.bias": "blocked",
    "heads.0.weight": "trained",
    "heads.0.bias": "trained",
    "heads.1.weight": "trained",
    "heads.1.bias": "trained",
}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
