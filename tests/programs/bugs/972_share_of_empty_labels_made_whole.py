"""A probability of 0.3 goes through `int`: nothing is ever left empty."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, share, d=6):
        super().__init__()
        self.share = int(share)  # <-- culprit
        self.body, self.empty, self.out = nn.Linear(d, d), nn.Linear(1, d), nn.Linear(d, 3)

    def forward(self, x):
        drop = torch.rand(len(x)) < self.share
        h = torch.where(drop[:, None], self.empty(torch.ones(1)), self.body(x))
        return self.out(torch.tanh(h))


def make():
    torch.manual_seed(0)
    model = Net(0.3)
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


KIND = "loop"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("body", "out") for n in ("weight", "bias")},
    **{f"{part}.{n}": "blocked" for part in ("empty",) for n in ("weight", "bias")},
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
