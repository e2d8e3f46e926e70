"""Sine waves with random amplitude and phase."""
import math

import torch


class SineTasks:
    def __init__(self, k_shot, seed):
        self.k = k_shot
        self.g = torch.Generator().manual_seed(seed)

    def _u(self, lo, hi, *shape):
        return lo + (hi - lo) * torch.rand(*shape, generator=self.g)

    def one(self):
        amp, phase = self._u(0.5, 2.0, 1), self._u(0.0, math.pi, 1)
        sets = []
        for n in (self.k, 2 * self.k):
            x = self._u(-3.0, 3.0, n, 1)
            sets.append((x, amp * torch.sin(x + phase)))
        return tuple(sets)

    def meta_batch(self, n):
        return [self.one() for _ in range(n)]
