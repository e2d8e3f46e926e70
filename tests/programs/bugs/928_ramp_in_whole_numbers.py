"""The weight of the consistency term is to rise from 0 to 1 over the run; it is divided in whole numbers."""

import torch
from torch import nn


class Ramp:
    def __init__(self, total):
        self.total = total

    def __call__(self, step):
        return min(step, self.total) // self.total  # <-- culprit


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 6)
        self.classify = nn.Linear(6, 3)
        self.project = nn.Linear(6, 4)

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        return self.classify(hidden), self.project(hidden)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 5), torch.randint(0, 3, (12,)))


def loss_fn(model, batch, weight=0):
    x, y = batch
    logits, projected = model(x)
    consistency = (projected - projected.roll(1, 0)).square().mean()
    return nn.functional.cross_entropy(logits, y) + weight * consistency


def train(steps=8):
    model, optimizer, batch = make()
    ramp, losses = Ramp(50), []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch, ramp(step))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("body", "classify") for n in ("weight", "bias")},
    "project.weight": "blocked",
    "project.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
