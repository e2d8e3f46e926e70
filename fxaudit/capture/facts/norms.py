"""Norms of zeros, and normalisation over one element."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family, are, places

__all__ = ["NORMS"]

ALONE = "Normalise over a dimension with more than one element."
GAIN = "Start the gain away from 0, and let it train."


def _ask(derivative: Derivative) -> Fact | None:
    if derivative.name == "Abs":
        inputs = derivative.tensor("self")
        alive = derivative.alive(inputs) if inputs is not None else None
        if alive is None or alive.numel() == 0 or bool(alive.any()):
            return None
        count = alive.numel()
        return Fact(f"{places(count, 'input')} of `abs` {are(count)} exactly 0, where its derivative is taken for 0")
    if derivative.name in ("LinalgVectorNorm", "Norm"):
        inputs = derivative.tensor("self")
        if inputs is None or bool(inputs.any()):
            return None
        return Fact(
            f"the norm is taken of zeros ({places(inputs.numel(), 'element')}), where its derivative is taken for 0"
        )
    return _normalised(derivative)


def _normalised(derivative: Derivative) -> Fact | None:
    if derivative.position != 0:
        return None
    if derivative.name == "NativeLayerNorm":
        shape = derivative.saved("normalized_shape")
        if shape is not None and math.prod(shape) == 1:
            return Fact("`layer_norm` over a single element is its bias whatever comes in", ALONE)
    if derivative.name == "NativeGroupNorm":
        channels, groups, inner = (derivative.saved(key) for key in ("C", "group", "HxW"))
        if None not in (channels, groups, inner) and channels * inner == groups:
            return Fact("`group_norm` over a single element is its bias whatever comes in", ALONE)
    gain = derivative.tensor("weight")
    if gain is not None and not bool(gain.any()):
        return Fact(f"the gain of the normalisation is 0 everywhere ({places(gain.numel(), 'element')})", GAIN)
    return None


def _difference() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(3, requires_grad=True)
    return leaf, (leaf - leaf.detach()).abs().sum()


def _of_zeros() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.zeros(3, requires_grad=True)
    return leaf, torch.linalg.vector_norm(leaf)


def _alone() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor([[1.0], [2.0]], requires_grad=True)
    return leaf, F.layer_norm(leaf, (1,)).sum()


def _no_gain() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.arange(6.0).view(2, 3).requires_grad_()
    return leaf, F.layer_norm(leaf, (3,), torch.zeros(3), torch.ones(3)).square().sum()


NORMS = Family(
    frozenset({"Abs", "LinalgVectorNorm", "Norm", "NativeLayerNorm", "NativeGroupNorm", "NativeBatchNorm"}),
    _ask,
    (
        FactExample(_difference, "all 3 inputs of `abs` are exactly 0, where its derivative is taken for 0"),
        FactExample(_of_zeros, "the norm is taken of zeros (all 3 elements), where its derivative is taken for 0"),
        FactExample(_alone, "`layer_norm` over a single element is its bias whatever comes in"),
        FactExample(_no_gain, "the gain of the normalisation is 0 everywhere (all 3 elements)"),
    ),
)
