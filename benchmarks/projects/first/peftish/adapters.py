"""Low-rank adapters and the registry that picks them by name."""
import math

import torch
import torch.nn as nn

ADAPTERS = {}


def register_adapter(name):
    def deco(cls):
        ADAPTERS[name] = cls
        return cls
    return deco


@register_adapter("lora")
class LoraLinear(nn.Module):
    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features))
        self.lora_B = nn.Parameter(torch.empty(base.out_features, r))
        self.scaling = alpha / r
        self.reset()

    def reset(self):
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B)

    def forward(self, x):
        return self.base(x) + self.scaling * (x @ self.lora_A.t() @ self.lora_B.t())


@register_adapter("bias")
class BiasOnly(nn.Module):
    def __init__(self, base, r=None, alpha=None):
        super().__init__()
        self.base = base
        self.lora_bias = nn.Parameter(torch.zeros(base.out_features))

    def forward(self, x):
        return self.base(x) + self.lora_bias
