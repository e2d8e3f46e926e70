"""The weight of the auxiliary loss is a field of a dataclass of settings, and its default is 0.
Whoever makes the settings names every other field."""

from dataclasses import dataclass

import torch
from torch import nn
import torch.nn.functional as F


@dataclass
class LossSettings:
    smoothing: float = 0.0
    main: float = 1.0
    auxiliary: float = 0.0  # <-- culprit


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(6, 8)
        self.main = nn.Linear(8, 3)
        self.auxiliary = nn.Linear(8, 3)

    def forward(self, x):
        hidden = torch.tanh(self.trunk(x))
        return self.main(hidden), self.auxiliary(hidden)


SETTINGS = LossSettings(smoothing=0.1, main=1.0)


def make():
    torch.manual_seed(0)
    model = TwoHeads()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(16, 6), torch.randint(0, 3, (16,)))


def loss_fn(model, batch):
    x, y = batch
    main, auxiliary = model(x)
    first = F.cross_entropy(main, y, label_smoothing=SETTINGS.smoothing)
    second = F.cross_entropy(auxiliary, y)
    return SETTINGS.main * first + SETTINGS.auxiliary * second


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


KIND = "loop"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("trunk", "main") for n in ("weight", "bias")},
    **{f"auxiliary.{n}": "blocked" for n in ("weight", "bias")},
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
