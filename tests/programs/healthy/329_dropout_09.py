"""Dropout of 0.9 on a narrow layer: single steps with an all-zero mask. Origin: strong regularisation."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Dropout(0.9), nn.Linear(3, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(2, 4), torch.randn(2, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(steps=25):
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
    "0.bias": "trained",
    "3.weight": "trained",
    "3.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
