"""The first batches hold NaN and are skipped; the rest is fine. Origin: dirty data."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(steps=12, bad=6):
    model, optimizer, (x, y) = make()
    losses = []
    for step in range(steps):
        broken = x.clone()
        if step < bad:
            broken[0, 0] = float("nan")
        loss = loss_fn(model, (broken, y))
        if not torch.isfinite(loss):
            continue
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


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
