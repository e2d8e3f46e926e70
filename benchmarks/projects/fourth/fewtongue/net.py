import torch
from torch import nn


def safe(name):
    """Parameter names have dots, the keys of a ParameterDict must not."""
    return name.replace(".", "__")


class LetterNet(nn.Module):
    ADAPTED = ("body.", "head.")

    def __init__(self, conf):
        super().__init__()
        self.conf = conf
        self.stems = nn.ModuleDict({s: nn.Linear(conf.features, conf.width) for s in conf.scripts})
        self.body = nn.Sequential(nn.Tanh(), nn.Linear(conf.width, conf.width), nn.Tanh())
        self.head = nn.Linear(conf.width, conf.ways)
        self.rates = nn.ParameterDict({
            safe(n): nn.Parameter(torch.tensor(conf.inner_lr)) for n in self.adapted
        })

    @property
    def adapted(self):
        return {n: p for n, p in self.named_parameters() if n.startswith(self.ADAPTED)}

    def rate_of(self, name):
        key = safe(name)
        if key in self.rates:
            return self.rates[key]
        return self.conf.inner_lr

    def forward(self, x, script):
        return self.head(self.body(self.stems[script](x)))
