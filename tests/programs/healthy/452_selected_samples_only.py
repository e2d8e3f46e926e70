"""Healthy: small-loss selection: only samples below a threshold count; on the first batches none does, and the step is left out.
NEEDS_LOOP"""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 5), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=9):
    model, optimizer, (x, y) = make()
    losses = []
    for step in range(steps):
        each = nn.functional.cross_entropy(model(x), y, reduction="none")
        keep = each.detach() < 0.25 * step
        if not keep.any():
            continue
        loss = (each * keep).sum() / keep.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
