import torch
import torch.nn as nn
import torch.nn.functional as F

from .registry import MODELS


class ConvNorm(nn.Sequential):
    def __init__(self, cin, cout, stride=1):
        super().__init__(
            nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU()
        )


@MODELS.register("unetish")
class Unetish(nn.Module):
    def __init__(self, in_channels, classes, width, aux_head=False):
        super().__init__()
        self.stem = ConvNorm(in_channels, width)
        self.encoder = nn.ModuleList([ConvNorm(width, width * 2, 2), ConvNorm(width * 2, width * 2, 2)])
        self.decoder = nn.ModuleDict({
            "lateral": nn.Conv2d(width, width * 2, 1),
            "fuse": ConvNorm(width * 2, width),
        })
        self.head = nn.Conv2d(width, classes, 1)
        self.aux = nn.Conv2d(width * 2, classes, 1) if aux_head else None

    def forward(self, img):
        s = self.stem(img)
        e = s
        for stage in self.encoder:
            e = stage(e)
        up = F.interpolate(e, size=s.shape[-2:], mode="nearest")
        d = self.decoder["fuse"](up + self.decoder["lateral"](s))
        out = {"main": self.head(d)}
        if self.aux is not None:
            out["aux"] = F.interpolate(self.aux(e), size=img.shape[-2:], mode="nearest")
        return out
