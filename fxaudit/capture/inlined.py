"""Comprehensions that run in the frame of the function around them, as they do from Python 3.12 on (PEP 709).

They have no frame and no call of their own that Python would tell of: their instructions are found in the code instead.
"""

from __future__ import annotations

import ast
import dis
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from fxaudit.program.source import of_text
from fxaudit.program.tree import tree_of

__all__ = ["Inlined", "inlined_in"]

NAMES = {"LIST_APPEND": "<listcomp>", "SET_ADD": "<setcomp>", "MAP_ADD": "<dictcomp>"}
"""What puts an element into the result → how the comprehension's own code was called before."""
_APPENDING = frozenset(dis.opmap[name] for name in NAMES)

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp


@dataclass(frozen=True, eq=False, slots=True)
class Inlined:
    """One comprehension in the code of a function."""

    code: CodeType
    name: str
    line: int
    first: int
    """The instruction that makes the empty result: what is gone through has been computed."""
    last: int
    """The instruction from which the next round begins."""
    parts: dict[int, int]
    """The instruction at which a test or the element begins to be computed → its line."""


def inlined_in(code: CodeType) -> tuple[Inlined, ...]:
    """The comprehensions that run in frames of `code`, outer ones first."""
    if _APPENDING.isdisjoint(code.co_code[::2]):
        return ()
    steps = [*dis.get_instructions(code)]
    found = (_inlined(code, steps, index) for index, step in enumerate(steps) if step.opname in NAMES)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.first))


def _inlined(code: CodeType, steps: Sequence[dis.Instruction], index: int) -> Inlined | None:
    """The comprehension whose elements the instruction at `index` puts into the result."""
    put, back = steps[index], steps[index + 1]
    node = _comprehensions(code.co_filename).get(_start(put))
    if node is None or back.opname != "JUMP_BACKWARD":
        return None
    around = (node.lineno, node.col_offset)
    first = index
    while first >= 0 and not (steps[first].opname.startswith("BUILD_") and _start(steps[first]) == around):
        first -= 1
    if first < 0:
        return None
    return Inlined(
        code, NAMES[put.opname], node.lineno, steps[first].offset, back.offset, _parts(node, steps[first : index + 1])
    )


def _parts(node: Comprehension, steps: Sequence[dis.Instruction]) -> dict[int, int]:
    """The first of the instructions that compute the element, and those of the tests; of one line the first only."""
    element = node.key if isinstance(node, ast.DictComp) else node.elt
    end = node.value if isinstance(node, ast.DictComp) else node.elt
    spans = [(*_span(test, test), test.lineno) for generator in node.generators for test in generator.ifs]
    spans.append((*_span(element, end), end.lineno))
    found: dict[int, int] = {}
    for step in steps:
        place = _start(step)
        for start, stop, line in spans:
            if start <= place < stop and line not in found.values() and "JUMP" not in step.opname:
                found[step.offset] = line
                break
    return found


def _span(first: ast.expr, last: ast.expr) -> tuple[tuple[int, int], tuple[int, int]]:
    return (first.lineno, first.col_offset), (last.end_lineno or 0, last.end_col_offset or 0)


def _start(step: dis.Instruction) -> tuple[int, int]:
    """Line and column at which what the instruction belongs to begins; (0, 0) where it belongs to nothing."""
    place: Any = getattr(step, "positions", None)
    return ((place.lineno or 0), (place.col_offset or 0)) if place is not None else (0, 0)


@of_text
def _comprehensions(file: str) -> dict[tuple[int, int], Comprehension]:
    """Where an element begins → the comprehension that computes it."""
    tree = tree_of(file)
    found: dict[tuple[int, int], Comprehension] = {}
    for node in tree.parents if tree is not None else ():
        match node:
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.DictComp(key=element):
                found[element.lineno, element.col_offset] = node
    return found
