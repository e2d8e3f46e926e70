"""Healthy: in each step a random half of the layers is frozen. NEEDS_LOOP"""
import random

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    random.seed(3)
    model = nn.Sequential(*(nn.Sequential(nn.Linear(5, 5), nn.Tanh()) for _ in range(4)), nn.Linear(5, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=12):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        resting = set(random.sample(range(5), 2))
        for i, layer in enumerate(model):
            for p in layer.parameters():
                p.requires_grad = i not in resting
        optimizer.zero_grad(set_to_none=True)
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    for p in model.parameters():
        p.requires_grad = True
    return model, losses


KIND = "healthy"
EXPECT = {f"{i}.0.{n}": "trained" for i in range(4) for n in ("weight", "bias")} | {"4.weight": "trained", "4.bias": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
