"""Forward noising process and the toy data it is applied to."""
import math

import torch


class Noising:
    def __init__(self, timesteps):
        self.timesteps = timesteps
        s = torch.linspace(0, 1, timesteps + 1)
        bar = torch.cos((s + 0.008) / 1.008 * math.pi / 2) ** 2
        self.alpha_bar = (bar / bar[0]).clamp(1e-4, 1.0)[1:]

    def draw(self, n):
        return torch.randint(0, self.timesteps, (n,))

    def corrupt(self, x0, t):
        a = self.alpha_bar[t][:, None]
        eps = torch.randn_like(x0)
        return a.sqrt() * x0 + (1 - a).sqrt() * eps, eps


def blobs(n, n_classes):
    labels = torch.randint(0, n_classes, (n,))
    angle = 2 * math.pi * labels.float() / n_classes
    centre = torch.stack([angle.cos(), angle.sin()], -1)
    return centre + 0.1 * torch.randn(n, 2), labels
