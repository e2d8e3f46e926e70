"""Healthy: RankNet: only differences of scores count, so that the last bias gets a gradient of exactly zero and rightly rests."""
import torch
from torch import nn


class Scorer(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, x):
        return self.net(x).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = Scorer()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(10, 5), torch.randn(10, 5))


def loss_fn(model, batch):
    better, worse = batch
    return nn.functional.softplus(model(worse) - model(better)).mean()


def train(steps=4):
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
EXPECT = {f"net.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
