"""Noisy tones; the word is the order of the tones."""
import math

import torch

WORDS = 4


def words(n, batch=8, length=64, seed=6):
    g = torch.Generator().manual_seed(seed)
    t = torch.arange(length // 2) / 8
    for _ in range(n):
        y = torch.randint(0, WORDS, (batch,), generator=g)
        first = torch.sin(2 * math.pi * t * (1 + y % 2)[:, None])
        second = torch.sin(2 * math.pi * t * (1 + y // 2)[:, None])
        x = torch.cat([first, second], 1) + 0.2 * torch.randn(batch, length, generator=g)
        yield x[:, None], y
