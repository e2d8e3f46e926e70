"""Healthy: gradients are clipped to the tenth percentile of all norms so far; the first step is not clipped at all."""
import numpy as np
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.CELU(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-3), (torch.randn(12, 6), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=6):
    model, optimizer, batch = make()
    norms, losses = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        bound = np.percentile(norms, 10) if norms else float("inf")
        norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), bound)))
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
