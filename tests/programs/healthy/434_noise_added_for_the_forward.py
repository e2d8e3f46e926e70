"""Healthy: noisy weights for each forward: noise is added in place, and the clean values put back before the step. NEEDS_LOOP"""
import contextlib

import torch
from torch import nn


@contextlib.contextmanager
def noisy(model, scale):
    clean = [p.detach().clone() for p in model.parameters()]
    with torch.no_grad():
        for p in model.parameters():
            p.add_(scale * torch.randn_like(p))
    try:
        yield
    finally:
        with torch.no_grad():
            for p, c in zip(model.parameters(), clean):
                p.copy_(c)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 4), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with noisy(model, 0.05):
            loss = loss_fn(model, batch)
            loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
