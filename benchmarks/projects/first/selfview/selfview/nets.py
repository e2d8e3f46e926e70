import torch
from torch import nn


def mlp(d_in, hidden, d_out):
    return nn.Sequential(
        nn.Linear(d_in, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, d_out),
    )


class Backbone(nn.Module):
    def __init__(self, d_in, width, depth):
        super().__init__()
        self.stem = nn.Linear(d_in, width)
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])

    def forward(self, x):
        h = torch.tanh(self.stem(x))
        for layer in self.layers:
            h = h + torch.tanh(layer(h))
        return h


class Branch(nn.Module):
    """Backbone followed by its projector."""

    def __init__(self, d_in, cfg):
        super().__init__()
        width = cfg["backbone"]["width"]
        self.backbone = Backbone(d_in, width, cfg["backbone"]["depth"])
        self.projector = mlp(width, cfg["projector"]["hidden"], cfg["projector"]["out"])

    def forward(self, x):
        return self.projector(self.backbone(x))
