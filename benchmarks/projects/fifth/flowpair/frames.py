"""Pairs of smooth textures, the second one shifted and somewhat brighter."""
import torch
import torch.nn.functional as F

from warp import warp


def textures(n, size, rng):
    coarse = torch.randn(n, 1, size // 2, size // 2, generator=rng)
    return F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)


def make_pairs(n, size, max_shift, seed):
    rng = torch.Generator().manual_seed(seed)
    first = textures(n, size, rng)
    shift = (torch.rand(n, 2, 1, 1, generator=rng) * 2 - 1) * max_shift
    gain = 1 + 0.2 * torch.rand(n, 1, 1, 1, generator=rng)
    second = gain * warp(first, shift.expand(-1, -1, size, size))
    return first, second


def batches(section, seed):
    first, second = make_pairs(section.getint("pairs"), section.getint("size"),
                               section.getfloat("max_shift"), seed)
    size = section.getint("batch")
    return list(zip(first.split(size), second.split(size)))
