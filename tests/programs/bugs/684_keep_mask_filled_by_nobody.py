"""Which rows are refined was to be decided by a score. The mask is made, and the line that fills it is gone.
Origin: made up after a half-finished refactoring."""

import torch
from torch import nn
import torch.nn.functional as F


class Refiner(nn.Module):
    def __init__(self, d=4):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, 1)

    def forward(self, x):
        h = torch.tanh(self.first(x))
        chosen = torch.zeros(x.shape[0], 1, dtype=torch.bool)  # <-- culprit
        h = torch.where(chosen, self.second(h), h)  # <-- culprit
        return self.out(h).squeeze(1)


def make():
    torch.manual_seed(0)
    model = Refiner()
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(8, 4), torch.randn(8))


def loss_fn(model, batch):
    x, y = batch
    return F.mse_loss(model(x), y)


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
    "first.weight": "trained",
    "first.bias": "trained",
    "second.weight": "blocked",
    "second.bias": "blocked",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
