import torch
from torch import nn


class Trunk(nn.Sequential):
    def __init__(self, n_in, width, depth):
        layers = []
        for i in range(depth):
            layers += [nn.Linear(n_in if i == 0 else width, width), nn.SiLU()]
        super().__init__(*layers)


def build_heads(tasks, width):
    return nn.ModuleDict({t.name: nn.Linear(width, t.classes) for t in tasks})


class MultiTaskNet(nn.Module):
    def __init__(self, n_in, width, depth, tasks):
        super().__init__()
        self.trunk = Trunk(n_in, width, depth)
        self.heads = build_heads(tasks, width)

    def forward(self, x):
        h = self.trunk(x)
        return {name: head(h) for name, head in self.heads.items()}
