import torch
from torch import nn


class Gate(nn.Module):
    """One factor between 0 and 1 per column."""

    def __init__(self, columns, init):
        super().__init__()
        self.level = nn.Parameter(torch.full((columns, 1), float(init)))

    def forward(self, tokens):
        return tokens * self.level.clamp(0.0, 1.0)


class Tokens(nn.Module):
    def __init__(self, n_num, cards, dim):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(n_num, dim) * 0.5)
        self.shift = nn.Parameter(torch.zeros(n_num, dim))
        self.cats = nn.ModuleList(nn.Embedding(c, dim) for c in cards)

    def forward(self, num, cat):
        t = [num[:, :, None] * self.scale + self.shift]
        t += [e(cat[:, i])[:, None] for i, e in enumerate(self.cats)]
        return torch.cat(t, 1)


class TabNet(nn.Module):
    def __init__(self, n_num, cards, dim=8, gate_init=0.5):
        super().__init__()
        self.backbone = nn.ModuleDict({
            "tokens": Tokens(n_num, cards, dim),
            "mix": nn.Sequential(nn.Linear(dim * (n_num + len(cards)), 32), nn.GELU(), nn.Linear(32, 16)),
        })
        self.gate = Gate(n_num + len(cards), gate_init)
        self.head = nn.Sequential(nn.GELU(), nn.Linear(16, 1))

    def forward(self, num, cat):
        t = self.gate(self.backbone["tokens"](num, cat))
        return self.head(self.backbone["mix"](t.flatten(1))).squeeze(1)
