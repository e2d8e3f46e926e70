"""A recurrent block is to be applied several times without the calls disturbing each other, so each uses a deepcopy. The copies
get the gradients, and are thrown away.
Origin: "copy.deepcopy(module) inside forward" question; retold."""
import copy

import torch
from torch import nn


class Refiner(nn.Module):
    def __init__(self, d=5, rounds=2):
        super().__init__()
        self.rounds = rounds
        self.block = nn.Linear(d, d)
        self.head = nn.Linear(d, 1)

    def forward(self, x):
        for _ in range(self.rounds):
            x = x + torch.tanh(copy.deepcopy(self.block)(x))  # <-- culprit
        return self.head(x)


def make():
    torch.manual_seed(0)
    model = Refiner(rounds=1)
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(8, 5), torch.randn(8, 1))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


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


KIND = "forward"
EXPECT = {
    "block.weight": "unreachable",
    "block.bias": "unreachable",
    "head.weight": "trained",
    "head.bias": "trained",
    "?block.weight": "unregistered",
    "?block.bias": "unregistered",
}
CAUSE = "other"

if __name__ == "__main__":
    train()
