"""Weights are perturbed in place before each forward and restored before the step. Origin: AWP, SWAD, entropy-SGD."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        saved = [p.detach().clone() for p in model.parameters()]
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.01 * torch.randn_like(p) * p.norm())
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        for p, s in zip(model.parameters(), saved):
            p.data.copy_(s)
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
