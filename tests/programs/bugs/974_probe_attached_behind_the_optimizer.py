"""A method makes the probe anew, for as many kinds as there are, after a function has built the optimizer."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.probe = nn.Linear(d, d), nn.Linear(d, 2)

    def attach(self, kinds):
        self.probe = nn.Linear(6, kinds)

    def forward(self, x):
        return self.probe(torch.tanh(self.body(x)))


def optimizer_for(model):
    return torch.optim.Adam(model.parameters(), lr=1e-2)


def make():
    torch.manual_seed(0)
    model = Net()
    optimizer = optimizer_for(model)  # <-- culprit
    model.attach(3)  # <-- culprit
    return model, optimizer, (torch.randn(12, 6), torch.randint(0, 3, (12,)))


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


KIND = "optimizer"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("body",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "excluded" for part in ("probe",) for n in ("weight", "bias")},
}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
