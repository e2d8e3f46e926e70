import torch
from torch import nn

from parts import FrozenBlocksMixin, ProcessorBlock


class Forecaster(FrozenBlocksMixin, nn.Module):
    """State now -> state in six hours. The first block comes from a global model."""

    def __init__(self, channels, width, blocks, residual_scale=0.0, frozen_blocks=0, capture=()):
        super().__init__()
        self.frozen_blocks = frozen_blocks
        self.encode = nn.Conv2d(channels, width, 3, padding=1, padding_mode="circular")
        self.processor = nn.ModuleList([ProcessorBlock(width, residual_scale) for _ in range(blocks)])
        self.tendency = nn.Conv2d(width, channels, 1)
        self.decode = nn.Conv2d(width, channels, 1)

    def forward(self, state):
        h = torch.tanh(self.encode(state))
        for block in self.processor:
            h = block(h)
        self.tendency(h)  # read by whoever hooks it
        return state + self.decode(h)
