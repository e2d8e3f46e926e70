"""Mixing weights were put into a buffer, "so that they are saved", with requires_grad=True. The loss reaches them, parameters() does not.
Origin: "register_buffer vs register_parameter, my alpha never changes" questions; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class MixedOp(nn.Module):
    """A cell of an architecture search."""

    def __init__(self, c):
        super().__init__()
        self.ops = nn.ModuleList([nn.Conv1d(c, c, 3, padding=1), nn.Conv1d(c, c, 5, padding=2), nn.Identity()])
        self.register_buffer("alpha", torch.zeros(3, requires_grad=True))  # <-- culprit

    def forward(self, x):
        mix = F.softmax(self.alpha, dim=0)
        return sum(w * op(x) for w, op in zip(mix, self.ops))


class Search(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv1d(2, 4, 1)
        self.cells = nn.Sequential(MixedOp(4), nn.ReLU(), MixedOp(4))
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.cells(self.stem(x)).mean(-1))


def make():
    torch.manual_seed(0)
    model = Search()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return model, optimizer, (torch.randn(6, 2, 9), torch.randint(0, 3, (6,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


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
    "stem.weight": "trained",
    "stem.bias": "trained",
    "cells.0.ops.0.weight": "trained",
    "cells.0.ops.0.bias": "trained",
    "cells.0.ops.1.weight": "trained",
    "cells.0.ops.1.bias": "trained",
    "cells.2.ops.0.weight": "trained",
    "cells.2.ops.0.bias": "trained",
    "cells.2.ops.1.weight": "trained",
    "cells.2.ops.1.bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
    "?cells.0.alpha": "unregistered",
    "?cells.2.alpha": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
