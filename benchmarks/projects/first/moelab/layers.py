import math

import torch
from torch import nn

from routing import SwitchRouter, dispatch


def ffn(dim, hidden):
    return nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))


class MoELayer(nn.Module):
    def __init__(self, dim, cfg):
        super().__init__()
        self.n = cfg["experts"]
        self.capacity_factor = cfg["capacity_factor"]
        self.norm = nn.LayerNorm(dim)
        self.router = SwitchRouter(dim, self.n)
        self.experts = nn.ModuleDict({f"e{i}": ffn(dim, cfg["hidden"]) for i in range(self.n)})
        self.shared = ffn(dim, cfg["hidden"]) if cfg["shared_expert"] else None

    def capacity(self, tokens):
        return math.floor(self.capacity_factor * tokens / self.n)

    def forward(self, x):
        h = self.norm(x)
        choice, aux = self.router(h)
        out = torch.zeros_like(x)
        cap = self.capacity(x.size(0))
        for i in range(self.n):
            idx = dispatch(choice, i, cap)
            out = out.index_add(0, idx, self.experts[f"e{i}"](h[idx]))
        if self.shared is not None:
            out = out + self.shared(h)
        return x + out, aux
