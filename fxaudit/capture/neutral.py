"""Neutral forms: what a call is replaced by in a replay, so that it lets gradient pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from fxaudit.capture import operations
from fxaudit.program.source import StackTable, displayed_path

__all__ = ["Neutralizer"]

_SCALES = ("alpha", "beta", "value")
"""What torch calls the numbers by which it scales the terms of a sum."""


def _one_for_zero(given: Any) -> Any:
    return 1 if isinstance(given, int | float) and given == 0 and given is not False else given


def _alive(made: Any) -> Any:
    """Ones where zeros were made."""
    is_zero = isinstance(made, torch.Tensor) and not made.is_meta and not bool(made.any())
    return torch.ones_like(made) if is_zero else made


class Neutralizer:
    """Replaces calls on the given lines: what cuts returns its input, a factor of zero becomes one."""

    def __init__(self, stacks: StackTable, lines: set[tuple[str, int]]) -> None:
        self.stacks = stacks
        self.lines = lines

    def covers(self, stack: int) -> bool:
        """Whether any frame of the stack stands on one of the lines."""
        return any(
            (displayed_path(self.stacks.file(i)), self.stacks.line(i)) in self.lines for i in self.stacks.chain(stack)
        )

    def __call__(
        self, name: str, stack: int, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call `func`, or its neutral form where it stands on one of the lines."""
        if not self.covers(stack):
            return func(*args, **kwargs)
        first = args[0] if args else next(iter(kwargs.values()), None)
        operation = operations.of(name)
        if name == "new_tensor":
            return args[1] if len(args) > 1 and isinstance(args[1], torch.Tensor) else func(*args, **kwargs)
        if operation.is_neutral_without and isinstance(first, torch.Tensor) and first.requires_grad:
            return first.clone() if operation.in_place else first
        if (operation.fresh or operation.reads_python) and not operation.in_place:
            return _alive(func(*args, **kwargs))
        if name == "where" and len(args) == 3:
            alive = [a for a in args[1:] if isinstance(a, torch.Tensor) and a.requires_grad]
            if len(alive) == 1 and alive[0].shape == args[0].shape:
                return alive[0]
        if operation.scaled:
            keys = _SCALES if operation.sums else (*_SCALES, "other", "weight")
            args = args if operation.sums else tuple(map(_one_for_zero, args))
            kwargs = {key: _one_for_zero(given) if key in keys else given for key, given in kwargs.items()}
        if name == "apply" and len(args) > 1 and callable(args[0]) and type(args[1]) is bool:
            return args[0](*args[2:])  # a reentrant checkpoint: (function, preserve_rng_state, *inputs)
        return func(*args, **kwargs)

    def keeps_gradients(self, stack: int) -> bool:
        """Whether the no-grad region opened at `stack` is to be entered without effect."""
        return self.covers(stack)
