"""Losses are summed over the epoch and sent backward at its end; zero_grad and step stayed in the inner loop.
Origin: made up after "backward once per epoch" questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 6), nn.CELU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(3)]


def loss_fn(model, batches):
    return sum(nn.functional.mse_loss(model(x), y) for x, y in batches)


def train(steps=3):
    model, optimizer, batches = make()
    losses = []
    for _ in range(steps):
        total = 0.0
        for x, y in batches:
            optimizer.zero_grad()  # <-- culprit
            total = total + nn.functional.mse_loss(model(x), y)
            optimizer.step()  # <-- culprit
        total.backward()  # <-- culprit
        losses.append(total.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
