"""Whole layers dropped with Python's random; some layers are absent for several steps. Origin: LayerDrop."""
import torch
from torch import nn
import torch.nn.functional as F


import random


class Stack(nn.Module):
    def __init__(self, n=4, d=5):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(d, d) for _ in range(n))
        self.out = nn.Linear(d, 2)

    def forward(self, x):
        for layer in self.layers:
            if self.training and random.random() < 0.5:
                continue
            x = x + torch.tanh(layer(x))
        return self.out(x)


def make():
    torch.manual_seed(0)
    random.seed(4)
    model = Stack()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(steps=10):
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
    "layers.0.weight": "trained",
    "layers.0.bias": "trained",
    "layers.1.weight": "trained",
    "layers.1.bias": "trained",
    "layers.2.weight": "trained",
    "layers.2.bias": "trained",
    "layers.3.weight": "trained",
    "layers.3.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
