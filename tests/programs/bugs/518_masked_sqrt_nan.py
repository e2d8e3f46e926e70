"""Pairwise distances with the diagonal masked away by where. The square root of zero has an infinite slope, zero times infinity is
NaN, and a guard that skips bad steps skips every one.
Origin: "torch.where and NaN gradients" issue; retold."""
import torch
from torch import nn


class MetricNet(nn.Module):
    def __init__(self, d=5, e=3):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(d, 8), nn.Tanh(), nn.Linear(8, e))

    def forward(self, x):
        return self.embed(x)


def pairwise(z):
    squared = (z[:, None] - z[None]).pow(2).sum(-1)
    off = ~torch.eye(len(z), dtype=torch.bool)
    return torch.where(off, squared.sqrt(), torch.zeros_like(squared))  # <-- culprit


def loss_fn(model, batch):
    x, wanted = batch
    return (pairwise(model(x)) - wanted).pow(2).mean()


def make():
    torch.manual_seed(0)
    model = MetricNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    wanted = torch.rand(8, 8)
    return model, optimizer, (torch.randn(8, 5), wanted + wanted.T)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if torch.isfinite(norm):
            optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {
    "embed.0.weight": "blocked",
    "embed.0.bias": "blocked",
    "embed.2.weight": "blocked",
    "embed.2.bias": "blocked",
}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
