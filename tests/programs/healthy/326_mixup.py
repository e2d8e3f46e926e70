"""MixUp with Beta coefficients through numpy. Origin: MixUp."""
import torch
from torch import nn
import torch.nn.functional as F


import numpy as np


def make():
    torch.manual_seed(0)
    np.random.seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 1, 6, 6), torch.randint(0, 3, (8,)))


def loss_fn(model, b):
    x, y = b
    lam = float(np.random.beta(0.4, 0.4))
    perm = torch.randperm(len(x))
    out = model(lam * x + (1 - lam) * x[perm])
    return lam * F.cross_entropy(out, y) + (1 - lam) * F.cross_entropy(out, y[perm])


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
    "1.weight": "trained",
    "1.bias": "trained",
    "4.weight": "trained",
    "4.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
