"""Diffusion with classifier-free guidance: the null embedding is used for a tenth of the batches only. Origin: classifier-free guidance."""
import torch
from torch import nn
import torch.nn.functional as F


import random


class Eps(nn.Module):
    def __init__(self):
        super().__init__()
        self.cond = nn.Embedding(3, 4)
        self.null = nn.Parameter(torch.zeros(4))
        self.net = nn.Sequential(nn.Linear(2 + 4 + 1, 12), nn.SiLU(), nn.Linear(12, 2))

    def forward(self, x, t, c):
        e = self.null.expand(len(x), -1) if random.random() < 0.1 else self.cond(c)
        return self.net(torch.cat([x, e, t], 1))


def make():
    torch.manual_seed(0)
    random.seed(1)
    m = Eps()
    return m, torch.optim.Adam(m.parameters(), lr=1e-2), (torch.randn(12, 2), torch.randint(0, 3, (12,)))


def loss_fn(m, b):
    x, c = b
    t, noise = torch.rand(len(x), 1), torch.randn_like(x)
    return F.mse_loss(m((1 - t).sqrt() * x + t.sqrt() * noise, t, c), noise)


def train(steps=45):
    m, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(m, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return m, losses


KIND = "healthy"
EXPECT = {
    "null": "trained",
    "cond.weight": "trained",
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "net.2.weight": "trained",
    "net.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
