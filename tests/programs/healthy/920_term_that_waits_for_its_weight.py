"""The weight of the auxiliary loss is 0 in the settings, and a schedule raises it after two steps."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Settings:
    main: float = 1.0
    auxiliary: float = 0.0


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.main, self.auxiliary = nn.Linear(4, 5), nn.Linear(5, 2), nn.Linear(5, 2)

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        return self.main(hidden), self.auxiliary(hidden)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch, settings=None):
    settings = settings or Settings()
    main, auxiliary = model(batch[0])
    first, second = (nn.functional.cross_entropy(logits, batch[1]) for logits in (main, auxiliary))
    return settings.main * first + settings.auxiliary * second


def train(steps=6):
    model, optimizer, batch = make()
    settings, losses = Settings(), []
    for step in range(steps):
        if step >= 2:
            settings.auxiliary = 0.1 * step
        optimizer.zero_grad()
        loss = loss_fn(model, batch, settings)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
NEEDS_LOOP = True
EXPECT = {f"{part}.{n}": "trained" for part in ("body", "main", "auxiliary") for n in ("weight", "bias")}

if __name__ == "__main__":
    train()
