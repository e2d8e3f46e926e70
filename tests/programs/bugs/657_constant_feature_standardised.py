"""Inputs are standardised per feature; one feature is constant, so its column becomes 0/0. Every loss is NaN, and NaN losses are skipped.
Origin: "loss is nan from the first batch" threads with tabular data; retold."""
import math

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    x = torch.randn(16, 4)
    x[:, 2] = 1.0
    x = (x - x.mean(0)) / x.std(0)  # <-- culprit
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (x, torch.randn(16, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses, bad = [], 0
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        value = loss.item()
        if math.isnan(value):
            bad += 1
        else:
            loss.backward()
            optimizer.step()
            losses.append(value)
    print(f"{bad} of {steps} batches skipped")
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
