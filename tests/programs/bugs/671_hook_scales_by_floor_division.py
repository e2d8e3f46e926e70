"""Gradients are clipped tensor by tensor in hooks. The scale is a floor division: 0 for every gradient that is larger than the bound.
Origin: made up after per-layer clipping hooks."""
import torch
from torch import nn


def clip_in_backward(module, bound):
    def clip(gradient):
        scale = torch.clamp(bound // (gradient.norm() + 1e-6), max=1.0)  # <-- culprit
        return gradient * scale  # <-- culprit

    for parameter in module.parameters():
        parameter.register_hook(clip)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
    clip_in_backward(model[0], bound=0.01)
    return model, torch.optim.SGD(model.parameters(), lr=0.01), (torch.randn(16, 5), 5 * torch.randn(16, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "trained", "2.bias": "trained"}
CAUSE = "hook"

if __name__ == "__main__":
    train()
