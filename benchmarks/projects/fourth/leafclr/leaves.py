from __future__ import annotations

from typing import Iterator

import torch
from torch import Tensor

SPECIES = ("oak", "beech", "lime", "birch")


def leaf(kind: int, size: int, g: torch.Generator) -> Tensor:
    yy, xx = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
    angle = torch.atan2(yy, xx)
    edge = 0.6 + 0.2 * torch.cos((kind + 2) * angle + torch.rand((), generator=g))
    return ((xx ** 2 + yy ** 2).sqrt() < edge).float() + 0.1 * torch.randn(size, size, generator=g)


def views(steps: int, batch: int = 8, size: int = 16, seed: int = 5) -> Iterator[tuple[Tensor, ...]]:
    g = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        kinds = torch.randint(0, len(SPECIES), (batch,), generator=g)
        a = torch.stack([leaf(k, size, g) for k in kinds.tolist()])[:, None]
        b = torch.stack([leaf(k, size, g) for k in kinds.tolist()])[:, None]
        top = int(torch.randint(0, size - 10, (), generator=g))
        yield a, b, b[:, :, top:top + 10, 2:12], kinds
