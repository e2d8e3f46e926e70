import torch
import torch.nn as nn
import torch.nn.functional as F


class Mapper(nn.Sequential):
    """Noise and class -> style."""

    def __init__(self, noise, classes, width):
        super().__init__(nn.Linear(noise + classes, width), nn.LeakyReLU(0.2), nn.Linear(width, width))
        self.classes = classes

    def forward(self, z, labels):
        return super().forward(torch.cat([z, F.one_hot(labels, self.classes).float()], 1))


class Generator(nn.Module):
    def __init__(self, noise, classes, width, points):
        super().__init__()
        self.noise = noise
        self.mapper = Mapper(noise, classes, width)
        self.start = nn.Parameter(torch.randn(width))
        self.draw = nn.Sequential(nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, points))

    def forward(self, z, labels):
        return self.draw(self.start * torch.tanh(self.mapper(z, labels)))


class Critic(nn.Module):
    """Projection critic; without labels it judges the drawing alone."""

    def __init__(self, classes, width, points):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(points, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2)
        )
        self.score = nn.Linear(width, 1)
        self.embed = nn.Embedding(classes, width)

    def forward(self, x, labels=None, **unused):
        h = self.body(x)
        out = self.score(h).squeeze(1)
        if labels is not None:
            out = out + (self.embed(labels) * h).sum(1)
        return out


class Duel(nn.Module):
    def __init__(self, noise=4, classes=3, width=16, points=16):
        super().__init__()
        self.gen = Generator(noise, classes, width, points)
        self.critic = Critic(classes, width, points)
