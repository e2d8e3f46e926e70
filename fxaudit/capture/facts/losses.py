"""Losses that are at rest: nothing differs, or nothing counts."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family, are, number, places

__all__ = ["LOSSES"]

DIFFERENCES = {"MseLoss": "mse_loss", "SmoothL1Loss": "smooth_l1_loss", "HuberLoss": "huber_loss"}
SAME = "Look at what the target is made from: it is the prediction itself, or a copy of it."
IGNORED = "Look at how the targets are made: no element is left that counts."
PERFECT = "Nothing is left to learn from these targets; look at how large the logits are, and at the targets."


def _ask(derivative: Derivative) -> Fact | None:
    if derivative.name in DIFFERENCES:
        return _equal(derivative)
    if derivative.name.startswith("NllLoss"):
        return _ignored(derivative)
    return _met(derivative)


def _equal(derivative: Derivative) -> Fact | None:
    one, other = derivative.tensor("self"), derivative.tensor("target")
    if one is None or other is None or one.shape != other.shape or not torch.equal(one, other):
        return None
    name = DIFFERENCES[derivative.name]
    return Fact(f"both arguments of `{name}` are equal, bit for bit ({places(one.numel(), 'element')})", SAME)


def _ignored(derivative: Derivative) -> Fact | None:
    target, ignored = derivative.tensor("target"), derivative.saved("ignore_index")
    if target is None or not isinstance(ignored, int):
        return None
    ignored = ignored - (1 << 64) if ignored >= 1 << 63 else ignored  # kept unsigned
    if not bool((target == ignored).all()):
        return None
    count = target.numel()
    return Fact(
        f"{places(count, 'target')} {are(count)} {ignored}, the index that is ignored", IGNORED, leaves_out=True
    )


def _met(derivative: Derivative) -> Fact | None:
    logits, target = derivative.tensor("self"), derivative.tensor("target")
    if logits is None or target is None or logits.shape != target.shape:
        return None
    if derivative.saved("weight") is not None or not torch.equal(logits.sigmoid(), target):
        return None
    nearest = number(logits.abs().min())
    met = f"`sigmoid` of {places(logits.numel(), 'logit')} equals its target to the last digit"
    return Fact(f"{met} (no logit is nearer to 0 than {nearest})", PERFECT)


def _against_itself() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    return leaf, F.mse_loss(leaf, leaf.detach())


def _all_ignored() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(4, 3, requires_grad=True)
    return leaf, F.cross_entropy(leaf, torch.full((4,), -100), reduction="sum")


def _all_met() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor([200.0, -300.0], requires_grad=True)
    return leaf, F.binary_cross_entropy_with_logits(leaf, torch.tensor([1.0, 0.0]))


LOSSES = Family(
    frozenset({*DIFFERENCES, "NllLoss", "NllLoss2D", "BinaryCrossEntropyWithLogits"}),
    _ask,
    (
        FactExample(_against_itself, "both arguments of `mse_loss` are equal, bit for bit (all 3 elements)"),
        FactExample(_all_ignored, "all 4 targets are -100, the index that is ignored"),
        FactExample(
            _all_met, "`sigmoid` of all 2 logits equals its target to the last digit (no logit is nearer to 0 than 200)"
        ),
    ),
)
