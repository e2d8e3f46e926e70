import torch
from torch import nn

import ops  # noqa: F401  (fills the registry)
from registry import make


class Layer(nn.Module):
    """Each node applies a gated sum of operators to a mix of the inputs."""

    def __init__(self, fan_in, nodes, names):
        super().__init__()
        self.mix = nn.Linear(fan_in, nodes, bias=False)
        self.ops = nn.ModuleDict({n: make(n) for n in names})
        self.choice = nn.Parameter(0.1 * torch.randn(nodes, len(names)))

    def branches(self):
        return [lambda x, n=n: self.ops[n](x) for n in self.ops]

    def forward(self, x):
        z = self.mix(x)
        outs = torch.stack([f(z) for f in self.branches()], -1)
        return (outs * self.choice.sigmoid()).sum(-1)


class Formula(nn.Module):
    def __init__(self, inputs, nodes, names, depth=2):
        super().__init__()
        sizes = [inputs] + [nodes] * depth
        self.layers = nn.ModuleList(Layer(a, b, names) for a, b in zip(sizes, sizes[1:]))
        self.readout = nn.Linear(nodes, 1)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.readout(x).squeeze(-1)
