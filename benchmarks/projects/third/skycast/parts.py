import torch
from torch import nn


class FrozenBlocksMixin:
    """Keeps the leading blocks of `self.processor` fixed whenever train() is called."""

    frozen_blocks = 0

    def train(self, mode=True):
        super().train(mode)
        for i in range(self.frozen_blocks):
            block = self.processor[i]
            block.eval()
            for p in block.parameters():
                p.requires_grad_(False)
        return self


class ProcessorBlock(nn.Module):
    def __init__(self, width, scale):
        super().__init__()
        self.scale = scale
        self.spatial = nn.Conv2d(width, width, 3, padding=1, groups=width, padding_mode="circular")
        self.channel = nn.Conv2d(width, width, 1)

    def forward(self, h):
        return h + self.scale * self.channel(torch.nn.functional.gelu(self.spatial(h)))
