"""A warm-up from 0, written by hand. It goes through a deep copy of the groups, so that nothing is changed by mistake: nothing is.
Origin: made up after `copy.deepcopy(optimizer.param_groups)` in a notebook."""

import copy

import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


def warm(optimizer, step, top=0.1):
    for group in copy.deepcopy(optimizer.param_groups):  # <-- culprit
        group["lr"] = top * min(1.0, step / 3)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.0), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=5):
    model, optimizer, batch = make()
    losses = []
    for step in range(1, steps + 1):
        warm(optimizer, step)
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {f"{part}.{n}": "blocked" for part in ("body", "head") for n in ("weight", "bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
