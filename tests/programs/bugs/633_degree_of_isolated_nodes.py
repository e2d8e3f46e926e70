"""Symmetric normalisation of a graph: degree to the minus one half. One node has no edge, its factor is infinite, and infinite times nothing is
not a number.
Origin: a GCN notebook, "loss is nan from the first epoch"; retold."""
import torch
from torch import nn


def normalised(adjacency):
    degree = adjacency.sum(1)
    scale = degree.pow(-0.5)  # <-- culprit
    return scale[:, None] * adjacency * scale[None, :]


class GCN(nn.Module):
    def __init__(self, i=4, h=6, o=2):
        super().__init__()
        self.w1, self.w2 = nn.Linear(i, h), nn.Linear(h, o)

    def forward(self, x, a):
        return self.w2(a @ torch.relu(self.w1(a @ x)))


def make():
    torch.manual_seed(0)
    adjacency = torch.zeros(8, 8)
    for i in range(6):
        adjacency[i, (i + 1) % 7] = adjacency[(i + 1) % 7, i] = 1.0
    model = GCN()
    return model, torch.optim.Adam(model.parameters(), lr=0.01), (torch.randn(8, 4), normalised(adjacency), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    x, a, y = batch
    return nn.functional.cross_entropy(model(x, a), y)


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
    "w1.weight": "blocked",
    "w1.bias": "blocked",
    "w2.weight": "blocked",
    "w2.bias": "blocked",
}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
