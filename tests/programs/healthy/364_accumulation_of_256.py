"""Gradients of 256 micro-batches before each step. Origin: large-batch training on small machines."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(4, 4), torch.randn(4, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(steps=512, every=256):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        loss = loss_fn(model, batch)
        (loss / every).backward()
        if (step + 1) % every == 0:
            optimizer.step()
            optimizer.zero_grad()
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
