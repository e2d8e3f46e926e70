"""Products of which the other factor is zero, or so small that nothing is left."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from fxaudit.capture.facts.fact import OPERATION, Derivative, Fact, FactExample, Family, are, number, places, size

__all__ = ["PRODUCTS", "zero_in_part"]

FACTORS = {
    "Mul": ("self", "other"),
    "Mm": ("self", "mat2"),
    "Bmm": ("self", "mat2"),
    "Mv": ("self", "vec"),
    "Dot": ("self", "tensor"),
    "Addmm": (None, "mat1", "mat2"),
    "Baddbmm": (None, "batch1", "batch2"),
    "Convolution": ("input", "weight"),
}
"""Node → the factors, in the order of the node's inputs; None is what is added."""
FILL = "Give it other values where it is made, or leave the product out."
BOTH = "Start one of the two factors away from 0, as LoRA does with its first matrix."


def _ask(derivative: Derivative) -> Fact | None:
    if derivative.name == "Prod":
        return _several_zeros(derivative)
    if derivative.name == "Pow":
        return _power(derivative)
    keys = FACTORS[derivative.name]
    if derivative.position >= len(keys) or keys[derivative.position] is None:
        return None
    others = [key for number, key in enumerate(keys) if key is not None and number != derivative.position]
    return _zero_factor(derivative, str(keys[derivative.position]), others[0])


def _zero_factor(derivative: Derivative, own: str, key: str) -> Fact | None:
    other = derivative.saved(key)
    if isinstance(other, int | float):
        return Fact("it is multiplied by the number 0", FILL) if other == 0 else None
    other, itself = derivative.tensor(key), derivative.tensor(own)
    if other is None:
        return None
    if not bool(other.any()):
        if itself is not None and not bool(itself.any()):
            return Fact("both factors of the product are 0 everywhere, so neither gets a gradient", BOTH)
        return Fact(f"the other factor of {OPERATION} is 0 {_everywhere(other)}", FILL)
    alive = derivative.alive(other) if derivative.name == "Mul" else other.flatten()
    if alive.numel() and not bool(alive.any()):
        return Fact(
            f"the other factor of {OPERATION} is 0 at {places(alive.numel(), 'element')} to which gradient comes", FILL
        )
    return _too_small(derivative, alive)


def zero_in_part(derivative: Derivative) -> Fact | None:
    """That the other factor of a product is 0 at some of the elements to which gradient comes."""
    if derivative.name != "Mul" or derivative.position > 1:
        return None
    other = derivative.tensor(("other", "self")[derivative.position])
    if other is None or other.requires_grad or other.ndim == 0:
        return None
    alive = derivative.alive(other)
    zeros = int((alive == 0).sum())
    if not 0 < zeros < alive.numel():
        return None
    return Fact(f"the other factor of {OPERATION} is 0 at {zeros} of {alive.numel()} elements", FILL, in_part=True)


def _everywhere(other: torch.Tensor) -> str:
    return "" if other.ndim == 0 else f"everywhere ({size(other)})"


def _too_small(derivative: Derivative, factor: torch.Tensor) -> Fact | None:
    gradient: Any = derivative.incoming
    if derivative.name != "Mul" or gradient is None or not gradient.dtype.is_floating_point or factor.numel() == 0:
        return None
    largest, most = float(gradient.abs().max()), float(factor.abs().max())
    smallest = torch.finfo(gradient.dtype).smallest_normal * torch.finfo(gradient.dtype).eps
    if not largest * most < smallest:
        return None
    kind = str(gradient.dtype).removeprefix("torch.")
    return Fact(
        f"{number(largest)}, the largest gradient, times {number(most)} is below the smallest {kind}",
        "Scale the loss up, or compute this part in a wider floating-point type.",
    )


def _several_zeros(derivative: Derivative) -> Fact | None:
    factors = derivative.tensor("self")
    zeros = int((factors == 0).sum()) if factors is not None else 0
    return Fact(f"{zeros} of the factors of `prod` are 0, so the derivative for each is 0", FILL) if zeros > 1 else None


def _power(derivative: Derivative) -> Fact | None:
    base, exponent = derivative.tensor("self"), derivative.saved("exponent")
    if base is None or not isinstance(exponent, int | float):
        return None
    if exponent == 0:
        return Fact("anything to the power of 0 is 1", "Use another exponent.")
    alive = derivative.alive(base)
    if exponent <= 1 or alive.numel() == 0 or bool(alive.any()):
        return None
    count = alive.numel()
    return Fact(f"{places(count, 'base')} of the power {number(exponent)} {are(count)} 0, where it is flat")


def _times_zeros() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(2, 3, requires_grad=True)
    return leaf, (leaf * torch.zeros(2, 3)).sum()


def _masked() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(3, requires_grad=True)
    return leaf, (leaf * torch.tensor([0.0, 1.0, 1.0]))[0]


def _fed_zeros() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(1, 4, requires_grad=True)
    return leaf, F.linear(torch.zeros(5, 4), leaf, torch.ones(1, requires_grad=True)).sum()


def _both_zero() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.zeros(3, 2, requires_grad=True)
    return leaf, (torch.zeros(4, 3, requires_grad=True) @ leaf).sum()


def _tiny() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(2, requires_grad=True)
    return leaf, (leaf * 1e-30 * torch.tensor(1e-30)).sum()


def _squared() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.zeros(3, requires_grad=True)
    return leaf, leaf.pow(2).sum()


PRODUCTS = Family(
    frozenset({*FACTORS, "Prod", "Pow"}),
    _ask,
    (
        FactExample(_times_zeros, "the other factor of {operation} is 0 everywhere (2 × 3)"),
        FactExample(_masked, "the other factor of {operation} is 0 at the one element to which gradient comes"),
        FactExample(_fed_zeros, "the other factor of {operation} is 0 everywhere (5 × 4)"),
        FactExample(_both_zero, "both factors of the product are 0 everywhere, so neither gets a gradient"),
        FactExample(_tiny, "1e-30, the largest gradient, times 1e-30 is below the smallest float32"),
        FactExample(_squared, "all 3 bases of the power 2 are 0, where it is flat"),
    ),
)
