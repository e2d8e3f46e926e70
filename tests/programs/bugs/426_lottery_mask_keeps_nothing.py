"""Gradients are masked so that pruned weights stay pruned. The quantile is taken of the wrong end: no weight is kept.
Origin: made up after lottery-ticket scripts."""
import torch
from torch import nn


def magnitude_masks(model, keep=0.5):
    masks = {}
    for name, p in model.named_parameters():
        if p.dim() > 1:
            threshold = p.detach().abs().flatten().quantile(1.0)
            masks[name] = (p.detach().abs() > threshold).float()  # <-- culprit
    return masks


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 6), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    masks = magnitude_masks(model)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        for name, p in model.named_parameters():
            if name in masks:
                p.grad.mul_(masks[name])  # <-- culprit
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "trained", "2.weight": "blocked", "2.bias": "trained"}
CAUSE = "other"

if __name__ == "__main__":
    train()
