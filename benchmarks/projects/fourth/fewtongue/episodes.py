"""Endless episodes: a few letters of one script, some shots of each."""
from collections import namedtuple
from itertools import count

import torch

Episode = namedtuple("Episode", "script support query")


def draw(prototypes, shots, g):
    ways, features = prototypes.shape
    y = torch.arange(ways).repeat_interleave(shots)
    x = prototypes[y] + 0.3 * torch.randn(len(y), features, generator=g)
    return x, y


def episode(script, conf, g):
    prototypes = torch.randn(conf.ways, conf.features, generator=g)
    return Episode(script, draw(prototypes, conf.shots, g), draw(prototypes, conf.shots, g))


def meta_batches(conf):
    g = torch.Generator().manual_seed(conf.seed)
    for _ in count():
        yield [episode(script, conf, g) for script in conf.scripts]
