import torch
from torch import nn


def block(c_in, c_out):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1), nn.LeakyReLU(0.2))


class Nowcaster(nn.Module):
    """Deterministic extrapolation, tends to be blurred."""

    def __init__(self, past, future, width):
        super().__init__()
        self.body = nn.Sequential(block(past, width), block(width, width))
        self.out = nn.Conv2d(width, future, 1)

    def forward(self, past):
        return self.out(self.body(past))


class Refiner(nn.Module):
    """Adds the small scales, driven by noise."""

    def __init__(self, future, width, noise=2):
        super().__init__()
        self.noise = noise
        self.body = block(future + noise, width)
        self.out = nn.Conv2d(width, future, 3, padding=1)

    def forward(self, base):
        z = torch.randn(base.size(0), self.noise, *base.shape[2:])
        return base + self.out(self.body(torch.cat([base, z], 1)))


class Critic(nn.Module):
    def __init__(self, frames, width):
        super().__init__()
        self.body = nn.Sequential(block(frames, width), nn.AvgPool2d(2), block(width, width))
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, past, future):
        h = self.body(torch.cat([past, future], 1))
        return self.score(h.mean((2, 3))).squeeze(-1)


class RainModel(nn.Module):
    def __init__(self, past=3, future=2, width=8):
        super().__init__()
        self.nowcast = Nowcaster(past, future, width)
        self.refine = Refiner(future, width)
        self.critic = Critic(past + future, width)
