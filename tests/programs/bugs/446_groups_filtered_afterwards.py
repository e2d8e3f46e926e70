"""`optimizer.param_groups` is filtered after the fact: the groups with a small rate are dropped instead of the ones with rate 0.
Origin: made up after layer-freezing helpers."""
import torch
from torch import nn


def drop_frozen_groups(optimizer, threshold=1e-3):
    optimizer.param_groups = [g for g in optimizer.param_groups if g["lr"] > threshold]  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.ModuleDict({"encoder": nn.Linear(5, 6), "decoder": nn.Linear(6, 5)})
    optimizer = torch.optim.AdamW([
        {"params": model["encoder"].parameters(), "lr": 1e-4},
        {"params": model["decoder"].parameters(), "lr": 1e-2},
    ])
    drop_frozen_groups(optimizer)  # <-- culprit
    return model, optimizer, torch.randn(8, 5)


def loss_fn(model, x):
    return nn.functional.mse_loss(model["decoder"](torch.relu(model["encoder"](x))), x)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {"encoder.weight": "excluded", "encoder.bias": "excluded", "decoder.weight": "trained", "decoder.bias": "trained"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
