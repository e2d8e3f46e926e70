"""Operations as programs write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fxaudit.answer.finding import PathStep

__all__ = ["operation", "step_name"]

_WRITTEN = {
    "getitem": "[]",
    "setitem": "[] =",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "add": "+",
    "radd": "+",
    "iadd": "+=",
    "sub": "-",
    "rsub": "-",
    "isub": "-=",
    "mul": "*",
    "rmul": "*",
    "imul": "*=",
    "truediv": "/",
    "rtruediv": "/",
    "rdiv": "/",
    "div": "/",
    "itruediv": "/=",
    "idiv": "/=",
    "floordiv": "//",
    "rfloordiv": "//",
    "mod": "%",
    "rmod": "%",
    "pow": "**",
    "rpow": "**",
    "ipow": "**=",
    "matmul": "@",
    "rmatmul": "@",
    "imatmul": "@=",
    "and": "&",
    "or": "|",
    "xor": "^",
    "invert": "~",
    "neg": "-",
    "contains": "in",
    "array": "numpy()",
    "float": "float()",
    "int": "int()",
    "bool": "bool()",
    "index": "int()",
    "complex": "complex()",
    "len": "len()",
    "abs": "abs()",
}
"""How Python writes the methods behind operators and built-in functions."""


def operation(name: str) -> str:
    """An operation as programs write it: `[]` for `__getitem__`, `.data =` for `data.__set__`.

    Example:
        >>> operation("__getitem__"), operation("data.__set__"), operation("layer_norm")
        ('[]', '.data =', 'layer_norm')
    """
    attribute, dot, access = name.rpartition(".")
    if dot and access in ("__set__", "__get__", "__delete__"):
        return f"{'del ' * (access == '__delete__')}.{attribute}{' =' * (access == '__set__')}"
    if name == "data":
        return ".data"
    if name.startswith("__") and name.endswith("__"):
        return _WRITTEN.get(name[2:-2], name)
    return name


def step_name(step: PathStep) -> str:
    """What a station of a path is called; names of parameters and losses stay as they are."""
    return operation(step.label) if step.kind in ("operation", "cut", "python") else step.label
