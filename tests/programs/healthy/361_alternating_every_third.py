"""Alternating minimisation: two optimizers, each stepped only on its turns; gradients of the other are cleared. Origin: dictionary learning, EM-like loops."""
import torch
from torch import nn
import torch.nn.functional as F


class Factor(nn.Module):
    def __init__(self):
        super().__init__()
        self.u, self.v = nn.Parameter(torch.randn(6, 2) * 0.3), nn.Parameter(torch.randn(2, 5) * 0.3)

    def forward(self):
        return self.u @ self.v


def make():
    torch.manual_seed(0)
    m = Factor()
    return m, [torch.optim.SGD([m.u], lr=0.1), torch.optim.SGD([m.v], lr=0.1)], torch.randn(6, 5)


def loss_fn(m, target):
    return F.mse_loss(m(), target)


def train(steps=9):
    m, opts, target = make()
    losses = []
    for step in range(steps):
        m.zero_grad()
        loss = loss_fn(m, target)
        loss.backward()
        opts[1 if step % 5 == 4 else 0].step()
        losses.append(loss.item())
    return m, losses


KIND = "healthy"
EXPECT = {
    "u": "trained",
    "v": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
