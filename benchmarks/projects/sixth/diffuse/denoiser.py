import math

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def sinusoid(t, dim):
    freq = torch.exp(-math.log(1000.0) * torch.arange(dim // 2) / (dim // 2))
    ang = t[:, None].float() * freq
    return torch.cat([ang.sin(), ang.cos()], -1)


class LabelEmbedding(nn.Module):
    def __init__(self, classes, dim, drop):
        super().__init__()
        self.table = nn.Embedding(classes, dim)
        self.null = nn.Parameter(torch.zeros(dim))
        self.drop = drop

    def forward(self, y):
        gone = torch.rand(len(y), 1) < self.drop
        return torch.where(gone, self.null, self.table(y))


class ResBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.cond = nn.Linear(dim, dim)
        self.up = nn.Linear(dim, 2 * dim)
        self.down = nn.Linear(2 * dim, dim)

    def forward(self, x, c):
        return x + self.down(torch.nn.functional.silu(self.up(self.norm(x) + self.cond(c))))


class Denoiser(nn.Module):
    def __init__(self, dim, classes, blocks, drop_label, checkpoint_opts=None):
        super().__init__()
        self.dim = dim
        self.checkpoint_opts = checkpoint_opts or {"use_reentrant": False}
        self.stem = nn.Sequential(nn.Linear(2, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU())
        self.label = LabelEmbedding(classes, dim, drop_label)
        self.blocks = nn.ModuleList(ResBlock(dim) for _ in range(blocks))
        self.out = nn.Linear(dim, 2)

    def _run(self, fn, *args):
        if self.training:
            return checkpoint(fn, *args, **self.checkpoint_opts)
        return fn(*args)

    def forward(self, x, t, y):
        h = self._run(self.stem, x)
        c = self.time(sinusoid(t, self.dim)) + self.label(y)
        for block in self.blocks:
            h = self._run(block, h, c)
        return self.out(h)
