"""What computes of numbers what a function of tensors was asked of sizes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

__all__ = ["ON_SIZES"]

_NAMES = ("add", "sub", "mul", "floordiv", "mod", "pow")

ON_SIZES: dict[str, tuple[Callable[..., Any], bool]] = {
    **{name: (getattr(operator, name), False) for name in (*_NAMES, "neg", "abs")},
    **{f"__{name}__": (getattr(operator, name), False) for name in (*_NAMES, "neg", "truediv", "getitem")},
    **{f"__r{name}__": (getattr(operator, name), True) for name in (*_NAMES, "truediv")},
    "div": (operator.truediv, False),
    "true_divide": (operator.truediv, False),
    "floor_divide": (operator.floordiv, False),
    "remainder": (operator.mod, False),
    "rsub": (operator.sub, True),
    "sqrt": (math.sqrt, False),
}
"""Functions of tensors that are called on sizes → the one of numbers, and whether its operands are swapped."""
