"""The regions without gradients that are open, and the lines that opened them."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any

import torch

from fxaudit.program.source import StackTable, variables_of

__all__ = ["GradModes"]

Stack = Callable[[FrameType | None], int]

_CONTEXT_METHODS = frozenset({"__init__", "__enter__", "__exit__", "__call__"})
_LEAVING = frozenset({"__exit__", "__call__"})
"""`set_grad_enabled(…)` has switched already when it turns out to be a decorator, and takes that back in `__call__`."""


class GradModes:
    """`region` is the line that opened the innermost region, -1 outside of all.

    `stack` makes a stack of a frame; it is given with each call and not kept, as it belongs to what keeps this.
    """

    def __init__(self, stacks: StackTable) -> None:
        self.region = -1
        self._regions: dict[int, int] = {}
        """`id` of a context manager of the grad mode → the region in which it was entered."""
        self._stacks = stacks

    def changed(self, frame: FrameType | None, before: bool, after: bool, stack: Stack) -> None:
        """Gradients went from `before` to `after`, by code running in `frame`.

        Each context manager puts back the region that it found, in whatever order they are left: an `enable_grad` or
        `inference_mode(False)` inside a region does not end it.
        """
        method = frame.f_code.co_name if frame is not None else ""
        context = id(variables_of(frame).get("self")) if frame is not None and method in _CONTEXT_METHODS else None
        if context is not None and method in _LEAVING:
            outer = self._regions.pop(context, self.region)
            self.region = -1 if after else outer if outer >= 0 else self.opener(frame, stack)
            return
        is_known = method == "__enter__" and _is_set_at_once(frame) and context in self._regions
        if context is not None and not is_known:
            self._regions[context] = self.region
        if after:
            self.region = -1
        elif before or self.region < 0:
            self.region = self.opener(frame, stack)

    def opener(self, frame: FrameType | None, stack: Stack) -> int:
        """The line that opened a region from `frame`: the decorated function's decorator, or the user's own line."""
        inner = frame
        while inner is not None and self._stacks.skips(inner.f_code):
            if inner.f_code.co_name in ("decorate_context", "generator_context"):
                code = getattr(_innermost(variables_of(inner).get("func")), "__code__", None)
                if code is not None:
                    return self._stacks.definition(code, stack(inner.f_back))
            inner = inner.f_back
        return stack(frame)


def _is_set_at_once(frame: FrameType | None) -> bool:
    """Whether the context manager switched when it was made, and is only entered now: `with set_grad_enabled(…)`."""
    return frame is not None and isinstance(variables_of(frame).get("self"), torch.set_grad_enabled)


def _innermost(function: Any) -> Any:
    """The function that all decorators over it wrap; one that does not say what it wraps is taken for it."""
    for _ in range(32):
        inner = getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    return function
