import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, cin, cout, cond):
        super().__init__()
        self.conv = nn.Conv1d(cin, cout, 3, padding=1, padding_mode="circular")
        self.film = nn.Linear(cond, 2 * cout)

    def forward(self, h, c):
        scale, shift = self.film(c)[:, :, None].chunk(2, dim=1)
        return F.silu(self.conv(h) * (1 + scale) + shift)


class Denoiser(nn.Module):
    """Small 1-d U-Net, conditioned on time and on the kind of dune."""

    def __init__(self, width, levels, classes, p_uncond, steps):
        super().__init__()
        self.p_uncond = float(p_uncond)
        self.time = nn.Embedding(steps, width)
        self.label = nn.Embedding(classes, width)
        self.null = nn.Parameter(0.1 * torch.randn(width))
        self.inp = nn.Conv1d(1, width, 3, padding=1, padding_mode="circular")
        self.downs = nn.ModuleList([Block(width, width, width) for _ in range(levels)])
        self.mid = Block(width, width, width)
        self.ups = nn.ModuleList([Block(2 * width, width, width) for _ in range(levels)])
        self.out = nn.Conv1d(width, 1, 1)

    def condition(self, t, kind):
        drop = torch.rand(len(kind)) < self.p_uncond
        label = torch.where(drop[:, None], self.null, self.label(kind))
        return self.time(t) + label

    def forward(self, x, t, kind):
        c = self.condition(t, kind)
        h = self.inp(x)
        skips = []
        for down in self.downs:
            h = down(h, c)
            skips.append(h)
            h = F.avg_pool1d(h, 2)
        h = self.mid(h, c)
        for up in self.ups:
            h = F.interpolate(h, scale_factor=2)
            h = up(torch.cat([h, skips.pop()], 1), c)
        return self.out(h)
