import torch
from torch import nn

from .builder import part


@part
class SmallBackbone(nn.Module):
    """Four stages; gives the features of the last two."""

    def __init__(self, width=6, frozen_stages=0):
        super().__init__()
        self.stages = nn.ModuleList()
        cin = 1
        for i in range(4):
            self.stages.append(nn.Sequential(
                nn.Conv2d(cin, width, 3, stride=2 if i else 1, padding=1), nn.GroupNorm(2, width), nn.ReLU()))
            cin = width
        self.frozen_stages = frozen_stages
        self._freeze()

    def _freeze(self):
        for i, stage in enumerate(self.stages):
            if i < self.frozen_stages:
                for p in stage.parameters():
                    p.requires_grad = False

    def forward(self, x):
        feats = []
        for stage in self.stages:
            x = stage(x)
            feats.append(x)
        return feats[2:]
