import torch
from torch import nn


class RelativeOffset(nn.Module):
    """A learned vector for each clipped distance along the chain."""

    def __init__(self, max_offset, dim):
        super().__init__()
        self.max_offset = max_offset
        self.table = nn.Parameter(0.1 * torch.randn(2 * max_offset + 1, dim))

    def forward(self, length):
        pos = torch.arange(length)
        offset = (pos[:, None] - pos[None]).clamp(-self.max_offset, self.max_offset)
        return self.table[offset + self.max_offset]


class TriangleUpdate(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.left = nn.Linear(dim, dim)
        self.right = nn.Linear(dim, dim)
        self.gate = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, pair):
        z = self.norm(pair)
        tri = torch.einsum("bikc,bjkc->bijc", self.left(z), self.right(z)) / z.size(1)
        return pair + torch.sigmoid(self.gate(z)) * self.out(tri)


class Transition(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.net = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))

    def forward(self, x):
        return x + self.net(x)
