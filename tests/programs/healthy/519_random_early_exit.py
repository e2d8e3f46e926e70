"""An exit is drawn at random in every step; over the steps each of them is trained. Deeper blocks only run when a deep exit is drawn.
Origin: any-time prediction."""
import random

import torch
from torch import nn
import torch.nn.functional as F


class EarlyExit(nn.Module):
    def __init__(self, d=6, depth=3):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(d, d) for _ in range(depth))
        self.exits = nn.ModuleList(nn.Linear(d, 2) for _ in range(depth))

    def forward(self, x):
        leave = random.randrange(len(self.blocks)) if self.training else len(self.blocks) - 1
        for i, (block, out) in enumerate(zip(self.blocks, self.exits)):
            x = x + torch.relu(block(x))
            if i == leave:
                return out(x)


def make():
    torch.manual_seed(0)
    random.seed(1)
    model = EarlyExit()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 6), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=20):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "blocks.0.weight": "trained",
    "blocks.0.bias": "trained",
    "blocks.1.weight": "trained",
    "blocks.1.bias": "trained",
    "blocks.2.weight": "trained",
    "blocks.2.bias": "trained",
    "exits.0.weight": "trained",
    "exits.0.bias": "trained",
    "exits.1.weight": "trained",
    "exits.1.bias": "trained",
    "exits.2.weight": "trained",
    "exits.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
