"""The critic is trained alone for 60 steps before the generator's first. Origin: SRGAN-like schedules."""
import torch
from torch import nn
import torch.nn.functional as F


class GAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.g = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
        self.d = nn.Sequential(nn.Linear(2, 6), nn.LeakyReLU(0.2), nn.Linear(6, 1))


def make():
    torch.manual_seed(0)
    m = GAN()
    return m, [torch.optim.Adam(m.g.parameters(), lr=1e-3), torch.optim.Adam(m.d.parameters(), lr=1e-3)], (torch.randn(8, 2), torch.randn(8, 3))


def d_loss(m, b):
    return F.softplus(-m.d(b[0])).mean() + F.softplus(m.d(m.g(b[1]).detach())).mean()


def g_loss(m, b):
    return F.softplus(-m.d(m.g(b[1]))).mean()


def loss_fn(m, b):
    return d_loss(m, b) + g_loss(m, b)


def train(steps=65, pretrain=60):
    m, (og, od), b = make()
    losses = []
    for step in range(steps):
        od.zero_grad()
        ld = d_loss(m, b)
        ld.backward()
        od.step()
        losses.append(ld.item())
        if step >= pretrain:
            og.zero_grad()
            lg = g_loss(m, b)
            lg.backward()
            og.step()
    return m, losses


KIND = "healthy"
EXPECT = {
    "g.0.weight": "trained",
    "g.0.bias": "trained",
    "g.2.weight": "trained",
    "g.2.bias": "trained",
    "d.0.weight": "trained",
    "d.0.bias": "trained",
    "d.2.weight": "trained",
    "d.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
