"""Neutral forms: what a call is replaced by in a replay, so that it lets gradient pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from fxaudit.program.source import StackTable, displayed_path

__all__ = ["Neutralizer"]

_PASS_ON = frozenset(
    {"detach", "detach_", "data", "tensor", "as_tensor", "asarray", "dropout", "dropout_", "alpha_dropout",
     "feature_dropout", "relu", "relu_", "round", "sign", "tanh", "sigmoid", "clamp", "hardtanh", "softmax", "floor",
     "ceil", "trunc", "masked_fill", "masked_fill_", "zero_"}
)  # fmt: skip
_ZEROS = frozenset({"zeros", "zeros_like", "new_zeros"})


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
        if name in _PASS_ON and isinstance(first, torch.Tensor) and first.requires_grad:
            return first.clone() if name in ("detach_", "dropout_", "relu_") else first
        if name == "new_tensor" and len(args) > 1 and isinstance(args[1], torch.Tensor):
            return args[1]
        if name in _ZEROS:
            return torch.ones_like(func(*args, **kwargs))
        if name == "where" and len(args) == 3:
            alive = [a for a in args[1:] if isinstance(a, torch.Tensor) and a.requires_grad]
            if len(alive) == 1 and alive[0].shape == args[0].shape:
                return alive[0]
        if name in ("mul", "__mul__", "__rmul__", "multiply") and len(args) == 2:
            numbers = [a for a in args if isinstance(a, int | float) and a == 0]
            tensors = [a for a in args if isinstance(a, torch.Tensor)]
            if numbers and tensors:
                return tensors[0] * 1.0
        if name == "apply" and len(args) > 1 and callable(args[0]) and type(args[1]) is bool:
            return args[0](*args[2:])  # a reentrant checkpoint: (function, preserve_rng_state, *inputs)
        return func(*args, **kwargs)

    def keeps_gradients(self, stack: int) -> bool:
        """Whether the no-grad region opened at `stack` is to be entered without effect."""
        return self.covers(stack)
