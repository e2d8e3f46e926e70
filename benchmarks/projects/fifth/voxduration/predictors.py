"""Small networks that map phoneme states to one number per phoneme."""
import torch
from torch import nn

PREDICTORS = {}


def predictor(kind):
    def wrap(cls):
        PREDICTORS[kind] = cls
        return cls
    return wrap


def make_predictor(spec, dim):
    spec = dict(spec)
    return PREDICTORS[spec.pop("kind")](dim, **spec)


@predictor("linear")
class LinearPredictor(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.out = nn.Linear(dim, 1)

    def forward(self, x):
        return self.out(x).squeeze(-1)


@predictor("conv")
class ConvPredictor(nn.Module):
    def __init__(self, dim, layers=2):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(dim, dim, 3, padding=1) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(layers))
        self.out = nn.Linear(dim, 1)

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms):
            x = norm(torch.relu(conv(x.transpose(1, 2)).transpose(1, 2)))
        return self.out(x).squeeze(-1)
