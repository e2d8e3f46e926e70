"""What plain training is said to show of a public model, before its verdicts are compared with that."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.zoo.measure import _trained_plainly


class Diverging(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.layer, self.factor = nn.Linear(2, 2), factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.layer(x) * self.factor).square()


def test_what_becomes_nan_did_not_train() -> None:
    torch.manual_seed(0)
    given = {"x": torch.randn(4, 2)}
    assert set(_trained_plainly(Diverging(1.0), given).values()) == {"trained"}
    assert set(_trained_plainly(Diverging(1e19), given).values()) == {"never moved"}
