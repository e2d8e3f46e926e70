import torch
from torch import nn

from functions import signed_power, snap
from registry import operator


@operator("affine", slope=1.0)
class Affine(nn.Module):
    def __init__(self, slope):
        super().__init__()
        self.coef = nn.Parameter(torch.tensor([slope, 0.13]))

    def forward(self, x):
        a, b = snap(self.coef)
        return a * x + b


@operator("power", exponent=1.5)
class Power(nn.Module):
    def __init__(self, exponent):
        super().__init__()
        self.exponent = nn.Parameter(torch.tensor([exponent]))

    def forward(self, x):
        return signed_power(x, self.exponent)


@operator("wave", omega=2.0)
class Wave(nn.Module):
    def __init__(self, omega):
        super().__init__()
        self.omega = nn.Parameter(torch.tensor([omega]))

    def forward(self, x):
        return torch.sin(self.omega * x)
