"""The table of rates is written with `_` and read with `-`; the default of the lookup is a rate of 0.
Origin: made up after scripts with a learning rate for each part."""
import torch
from torch import nn


def rates(base, parts):
    return {f"{part}_lr": base for part in parts}


def groups(model, table):
    for name, child in model.named_children():
        yield {"params": child.parameters(), "lr": table.get(f"{name}-lr", 0.0)}  # <-- culprit


def train(steps=4):
    torch.manual_seed(0)
    model = nn.Sequential()
    model.add_module("stem", nn.Linear(4, 8))
    model.add_module("head", nn.Linear(8, 1))
    optimizer = torch.optim.SGD(groups(model, rates(0.1, ["stem", "head"])), lr=0.1)
    losses = []
    for _ in range(steps):
        loss = model(torch.randn(8, 4)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"stem.weight": "blocked", "stem.bias": "blocked", "head.weight": "blocked", "head.bias": "blocked"}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
