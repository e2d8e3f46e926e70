"""Healthy: in each step only one layer requires grad; all others are frozen for that step. NEEDS_LOOP"""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=6):
    model, optimizer, batch = make()
    blocks = [m for m in model if isinstance(m, nn.Linear)]
    losses = []
    for step in range(steps):
        for i, block in enumerate(blocks):
            block.requires_grad_(i == step % len(blocks))
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in (0, 2, 4) for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
