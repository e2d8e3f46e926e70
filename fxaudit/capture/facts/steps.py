"""Functions that are constant between their steps."""

from __future__ import annotations

import torch

from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family

__all__ = ["STEPS"]

NAMES = {"Sign": "sign", "Round": "round", "Floor": "floor", "Ceil": "ceil", "Trunc": "trunc", "Sgn": "sgn"}


def _ask(derivative: Derivative) -> Fact | None:
    name = NAMES[derivative.name]
    return Fact(
        f"`{name}` is constant between its steps, so its derivative is 0 everywhere",
        f"Let the gradient pass it: `x + (torch.{name}(x) - x).detach()` has the same value.",
    )


def _rounded() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor([0.2, 1.7], requires_grad=True)
    return leaf, leaf.round().sum()


STEPS = Family(
    frozenset(NAMES),
    _ask,
    (FactExample(_rounded, "`round` is constant between its steps, so its derivative is 0 everywhere"),),
)
