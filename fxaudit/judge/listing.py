"""The text of the user's functions in which a step ran: pictures draw the gradient through it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from fxaudit.answer.picture_data import Listing
from fxaudit.capture.recording import Record
from fxaudit.program.source import displayed_path, is_library, read_source
from fxaudit.program.tree import FunctionNode, Tree, tree_of

__all__ = ["listings"]

WHOLE = 12
"""Functions of so many lines are kept as they are; of longer ones, and of a module's own lines, what stands around."""
AROUND = 2
MOST = 600
"""Lines of all listings together."""

Place = tuple[str, int]
Body = tuple[str, FunctionNode | None]


def listings(record: Record, stacks: Iterable[int]) -> tuple[Listing, ...]:
    """The functions of the user's own in which the frames of `stacks` stand, in the order in which they first ran."""
    used: dict[Body, set[int]] = {}
    names: dict[Body, str] = {}
    for (file, line), name in _places(record, stacks).items():
        tree = tree_of(file)
        body = (file, _function_at(tree, line)) if tree is not None else (file, None)
        used.setdefault(body, set()).add(line)
        names.setdefault(body, name if body[1] is not None else "")
    found: list[Listing] = []
    left = MOST
    for (file, function), lines in used.items():
        rows = tuple(_rows(file, function, lines))[:left]
        left -= len(rows)
        if rows:
            found.append(Listing(displayed_path(file), names[file, function], rows))
    return tuple(found)


def _places(record: Record, stacks: Iterable[int]) -> dict[Place, str]:
    """(file, line) → name of the function, for all frames of the user's own, callers before what they call."""
    table = record.stacks
    found: dict[Place, str] = {}
    seen: set[int] = set()
    for stack in stacks:
        for frame in reversed(table.chain(stack)):
            if frame not in seen:
                seen.add(frame)
                if not is_library(table.file(frame)):
                    found.setdefault((table.file(frame), table.line(frame)), table.function(frame))
    return found


def _function_at(tree: Tree, line: int) -> FunctionNode | None:
    statement = tree.statement_at(line)
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return statement
    return tree.function(statement) if statement is not None else None


def _rows(file: str, function: FunctionNode | None, lines: set[int]) -> Iterator[tuple[int, str]]:
    text = read_source(file)
    first, last = (function.lineno, function.end_lineno or function.lineno) if function is not None else (1, len(text))
    whole = function is not None and last - first < WHOLE
    near = {n + step for n in lines for step in range(-AROUND, AROUND + 1)}
    near.update([first] if function is not None else [])
    for number in range(first, min(last, len(text)) + 1):
        if whole or number in near:
            yield number, text[number - 1]
