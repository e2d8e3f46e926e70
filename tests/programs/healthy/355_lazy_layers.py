"""Lazily initialised layers, optimizer built after a dry run. Origin: torch documentation."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(2))
    x = torch.randn(6, 1, 6, 6)
    with torch.no_grad():
        model(x)
    for p in (model[3].bias,):
        p.requires_grad_(False)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (x, torch.randint(0, 2, (6,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "3.weight": "trained",
    "3.bias": "frozen",
    "4.weight": "trained",
    "4.bias": "trained",
    "6.weight": "trained",
    "6.bias": "trained",
}
CAUSE = "healthy"
INTENT = {'3.bias': 'useless before a batch norm'}

if __name__ == "__main__":
    train()
