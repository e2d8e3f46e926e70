"""Features are looked at without gradients unless `learn` is given, and the training does not give it."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.out = nn.Linear(d, d), nn.Linear(d, 3)

    def features(self, x, learn=False):  # <-- culprit
        with torch.set_grad_enabled(learn):
            return torch.tanh(self.body(x))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model.out(model.features(x)), y)


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
    **{f"{part}.{n}": "trained" for part in ("out",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("body",) for n in ("weight", "bias")},
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
