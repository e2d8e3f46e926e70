"""Adaptive computation: a while loop asks .item() of the halting probability, and the ponder cost trains it.
Origin: Graves 2016, adaptive computation time."""
import torch
from torch import nn


class Ponder(nn.Module):
    def __init__(self, d=5, h=7):
        super().__init__()
        self.cell = nn.GRUCell(d, h)
        self.halt = nn.Linear(h, 1)
        self.out = nn.Linear(h, 1)

    def forward(self, x):
        h = x.new_zeros(len(x), 7)
        left, total, cost, steps = x.new_ones(len(x), 1), 0, 0, 0
        while left.max().item() > 0.05 and steps < 6:
            h = self.cell(x, h)
            p = torch.sigmoid(self.halt(h))
            weight = torch.minimum(p, left)
            total = total + weight * self.out(h)
            left = left - weight
            cost = cost + left.mean()
            steps += 1
        return (total + left * self.out(h)).squeeze(-1), cost


def make():
    torch.manual_seed(0)
    model = Ponder()
    return model, torch.optim.Adam(model.parameters(), lr=5e-3), (torch.randn(8, 5), torch.randn(8))


def loss_fn(model, batch):
    x, y = batch
    prediction, cost = model(x)
    return nn.functional.smooth_l1_loss(prediction, y) + 0.01 * cost


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
    "cell.weight_ih": "trained",
    "cell.weight_hh": "trained",
    "cell.bias_ih": "trained",
    "cell.bias_hh": "trained",
    "halt.weight": "trained",
    "halt.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
