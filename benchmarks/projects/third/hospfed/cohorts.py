"""Endless mini-batches of made-up patients, one generator per site."""
import zlib

import torch

FEATURES = 5


def cohort(site):
    g = torch.Generator().manual_seed(zlib.crc32(site.name.encode()) % 1000)
    x = torch.randn(site.patients, FEATURES, generator=g) + site.shift
    risk = x[:, 0] - 0.7 * x[:, 1] * x[:, 2]
    y = (risk + 0.3 * torch.randn(site.patients, generator=g) > 0).float()
    return x, y, g


def batches(site, size=8):
    x, y, g = cohort(site)
    while True:
        pick = torch.randperm(len(x), generator=g)[:size]
        yield x[pick], y[pick]
