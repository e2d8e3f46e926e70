import torch.nn.functional as F
from torch import nn

from .builder import part


@part
class TopDown(nn.Module):
    def __init__(self, width, levels=2):
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(width, width, 1) for _ in range(levels)])
        self.smooth = nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in range(levels)])

    def forward(self, feats):
        lat = [conv(f) for conv, f in zip(self.lateral, feats)]
        for i in range(len(lat) - 1, 0, -1):
            lat[i - 1] = lat[i - 1] + F.interpolate(lat[i], size=lat[i - 1].shape[-2:], mode="nearest")
        return [conv(f) for conv, f in zip(self.smooth, lat)]
