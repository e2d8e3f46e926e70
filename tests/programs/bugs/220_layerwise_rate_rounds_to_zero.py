"""Layer-wise learning rates: lr * (depth // layers) is 0 for all layers but the last.
Origin: made up after layer-wise learning-rate decay recipes."""
import torch
from torch import nn


def groups_of(model, lr):
    layers = [m for m in model if isinstance(m, nn.Linear)]
    groups = []
    for depth, layer in enumerate(layers, 1):
        groups.append({"params": layer.parameters(), "lr": lr * (depth // len(layers))})  # <-- culprit
    return groups


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 9), nn.Tanh(), nn.Linear(9, 2))
    optimizer = torch.optim.AdamW(groups_of(model, 1e-2), lr=1e-2)
    return model, optimizer, (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked", "4.weight": "trained", "4.bias": "trained"}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
