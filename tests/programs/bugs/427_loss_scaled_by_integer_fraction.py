"""The loss is scaled for gradient accumulation with `1 // accumulation`, which is 0.
Origin: made up after gradient accumulation recipes."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch, accumulation=4):
    scale = 1 // accumulation  # <-- culprit
    return nn.functional.mse_loss(model(batch[0]), batch[1]) * scale  # <-- culprit


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        for _ in range(4):
            loss = loss_fn(model, batch)
            loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
