"""Slots are iterated without gradient, then once with it; the learned initial slots get theirs straight through.
Origin: implicit Slot Attention (Chang et al. 2022)."""
import torch
from torch import nn
import torch.nn.functional as F


class Slots(nn.Module):
    def __init__(self, slots=3, d=6):
        super().__init__()
        self.initial = nn.Parameter(torch.randn(1, slots, d))
        self.q, self.k, self.v = (nn.Linear(d, d, bias=False) for _ in range(3))
        self.gru = nn.GRUCell(d, d)
        self.norm = nn.LayerNorm(d)
        self.decoder = nn.Linear(d, d)

    def update(self, slots, k, v):
        attention = torch.einsum("bsd,bnd->bsn", self.q(self.norm(slots)), k).softmax(1) + 1e-8
        read = (attention / attention.sum(2, keepdim=True)) @ v
        return self.gru(read.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)

    def forward(self, x):
        initial = self.initial.expand(len(x), -1, -1)
        k, v = self.k(x), self.v(x)
        with torch.no_grad():
            slots = initial
            for _ in range(3):
                slots = self.update(slots, k, v)
        slots = slots + initial - initial.detach()
        return self.decoder(self.update(slots, k, v)).mean(1)


def make():
    torch.manual_seed(0)
    model = Slots()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(4, 9, 6)


def loss_fn(model, x):
    return F.mse_loss(model(x), x.mean(1))


def train(steps=4):
    model, optimizer, x = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
