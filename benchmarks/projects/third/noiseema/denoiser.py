import math

import torch
from torch import nn


def timestep_features(t, dim):
    half = dim // 2
    freqs = torch.exp(-math.log(1000.0) * torch.arange(half).float() / half)
    ang = t.float()[:, None] * freqs[None]
    return torch.cat([ang.sin(), ang.cos()], dim=-1)


class ResBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.pre = nn.Linear(width, width)
        self.modulate = nn.Linear(width, 2 * width)
        self.post = nn.Linear(width, width)

    def forward(self, x, cond):
        scale, shift = self.modulate(cond).chunk(2, dim=-1)
        h = torch.tanh(self.pre(x)) * (1 + scale) + shift
        return x + self.post(torch.nn.functional.silu(h))


class Denoiser(nn.Module):
    def __init__(self, width, data_dim=2, depth=2):
        super().__init__()
        self.width = width
        self.stem = nn.Linear(data_dim, width)
        self.time_mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(ResBlock(width) for _ in range(depth))
        self.final = nn.Linear(width, data_dim)

    def forward(self, x, t, cond):
        c = self.time_mlp(timestep_features(t, self.width)) + cond
        h = self.stem(x)
        for block in self.blocks:
            h = block(h, c)
        return self.final(h)


class LabelContext(nn.Module):
    """Conditioning vector; dropped for some samples so that guidance works."""

    def __init__(self, n_classes, width, drop):
        super().__init__()
        self.drop = drop
        self.label_table = nn.Embedding(n_classes, width)
        self.proj = nn.Linear(width, width)

    def forward(self, labels):
        keep = (torch.rand(labels.shape[0], 1) >= self.drop).float()
        return keep * self.proj(self.label_table(labels))
