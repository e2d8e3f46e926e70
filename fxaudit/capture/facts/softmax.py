"""Softmax over one element, and softmax that has chosen."""

from __future__ import annotations

import torch

from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family, places

__all__ = ["SOFTMAX"]

ONE = (
    "Give it the dimension that holds the choices. One number is no choice: for a regression use `mse_loss`, "
    "for yes or no `binary_cross_entropy_with_logits`."
)
CHOSEN = (
    "Make its inputs smaller: divide them by the root of their width or by a temperature, or normalise what goes in."
)


def _ask(derivative: Derivative) -> Fact | None:
    result, dim = derivative.tensor("result"), derivative.saved("dim")
    if result is None or not isinstance(dim, int):
        return None
    dim = dim - (1 << 64) if dim >= 1 << 63 else dim  # kept unsigned
    if result.ndim == 0 or result.shape[dim] == 1:
        return Fact("softmax over a dimension of size 1 is 1 whatever comes in", ONE)
    shares = result.exp() if derivative.name == "LogSoftmax" else result
    most = shares.amax(dim)
    gradient = derivative.incoming
    if gradient is not None and gradient.shape == result.shape:
        most = most[(gradient != 0).any(dim)]
    if most.numel() == 0 or not bool((most == 1).all()):
        return None
    return Fact(
        f"softmax gives one element the whole share, 1 to the last digit, in {places(most.numel(), 'row')}", CHOSEN
    )


def _over_one() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor([[0.5], [2.0]], requires_grad=True)
    return leaf, (leaf.softmax(dim=1) * 3).sum()


def _cross_entropy() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor([[0.5], [2.0]], requires_grad=True)
    return leaf, torch.nn.functional.cross_entropy(leaf, torch.tensor([[0.25], [0.75]]))


def _saturated() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor([[900.0, -900.0], [-900.0, 900.0]], requires_grad=True)
    return leaf, (leaf.softmax(dim=-1) * torch.tensor([1.0, 2.0])).sum()


SOFTMAX = Family(
    frozenset({"Softmax", "LogSoftmax", "SafeSoftmax"}),
    _ask,
    (
        FactExample(_over_one, "softmax over a dimension of size 1 is 1 whatever comes in"),
        FactExample(_cross_entropy, "softmax over a dimension of size 1 is 1 whatever comes in"),
        FactExample(_saturated, "softmax gives one element the whole share, 1 to the last digit, in all 2 rows"),
    ),
)
