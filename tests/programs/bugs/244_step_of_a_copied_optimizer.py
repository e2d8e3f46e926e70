"""A checkpointing helper deep-copies the trainer's objects and the loop goes on with the copied optimizer.
Origin: made up after deepcopy(optimizer) threads."""
import copy

import torch
from torch import nn


class State:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def snapshot(self):
        return copy.deepcopy(self)  # <-- culprit


def build():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 2))
    state = State(model, torch.optim.SGD(model.parameters(), lr=0.1))
    backup = state.snapshot()
    return model, backup.optimizer, (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def make():
    return build()


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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
EXPECT = {"0.weight": "excluded", "0.bias": "excluded", "2.weight": "excluded", "2.bias": "excluded",
          "!0.weight": "stale", "!0.bias": "stale", "!2.weight": "stale", "!2.bias": "stale"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
