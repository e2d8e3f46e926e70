"""The condition is given under another keyword, which `**rest` swallows."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.kind, self.out = nn.Linear(d, d), nn.Linear(3, d), nn.Linear(d, 3)

    def forward(self, x, kinds=None, **rest):
        h = self.body(x)
        if kinds is not None:
            h = h + self.kind(kinds)
        return self.out(torch.tanh(h))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    kinds = nn.functional.one_hot(y, 3).float()
    out = model(x, kind=kinds)  # <-- culprit
    return nn.functional.cross_entropy(out, y)


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
    **{f"{part}.{n}": "trained" for part in ("body", "out") for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("kind",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
