"""Sinusoid regression tasks."""
import math

import torch


class SineTask:
    def __init__(self, gen):
        self.gen = gen
        self.amp = 0.5 + 2.0 * torch.rand((), generator=gen).item()
        self.phase = math.pi * torch.rand((), generator=gen).item()

    def draw(self, n):
        x = 6 * torch.rand(n, 1, generator=self.gen) - 3
        return x, self.amp * torch.sin(x + self.phase)


class TaskSource:
    def __init__(self, seed):
        self.gen = torch.Generator().manual_seed(seed)

    def batch(self, n):
        return [SineTask(self.gen) for _ in range(n)]
