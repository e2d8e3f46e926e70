"""The loss of each scale is computed, and Python's `max` takes one of them, always the same."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.coarse, self.fine = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        return 3 + self.coarse(x), 0.1 * self.fine(x)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), None)


def loss_fn(model, batch):
    x, _ = batch
    coarse, fine = model(x)
    one = (coarse - x).square().mean()
    other = (fine - 0.1 * x).square().mean()
    return max(one, other)  # <-- culprit


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
    **{f"{part}.{n}": "trained" for part in ("coarse",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("fine",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
