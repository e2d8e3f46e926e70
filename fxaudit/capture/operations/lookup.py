"""The row of an operation, by whatever name it was called."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace

from fxaudit.capture.operations.asking import ASKING
from fxaudit.capture.operations.elements import ELEMENTS
from fxaudit.capture.operations.layers import LAYERS
from fxaudit.capture.operations.making import MAKING
from fxaudit.capture.operations.operation import Operation
from fxaudit.capture.operations.shapes import SHAPES
from fxaudit.capture.operations.whole import WHOLE

__all__ = ["OPERATIONS", "of", "plain_name"]

OPERATIONS = (*ELEMENTS, *SHAPES, *LAYERS, *WHOLE, *MAKING, *ASKING)

REFLECTED = frozenset("add mul matmul and or xor".split())
"""Operators for which it is the same whether the tensor stands on the left or on the right."""
PREFIXES = ("_foreach_", "special_")
"""What torch puts before the name of the same operation on lists, and of some functions of one number."""


def _forms(row: Operation) -> Iterator[str]:
    """The names of an operation; those of its form in place follow from them."""
    yield row.name
    yield from row.also
    for operator in row.operator.split():
        yield from (operator, f"__{operator}__")
        if operator in REFLECTED:
            yield from (f"r{operator}", f"__r{operator}__")
    yield from (f"__{name}__" for name in (row.name, *row.also) if name[0] == "r" and name[1:] in OPERATORS)


OPERATORS = frozenset(operator for row in OPERATIONS for operator in row.operator.split())
_ROWS = {form: row for row in OPERATIONS for form in _forms(row)}


@functools.cache
def of(name: str) -> Operation:
    """What is known of the operation called `name`, in whatever form of it.

    Example:
        >>> of("multiply_").name, of("multiply_").in_place, of("__rmul__").factors, of("frobnicate").gradient
        ('mul', True, True, 'unknown')
    """
    row = _ROWS.get(name)
    if row is not None:
        return replace(row, in_place=True) if _is_in_place(row.name) and not row.in_place else row
    base = _base(name)
    if base != name:
        row = of(base)
        return replace(row, in_place=row.in_place or _is_in_place(name))
    return Operation(name, gradient="unknown", is_known=False)


def plain_name(name: str) -> str:
    """The name that all forms of an operation share.

    Example:
        >>> [plain_name(name) for name in ("multiply_", "__imul__", "__rmul__", "__rsub__", "relu_", "__getitem__")]
        ['mul', 'mul', 'mul', 'rsub', 'relu', '__getitem__']
    """
    return of(name).name


def _is_in_place(name: str) -> bool:
    operator = name.strip("_")
    if operator[:1] == "i" and operator[1:] in OPERATORS:
        return True
    return name.endswith("_") and not name.endswith("__")


def _base(name: str) -> str:
    """The name of which this one is a form."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    operator = name.strip("_")
    if operator[:1] == "i" and operator[1:] in OPERATORS:
        return operator[1:]
    if name.endswith("_") and not name.endswith("__"):
        return name[:-1]
    return name
