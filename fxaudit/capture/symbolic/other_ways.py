"""What hinges on a condition that only data decides: the trace is made again with the condition turned.

A parameter whose every way to an output leads through the branch that was taken may be used no more when it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from fxaudit.capture.symbolic.branches import body_at
from fxaudit.capture.symbolic.trace import SymbolicOp, SymbolicTrace
from fxaudit.program.source import SourceLine, actual_path

__all__ = ["MOST_TURNED", "with_hinges"]

MOST_TURNED = 4
"""Conditions that are turned, each by another trace of the whole model."""
Place = tuple[str, int]
"""A file and a line."""


def with_hinges(found: SymbolicTrace, again: Callable[[Place], SymbolicTrace]) -> SymbolicTrace:
    """The trace with what hinges on a condition: the parameters to which an output sends gradient on one side only.

    Args:
        found: A trace that went to its end.
        again: Makes the trace with the condition at a place turned.
    """
    if found.status != "traced" or not found.assumed:
        return found
    reached = _slots(found, found.flow(is_sure=True).carrying)
    result: dict[str, SourceLine] = {}
    turned: list[SourceLine] = []
    for line, inside in _branches(found):
        lost = reached - _slots(found, found.flow(inside, is_sure=True).carrying)
        if not lost or len(turned) == MOST_TURNED:
            continue
        turned.append(line)
        other = again((actual_path(line.file), line.line))
        if other.status == "traced":
            lost -= _slots(other, other.flow(is_sure=True).carrying)
        for slot in lost:
            result.setdefault(slot, line)
    return replace(found, turned=tuple(turned), hinges=result)


def _slots(found: SymbolicTrace, reached: frozenset[int]) -> frozenset[str]:
    reads = (op for op in found.ops if op.kind == "parameter" and op.index in reached)
    return frozenset(op.slot for op in reads if op.slot is not None)


def _branches(found: SymbolicTrace) -> Iterator[tuple[SourceLine, frozenset[int]]]:
    """Each assumed condition, with the operations in the branch that was taken."""
    drawn = {(line.file, line.line) for line in found.drawn}
    places: dict[Place, SourceLine] = {}
    for line in found.assumed:
        if (line.file, line.line) not in drawn:
            places.setdefault((line.file, line.line), line)
    by_line = _by_line(found.ops, {file for file, _ in places})
    for (file, number), line in places.items():
        body = body_at(actual_path(file), number)
        if body is not None:
            inside = {index for at, ops in by_line[file].items() if body[0] <= at <= body[1] for index in ops}
            if inside:
                yield line, frozenset(inside)


def _by_line(ops: Iterable[SymbolicOp], files: set[str]) -> dict[str, dict[int, set[int]]]:
    """File → line → the operations that ran there or below, in the files that are asked about."""
    found: dict[str, dict[int, set[int]]] = {file: {} for file in files}
    for op in ops:
        if op.source is not None and op.kind in ("call", "opaque"):
            for file, line in (
                (op.source.file, op.source.line),
                *((each.file, each.line) for each in op.source.frames),
            ):
                if file in found:
                    found[file].setdefault(line, set()).add(op.index)
    return found
