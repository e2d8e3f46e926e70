import torch
from torch import nn

from .registry import DISCRIMINATORS, GENERATORS


class LatentMixin:
    """Everything that draws from a latent prior."""

    latent = 0

    def prior(self, n):
        return torch.randn(n, self.latent)

    def sample(self, n):
        return self(self.prior(n))


@GENERATORS.register("mlp")
class MLPGenerator(LatentMixin, nn.Module):
    def __init__(self, latent, width):
        super().__init__()
        self.latent = latent
        self.body = nn.Sequential(nn.Linear(latent, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2))
        self.out = nn.Linear(width, 2)

    def forward(self, z):
        return self.out(self.body(z))


@DISCRIMINATORS.register("mlp")
class MLPDiscriminator(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2))
        self.logit = nn.Linear(width, 1)

    def forward(self, x):
        return self.logit(self.body(x)).squeeze(-1)


class GANModel(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.generator = GENERATORS.build(cfg["generator"], cfg["latent"], cfg["width"])
        self.discriminator = DISCRIMINATORS.build(cfg["discriminator"], cfg["width"])
