"""Heads come from a ModuleDict that is filled on first use, by one dry pass before the optimizer is built; a cache keeps masks, not layers.
Origin: multi-task code with data-driven heads."""
from functools import lru_cache

import torch
from torch import nn
import torch.nn.functional as F


@lru_cache(maxsize=8)
def causal(n):
    return torch.ones(n, n, dtype=torch.bool).triu(1)


class Lazy(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.q, self.k = nn.Linear(d, d), nn.Linear(d, d, bias=False)
        self.heads = nn.ModuleDict()

    def forward(self, x, task, classes):
        if task not in self.heads:
            self.heads[task] = nn.Linear(x.shape[-1], classes)
        scores = (self.q(x) @ self.k(x).transpose(1, 2)).masked_fill(causal(x.shape[1]), float("-inf"))
        return self.heads[task]((scores.softmax(-1) @ x)[:, -1])


def make():
    torch.manual_seed(0)
    model = Lazy()
    batch = {"a": (torch.randn(5, 4, 6), torch.randint(0, 2, (5,)), 2), "b": (torch.randn(5, 4, 6), torch.randint(0, 3, (5,)), 3)}
    with torch.no_grad():
        for task, (x, _, classes) in batch.items():
            model(x, task, classes)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), batch


def loss_fn(model, batch):
    return sum(F.cross_entropy(model(x, task, classes), y) for task, (x, y, classes) in batch.items())


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


KIND = "healthy"
EXPECT = {
    "q.weight": "trained",
    "q.bias": "trained",
    "k.weight": "trained",
    "heads.a.weight": "trained",
    "heads.a.bias": "trained",
    "heads.b.weight": "trained",
    "heads.b.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
