"""Comparing numbers: what a gradient is worth, and whether a value has really changed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn.parameter import is_lazy

from fxaudit.capture.events import GradientState
from fxaudit.capture.unheard import UnheardByModes

__all__ = [
    "Snapshot",
    "copy_of",
    "gradient_states",
    "is_elsewhere",
    "local_part",
    "number_of",
    "same_numbers",
    "single_number",
]


def single_number(tensors: Sequence[torch.Tensor]) -> float | None:
    """The number of the one tensor that is a number; None where there are others, or it cannot be read."""
    if len(tensors) != 1:
        return None
    try:
        with UnheardByModes():
            plain = local_part(tensors[0].detach())
            return float(plain) if plain.numel() == 1 and plain.is_floating_point() else None
    except (RuntimeError, NotImplementedError, TypeError):
        return None  # sparse layouts, meta tensors and functorch wrappers cannot be looked into


def gradient_states(gradients: Sequence[torch.Tensor | None]) -> list[tuple[GradientState, float]]:
    """For each gradient: none, exactly zero, finite or non-finite, and its 2-norm."""
    states: list[tuple[GradientState, float]] = [("none", 0.0)] * len(gradients)
    dense: dict[tuple[torch.dtype, torch.device], list[int]] = {}
    for index, gradient in enumerate(gradients):
        if gradient is None:
            continue
        plain = gradient.detach()
        if (
            plain.layout is torch.strided
            and type(plain) is torch.Tensor
            and not plain.is_nested
            and plain.numel()
            and plain.device.type != "meta"
        ):
            dense.setdefault((plain.dtype, plain.device), []).append(index)
        else:
            states[index] = _single(plain)
    for members in dense.values():
        found = [gradient.detach() for i in members if (gradient := gradients[i]) is not None]
        # The maximum norm says the same without under- and overflow, and takes a hundred times as long (torch 2.13,
        # CPU).
        norms = torch.stack([n.float() for n in torch._foreach_norm(found, 2)]).tolist()
        for index, single, norm in zip(members, found, norms, strict=True):
            states[index] = _state(norm) if math.isfinite(norm) and norm > 0 else _single(single)
    return states


def _single(gradient: torch.Tensor) -> tuple[GradientState, float]:
    if gradient.device.type == "meta":
        return "finite", math.nan
    if gradient.is_nested:
        gradient = torch.cat([part.flatten() for part in gradient.unbind()])
    if gradient.layout is not torch.strided:
        gradient = gradient.coalesce().values() if gradient.is_sparse else gradient.to_dense()
    gradient = local_part(gradient)
    if gradient.numel() == 0:
        return "zero", 0.0
    if not bool(gradient.any()):
        return "zero", 0.0
    norm = float(torch.linalg.vector_norm(gradient.double().abs()))
    return _state(norm) if norm != 0 else ("finite", math.ulp(0.0))


def _state(norm: float) -> tuple[GradientState, float]:
    if norm == 0.0:
        return "zero", 0.0
    return ("finite", norm) if math.isfinite(norm) else ("nonfinite", norm)


def same_numbers(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors hold the same numbers bit for bit (NaN equals NaN)."""
    one, other = local_part(one), local_part(other)
    if one.layout != other.layout or one.dtype != other.dtype or one.is_nested != other.is_nested:
        return False
    if one.is_nested:
        pairs = zip(one.unbind(), other.unbind(), strict=False)
        return one.size(0) == other.size(0) and all(same_numbers(a, b) for a, b in pairs)
    if one.shape != other.shape:
        return False
    if one.device.type == "meta":
        return True
    if one.layout is not torch.strided:
        return same_numbers(one.to_dense(), other.to_dense())
    if torch.equal(one, other):
        return True
    return bool(torch.isnan(one).any()) and torch.equal(torch.nan_to_num(one, 7e7), torch.nan_to_num(other, 7e7))


class Snapshot:
    """The value of one tensor before and after the last step of its optimizer."""

    __slots__ = ("after", "before", "previous")

    def __init__(self, tensor: torch.Tensor) -> None:
        self.before: torch.Tensor | None = copy_of(tensor)
        self.after: torch.Tensor | None = None
        self.previous: torch.Tensor | None = None

    def note_before(self, tensor: torch.Tensor) -> tuple[bool, bool]:
        """Before a step: (something wrote it since the last step, it is again what it was before that step)."""
        if is_lazy(tensor):
            return False, False
        written = self.after is not None and not same_numbers(tensor.detach(), self.after)
        now = self.after if self.after is not None and not written else copy_of(tensor)
        lost = written and now is not None and self.before is not None and same_numbers(now, self.before)
        self.previous, self.before, self.after = self.before, now, None
        return written, lost

    def note_step(self, tensor: torch.Tensor) -> tuple[bool, float]:
        """After a step: (it changed the value, 2-norm of the change)."""
        now = copy_of(tensor)
        if now is None or self.before is None:
            self.after = now
            return True, math.nan
        size = _distance(now, self.before) if _is_dense(now) and _is_dense(self.before) else math.nan
        # Where that is a number above 0, no element is NaN and some have changed: nothing has to be compared.
        changed = (math.isfinite(size) and size > 0) or not same_numbers(now, self.before)
        self.after = now if changed else self.before
        if not changed:
            return False, 0.0
        return True, size if _is_dense(now) else _distance(now, self.before)


def _is_dense(tensor: torch.Tensor) -> bool:
    numbers = tensor.is_floating_point() or tensor.is_complex()
    return numbers and tensor.layout is torch.strided and not tensor.is_nested and tensor.device.type != "meta"


def _distance(now: torch.Tensor, before: torch.Tensor) -> float:
    """The 2-norm of the difference; NaN where there is none. It is finite as long as the step made no finite number NaN
    or infinite: what was no finite number before the step does not count."""
    if now.shape != before.shape or now.dtype != before.dtype:
        return math.nan
    moved = (now - before).flatten()
    size = float(torch.linalg.vector_norm(moved.abs().float() if moved.is_complex() else moved.float()))
    if math.isfinite(size):
        return size
    counted = torch.isfinite(before).flatten()
    exact = torch.complex128 if moved.is_complex() else torch.float64  # where float32 has no room for a square
    moved = now.flatten()[counted].to(exact) - before.flatten()[counted].to(exact)
    largest = float(moved.abs().max()) if moved.numel() else 0.0
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float(torch.linalg.vector_norm(moved / largest))


def copy_of(tensor: torch.Tensor) -> torch.Tensor | None:
    """A detached copy, or None of what has no numbers yet (lazy parameters)."""
    if is_lazy(tensor):
        return None
    return local_part(tensor.detach()).clone()


def local_part(tensor: torch.Tensor) -> torch.Tensor:
    """The shard of a DTensor that this process steps with; any other tensor as it is.

    Asking a DTensor itself for its numbers is a collective: it waits for ranks that may never ask.
    """
    to_local = getattr(tensor, "to_local", None)
    return to_local() if to_local is not None else tensor


def is_elsewhere(tensor: torch.Tensor) -> bool:
    """Whether the tensor is sharded over processes and this one holds no element of it."""
    return hasattr(tensor, "to_local") and tensor.numel() > 0 and local_part(tensor.detach()).numel() == 0


def number_of(value: object) -> float | None:
    """A learning rate, given as a number or as a tensor of one element."""
    if isinstance(value, torch.Tensor):
        return float(value.detach()) if value.numel() == 1 and value.device.type != "meta" else None
    return float(value) if isinstance(value, int | float) else None
