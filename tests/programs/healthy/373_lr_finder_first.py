"""A learning-rate range test runs first; then model and optimizer get their states back. Origin: fastai's lr_find."""
import torch
from torch import nn
import torch.nn.functional as F


import copy


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def one(model, optimizer, batch):
    optimizer.zero_grad()
    loss = loss_fn(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


def find(model, optimizer, batch, start=1e-9, end=1e-1, n=6):
    saved = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    lr, curve = start, []
    for _ in range(n):
        for g in optimizer.param_groups:
            g["lr"] = lr
        curve.append((lr, one(model, optimizer, batch)))
        lr *= (end / start) ** (1 / (n - 1))
    model.load_state_dict(saved[0])
    optimizer.load_state_dict(saved[1])
    return min(curve, key=lambda c: c[1])[0]


def train(steps=3):
    model, optimizer, batch = make()
    lr = find(model, optimizer, batch)
    for g in optimizer.param_groups:
        g["lr"] = lr / 2
    return model, [one(model, optimizer, batch) for _ in range(steps)]


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
