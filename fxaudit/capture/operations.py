"""One name for each torch operation, whatever form of it was called.

`x.mul_(2)`, `x *= 2`, `2 * x`, `torch.multiply(x, 2)` are all `mul`. The in-place and the operator forms follow from
the name; torch's synonyms are listed, as its documentation lists them ("Alias for …").
"""

from __future__ import annotations

import functools

__all__ = ["plain_name"]

SYNONYMS = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "clip": "clamp",
    "concat": "cat",
    "concatenate": "cat",
    "divide": "div",
    "fix": "trunc",
    "ger": "outer",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "moveaxis": "movedim",
    "multiply": "mul",
    "negative": "neg",
    "not_equal": "ne",
    "radd": "add",
    "rmul": "mul",
    "row_stack": "vstack",
    "rtruediv": "div",
    "subtract": "sub",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "trapz": "trapezoid",
    "true_divide": "div",
    "truediv": "div",
}


@functools.cache
def plain_name(name: str) -> str:
    """The operation that is called `name` here.

    Example:
        >>> [plain_name(name) for name in ("multiply_", "__imul__", "__rmul__", "__rsub__", "relu_", "__getitem__")]
        ['mul', 'mul', 'mul', 'rsub', 'relu', '__getitem__']
    """
    bare = name
    if name.startswith("__") and name.endswith("__"):
        bare = name.strip("_")
        if bare.startswith("i") and bare[1:] in OPERATORS:
            bare = bare[1:]
        if bare not in SYNONYMS and bare not in OPERATORS and bare != "rsub":
            return name
    elif name.endswith("_") and not name.endswith("__"):
        bare = name[:-1]
    return SYNONYMS.get(bare, bare)


OPERATORS = frozenset({"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"})
"""The operators of Python that also have an in-place form."""
