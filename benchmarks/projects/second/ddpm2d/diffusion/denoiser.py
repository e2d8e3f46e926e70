import math

import torch
from torch import nn


def timestep_embedding(t, dim):
    half = dim // 2
    freq = torch.exp(-math.log(100.0) * torch.arange(half) / half)
    ang = t[:, None].float() * freq[None]
    return torch.cat([ang.sin(), ang.cos()], dim=-1)


class Res(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.lin1 = nn.Linear(dim, dim)
        self.emb = nn.Linear(dim, dim)
        self.lin2 = nn.Linear(dim, dim)

    def forward(self, x, emb=None):
        h = self.lin1(torch.nn.functional.silu(self.norm(x)))
        if emb is not None:
            h = h + self.emb(emb)
        return x + self.lin2(torch.nn.functional.silu(h))


class Denoiser(nn.Module):
    def __init__(self, dim, depth, classes, p_uncond):
        super().__init__()
        self.dim = dim
        self.p_uncond = p_uncond
        self.point_in = nn.Linear(2, dim)
        self.self_cond_in = nn.Linear(2, dim, bias=False)
        self.time_mlp = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.label = nn.Embedding(classes, dim)
        self.null_label = nn.Parameter(torch.randn(dim) * 0.02)
        self.trunk = nn.ModuleList([Res(dim) for _ in range(depth)])
        self.point_out = nn.Linear(dim, 2)

    def condition(self, y):
        emb = self.label(y)
        if self.training:
            drop = torch.rand(len(y), 1) < self.p_uncond
            emb = torch.where(drop, self.null_label.expand_as(emb), emb)
        return emb

    def forward(self, x, t, y, self_cond=None):
        emb = self.time_mlp(timestep_embedding(t, self.dim)) + self.condition(y)
        h = self.point_in(x)
        if self_cond is not None:
            h = h + self.self_cond_in(self_cond)
        for block in self.trunk:
            h = block(h, emb)
        return self.point_out(h)
