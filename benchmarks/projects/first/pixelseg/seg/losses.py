import torch
import torch.nn as nn
import torch.nn.functional as F

from .registry import LOSSES

IGNORE = 255


@LOSSES.register("pixel_ce")
class PixelCE(nn.Module):
    def __init__(self, name, weight=0.0):
        super().__init__()
        self.name = name
        self.weight = weight

    def forward(self, outputs, target):
        ce = F.cross_entropy(outputs[self.name], target, ignore_index=IGNORE, reduction="sum")
        return ce / (target != IGNORE).sum().clamp(min=1)


class LossStack:
    def __init__(self, cfgs):
        self.terms = [LOSSES.build(c) for c in cfgs]

    def __call__(self, outputs, target):
        total = 0.0
        for term in self.terms:
            if term.weight > 0 and term.name in outputs:
                total = total + term.weight * term(outputs, target)
        return total
