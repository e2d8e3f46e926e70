"""The numbers that a frame's variables hold, as plain data: what a factor was when it was multiplied with."""

from __future__ import annotations

from types import FrameType
from typing import Any

import torch

from fxaudit.capture.unheard import UnheardByModes
from fxaudit.capture.values import number_of
from fxaudit.program.source import is_skipped, variables_of

__all__ = ["numbers_seen"]

MAX_ENTRIES = 64
"""Of longer dicts nothing is kept; of lists and tuples an eighth of that."""


def numbers_seen(frame: FrameType | None) -> dict[str, object]:
    """The variables of the innermost frame of somebody's code that are numbers, or hold some: lists, dicts, `self`."""
    while frame is not None and is_skipped(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return {}
    with UnheardByModes():
        found = {name: _plain(value, 0) for name, value in variables_of(frame).items()}
        owner = getattr(variables_of(frame).get("self"), "__dict__", None)
        if isinstance(owner, dict):
            found["self"] = {name: _plain(value, 1) for name, value in owner.items()}
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: Any, depth: int) -> object:
    """A number, a tensor of one number, or a small collection of such; None for all else."""
    if type(value) in (int, float):
        return value
    if type(value) in (torch.Tensor, torch.nn.Parameter):
        try:
            return number_of(value) if not value.ndim and not value.is_complex() else None
        except (RuntimeError, NotImplementedError, TypeError):  # a functorch wrapper cannot be looked into
            return None
    if type(value) in (list, tuple) and len(value) <= MAX_ENTRIES // 8 and depth < 2:
        return tuple(_plain(part, depth + 1) for part in value)
    if isinstance(value, dict) and len(value) <= MAX_ENTRIES and depth < 2:
        return {key: _plain(part, depth + 1) for key, part in value.items() if type(key) is str}
    return None
