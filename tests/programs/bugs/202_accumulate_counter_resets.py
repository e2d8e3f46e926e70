"""Gradient accumulation over four batches, but the counter is the index within the epoch, and an epoch has three batches;
each epoch begins with zero_grad.
Origin: made up after gradient-accumulation questions (last, incomplete group of batches dropped)."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(2, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(5, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, optimizer, [(torch.randn(4, 2, 9), torch.randint(0, 2, (4,))) for _ in range(3)]


def loss_of(model, x, y):
    return nn.functional.cross_entropy(model(x), y)


def loss_fn(model, batch):
    return loss_of(model, *batch[0])


def train(steps=3, accumulate=4):
    model, optimizer, loader = make()
    losses = []
    for epoch in range(steps):
        optimizer.zero_grad()
        for i, (x, y) in enumerate(loader):
            loss = loss_of(model, x, y) / accumulate
            loss.backward()
            losses.append(loss.item())
            if (i + 1) % accumulate == 0:  # <-- culprit
                optimizer.step()
                optimizer.zero_grad()
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "4.weight": "blocked", "4.bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
