"""Gradients that are lost when they are converted to a smaller floating-point type."""

from __future__ import annotations

import torch

from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family, number

__all__ = ["PRECISION"]

SCALE = "Scale the loss with `torch.amp.GradScaler`, or use bfloat16, whose range is that of float32."


def _ask(derivative: Derivative) -> Fact | None:
    gradient, converted = derivative.incoming, derivative.outgoing
    if gradient is None or not isinstance(converted, torch.Tensor) or gradient.numel() == 0:
        return None
    if not converted.dtype.is_floating_point or gradient.dtype == converted.dtype:
        return None
    info = torch.finfo(converted.dtype)
    largest, smallest = float(gradient.abs().max()), info.smallest_normal * info.eps
    if not 0 < largest < smallest:
        return None
    kind = str(converted.dtype).removeprefix("torch.")
    return Fact(f"the largest gradient, {number(largest)}, is below {number(smallest)}, the smallest {kind}", SCALE)


def _halved() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(3, dtype=torch.float16, requires_grad=True)
    return leaf, (leaf.float() * 1e-9).sum()


PRECISION = Family(
    frozenset({"ToCopy"}),
    _ask,
    (FactExample(_halved, "the largest gradient, 1e-09, is below 5.96e-08, the smallest float16"),),
)
