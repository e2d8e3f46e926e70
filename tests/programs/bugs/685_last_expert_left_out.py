"""The experts are counted from 0, and the loop stops one early: whatever the gate says, the last one is never asked.
Origin: an off-by-one in a mixture of experts; retold."""

import torch
from torch import nn
import torch.nn.functional as F


class Mixture(nn.Module):
    def __init__(self, d=6, experts=3):
        super().__init__()
        self.gate = nn.Linear(d, experts)
        self.experts = nn.ModuleList(nn.Linear(d, d) for _ in range(experts))
        self.out = nn.Linear(d, 2)

    def forward(self, x):
        weights = self.gate(x).softmax(-1)
        y = torch.zeros_like(x)
        for e in range(len(self.experts) - 1):  # <-- culprit
            y = y + self.experts[e](x) * weights[:, e, None]  # <-- culprit
        return self.out(y)


def make():
    torch.manual_seed(0)
    model = Mixture()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "gate.weight": "trained",
    "experts.0.weight": "trained",
    "experts.1.weight": "trained",
    "experts.2.weight": "unreachable",
    "experts.2.bias": "unreachable",
    "out.weight": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
