"""A normalisation is made between two layers, and forward goes from one to the other without it."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.enter = nn.Linear(d, d)
        self.norm = nn.LayerNorm(d)
        self.leave = nn.Linear(d, 3)

    def forward(self, x):
        h = torch.relu(self.enter(x))  # <-- culprit
        return self.leave(h)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=5):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("enter", "leave") for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("norm",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
