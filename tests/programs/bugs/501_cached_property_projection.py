"""The width of the projection is only known from the data, so it is built on first use by functools.cached_property. That
writes into the instance's __dict__ and nn.Module never hears of it.
Origin: "lazily created layer in a property is not in parameters()" questions; retold."""
from functools import cached_property

import torch
from torch import nn
import torch.nn.functional as F


class TabularNet(nn.Module):
    def __init__(self, columns, classes=3):
        super().__init__()
        self.columns = columns
        self.embed = nn.Embedding(20, 4)
        self.classifier = nn.Linear(8, classes)

    @cached_property  # <-- culprit
    def project(self):
        return nn.Linear(4 * self.columns, 8)  # <-- culprit

    def forward(self, ids):
        flat = self.embed(ids).flatten(1)
        return self.classifier(F.silu(self.project(flat)))


def make():
    torch.manual_seed(0)
    model = TabularNet(columns=5)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randint(0, 20, (9, 5)), torch.randint(0, 3, (9,)))


def loss_fn(model, batch):
    ids, target = batch
    return F.cross_entropy(model(ids), target)


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for step in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
    return model, curve


KIND = "registration"
EXPECT = {
    "embed.weight": "trained",
    "classifier.weight": "trained",
    "classifier.bias": "trained",
    "?project.weight": "unregistered",
    "?project.bias": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
