"""Accumulation over four micro-batches: gradients are cleared at each micro-batch, the step comes when the *epoch* is a multiple.
Origin: made up after gradient accumulation bugs."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.SELU(), nn.Linear(6, 2))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(4)]


def loss_fn(model, batches):
    return sum(nn.functional.cross_entropy(model(x), y) for x, y in batches) / len(batches)


def train(steps=3, accumulation=4):
    model, optimizer, batches = make()
    losses = []
    for epoch in range(steps):
        for i, (x, y) in enumerate(batches):
            loss = nn.functional.cross_entropy(model(x), y) / accumulation
            loss.backward()
            losses.append(loss.item())
            if (epoch + 1) % accumulation == 0:  # <-- culprit
                optimizer.step()
                optimizer.zero_grad()
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
