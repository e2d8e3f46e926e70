"""A helper gets the module to run as an argument, and the second call hands over the first one again."""

import torch
from torch import nn


class Pair(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.near, self.far = nn.Linear(d, d), nn.Linear(d, d)
        self.out = nn.Linear(d, 3)


def passed(layer, x):
    return torch.tanh(layer(x))


def both(pair, x):
    h = passed(pair.near, x)
    h = passed(pair.near, h + x)  # <-- culprit
    return pair.out(h)


def make():
    torch.manual_seed(0)
    model = Pair()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(both(model, x), y)


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
    **{f"{part}.{n}": "trained" for part in ("near", "out") for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("far",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
