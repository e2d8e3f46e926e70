"""Heads per language come from a defaultdict: made when a language is first seen, kept, and never registered.
Origin: "dynamically created heads are not trained" threads; retold."""
from collections import defaultdict

import torch
from torch import nn
import torch.nn.functional as F


class Multilingual(nn.Module):
    def __init__(self, d=6, classes=3):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(5, d), nn.Tanh())
        self.heads = defaultdict(lambda: nn.Linear(d, classes))  # <-- culprit

    def forward(self, x, language):
        return self.heads[language](self.encoder(x))


def make():
    torch.manual_seed(0)
    model = Multilingual()
    batches = {name: (torch.randn(6, 5), torch.randint(0, 3, (6,))) for name in ("fr", "sw")}
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), batches


def loss_fn(model, batches):
    return sum(F.cross_entropy(model(x, name), y) for name, (x, y) in batches.items())


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


KIND = "registration"
EXPECT = {
    "encoder.0.weight": "trained",
    "encoder.0.bias": "trained",
    "?heads.fr.weight": "unregistered",
    "?heads.fr.bias": "unregistered",
    "?heads.sw.weight": "unregistered",
    "?heads.sw.bias": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
