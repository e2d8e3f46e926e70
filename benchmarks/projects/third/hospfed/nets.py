import torch
from torch import nn


class RiskNet(nn.Module):
    """Shared encoder, one risk head per hospital and a common one for the small sites."""

    def __init__(self, features, hidden, own_heads):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(features, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.heads = nn.ModuleDict({name: nn.Linear(hidden, 1) for name in own_heads})
        self.common = nn.Linear(hidden, 1)

    def head_for(self, site):
        return self.heads[site] if site in self.heads else self.common

    def forward(self, x, site):
        return self.head_for(site)(self.encoder(x)).squeeze(-1)


def set_encoder_training(net, flag):
    for p in net.encoder.parameters():
        p.requires_grad = flag
