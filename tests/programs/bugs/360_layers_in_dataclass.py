"""A dataclass holds the layers of one branch. nn.Module does not look inside of it.
Origin: "submodules in a custom container are not registered" questions; retold."""
from dataclasses import dataclass

import torch
from torch import nn
import torch.nn.functional as F


@dataclass
class Branch:
    conv: nn.Module
    gate: nn.Module
    stride: int = 1

    def __call__(self, x):
        return self.conv(x) * torch.sigmoid(self.gate(x))


class TwoBranch(nn.Module):
    def __init__(self, c=4, classes=3):
        super().__init__()
        self.local = Branch(nn.Conv1d(2, c, 3, padding=1), nn.Conv1d(2, c, 3, padding=1))  # <-- culprit
        self.wide = nn.Conv1d(2, c, 7, padding=3)
        self.fc = nn.Linear(c, classes)

    def forward(self, x):
        h = F.relu(self.local(x) + self.wide(x))
        return self.fc(h.mean(-1))


def make():
    torch.manual_seed(0)
    model = TwoBranch()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(6, 2, 11), torch.randint(0, 3, (6,)))


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
    "wide.weight": "trained",
    "wide.bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
    "?local.conv.weight": "unregistered",
    "?local.conv.bias": "unregistered",
    "?local.gate.weight": "unregistered",
    "?local.gate.bias": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
