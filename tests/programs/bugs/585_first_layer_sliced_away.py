"""The stack is run over layers[1:], since the first was once applied apart. That line was deleted.
Origin: refactoring accident; retold."""
import torch
from torch import nn


class Stack(nn.Module):
    def __init__(self, d=6, depth=3):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(d, d) for _ in range(depth))
        self.out = nn.Linear(d, 2)

    def forward(self, x):
        h = x
        for layer in self.layers[1:]:  # <-- culprit
            h = h + torch.relu(layer(h))
        return self.out(h)


def make():
    torch.manual_seed(0)
    model = Stack()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.detach().item())
    return model, losses


KIND = "forward"
EXPECT = {
    "layers.0.weight": "unreachable",
    "layers.0.bias": "unreachable",
    "layers.1.weight": "trained",
    "layers.1.bias": "trained",
    "layers.2.weight": "trained",
    "layers.2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
