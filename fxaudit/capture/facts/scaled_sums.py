"""Sums whose terms are scaled by a number that is 0: `alpha` of `add`, the weight of `lerp`, `value` of `addcmul`."""

from __future__ import annotations

import torch

from fxaudit.capture.facts.fact import OPERATION, Derivative, Fact, FactExample, Family, size

__all__ = ["SCALED_SUMS"]

FILL = "Give it other values where it is made, or leave the term out."
SCALED = {"Add": (1,), "Sub": (1,), "Rsub": (0,), "Addcmul": (1, 2), "Addcdiv": (1, 2)}
"""Node → the positions of the terms that are scaled."""
NUMBER = Fact("it is multiplied by the number 0", FILL)


def _ask(derivative: Derivative) -> Fact | None:
    if derivative.name == "Lerp":
        return _share(derivative)
    if derivative.position not in SCALED[derivative.name]:
        return None
    scale = derivative.saved("value" if derivative.name.startswith("Addc") else "alpha")
    if isinstance(scale, int | float) and scale == 0:
        return NUMBER
    return _zero_factor(derivative) if derivative.name == "Addcmul" else None


def _share(derivative: Derivative) -> Fact | None:
    weight = derivative.saved("weight")
    if isinstance(weight, torch.Tensor):
        weight = weight.item() if weight.numel() == 1 and weight.device.type != "meta" else None
    if derivative.position == 1 and weight == 0:
        return NUMBER
    if derivative.position == 0 and weight == 1:
        return Fact(f"the weight of {OPERATION} is 1, so the first of the two has no part in it", FILL)
    return None


def _zero_factor(derivative: Derivative) -> Fact | None:
    other = derivative.tensor("tensor2" if derivative.position == 1 else "tensor1")
    if other is None or bool(other.any()):
        return None
    return Fact(f"the other factor of {OPERATION} is 0 everywhere ({size(other)})", FILL)


def _added() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(3, requires_grad=True)
    return leaf, torch.add(torch.ones(3, requires_grad=True), leaf, alpha=0).sum()


def _subtracted() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(3, requires_grad=True)
    return leaf, torch.sub(torch.ones(3, requires_grad=True), leaf, alpha=0).sum()


def _mixed() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(3, requires_grad=True)
    return leaf, torch.lerp(torch.zeros(3, requires_grad=True), leaf, 0.0).sum()


def _mixed_out() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(3, requires_grad=True)
    return leaf, torch.lerp(leaf, torch.zeros(3, requires_grad=True), 1.0).sum()


def _masked() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(2, 3, requires_grad=True)
    return leaf, torch.addcmul(torch.ones(2, 3, requires_grad=True), leaf, torch.zeros(2, 3)).sum()


def _without_value() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(3, requires_grad=True)
    return leaf, torch.addcmul(torch.ones(3, requires_grad=True), leaf, torch.ones(3), value=0.0).sum()


SCALED_SUMS = Family(
    frozenset({*SCALED, "Lerp"}),
    _ask,
    (
        FactExample(_added, "it is multiplied by the number 0"),
        FactExample(_subtracted, "it is multiplied by the number 0"),
        FactExample(_mixed, "it is multiplied by the number 0"),
        FactExample(_mixed_out, "the weight of {operation} is 1, so the first of the two has no part in it"),
        FactExample(_masked, "the other factor of {operation} is 0 everywhere (2 × 3)"),
        FactExample(_without_value, "it is multiplied by the number 0"),
    ),
)
