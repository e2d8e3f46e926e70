"""Lengths that are divided once more than the outputs are shorter than the data: they count the data already."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture import operations
from fxaudit.capture.recording import Op, Record
from fxaudit.judge.trail import project_stack
from fxaudit.program.births import Births
from fxaudit.program.tree import Tree, assignments_behind, tree_of

__all__ = ["Besides", "divided_besides"]

MAX_BEHIND = 256
"""So many values are gone back from the outputs to the data."""
MAX_DIVISIONS = 4
TRIMMED = 2
"""By so many steps, less one, outputs are longer or shorter than the quotient, as convolutions without padding are."""


@dataclass(frozen=True, slots=True)
class Besides:
    """A division of lengths that nothing the model does to the data corresponds to."""

    place: tuple[str, int]
    by: float
    rightly: float
    """By what the other divisions divide: so much shorter than the data the outputs are."""


@dataclass(frozen=True, slots=True)
class _Division:
    place: tuple[str, int]
    by: float
    cuts_off: bool
    is_of_python: bool


def divided_besides(record: Record, index: int, outputs: int, lengths: int) -> Besides | None:
    """The one of several divisions of the lengths that an operation is given which is too many, by how long the data
    and its outputs are; None where the others do not tell, or the undivided lengths do not count the data."""
    inputs = record.ops[index].inputs
    if max(outputs, lengths) >= len(inputs):
        return None
    divisions, counted = _divisions(record, inputs[lengths])
    last = record.values[inputs[outputs]].shape[:1]
    if not last or not counted or not 1 < len(divisions) <= MAX_DIVISIONS:
        return None
    batch = record.values[inputs[lengths]].numel
    found = {
        (one, math.prod(other.by for other in kept))
        for size in _sizes(record, inputs[outputs])
        if size != batch
        for own in (_dividing(size, divisions, counted),)
        for number in range(1, len(own))
        for kept in itertools.combinations(own, number)
        if _is_enough(size, last[0], own, kept)
        for one in [one for one in own if one not in kept][:1]
    }
    if len(found) != 1:
        return None
    ((besides, rightly),) = found
    return Besides(besides.place, besides.by, rightly)


def _is_enough(size: int, outputs: int, all_of_them: list[_Division], kept: tuple[_Division, ...]) -> bool:
    """Whether the outputs are as many as these divisions leave of the data, and all of them leave too few."""
    left, all_left = (size / math.prod(one.by for one in some) for some in (kept, all_of_them))
    return abs(left - outputs) < TRIMMED <= outputs - all_left


def _dividing(size: int, divisions: list[_Division], counted: list[float]) -> list[_Division]:
    """The divisions of lengths that count what the data is long by, no more, and not far less: those of tensors, and
    those that Python did before, unless the lengths only count that by them."""
    longest, own = max(counted), [one for one in divisions if one.is_of_python]
    if longest <= size < 2 * (longest + 1):
        return [one for one in divisions if one not in own]
    by, is_below = math.prod(one.by for one in own), all(one.cuts_off for one in own)
    least = longest * by if is_below else (longest - 1) * by + 1
    return divisions if least <= size < 2 * (longest + 1) * by else []


def _divisions(record: Record, vid: int) -> tuple[list[_Division], list[float]]:
    """The divisions from which the lengths come, the nearest first, and the numbers that they were made of."""
    found: list[_Division] = []
    counted: list[float] = []
    queue, seen = [record.values[vid].op], set[int]()
    for made in queue:
        if made < 0 or made in seen or len(seen) > MAX_BEHIND:
            continue
        seen.add(made)
        op = record.ops[made]
        operation, stack = operations.of(op.name), project_stack(record.stacks, op.stack)
        if operation.name in ("div", "floor_divide") and len(op.numbers) == 1 and op.numbers[0] > 1:
            place = (record.stacks.file(stack), record.stacks.line(stack))
            found.append(_Division(place, op.numbers[0], cuts_off=True, is_of_python=False))
        elif operation.reads_python and not op.inputs and op.numbers:
            counted += op.numbers
            found += _of_python(record, op, stack)
        queue += [record.values[source].op for source in op.inputs]
    return found, counted


def _of_python(record: Record, op: Op, stack: int) -> Iterator[_Division]:
    """The divisions by numbers that were seen, in what the call that made the tensor is given, or in the assignments of
    the names that it is given."""
    file, line = record.stacks.file(stack), record.stacks.line(stack)
    tree, births = tree_of(file), Births(record.course)
    for statement, given in _given(tree, line, op.name) if tree is not None else ():
        for node in ast.walk(given):
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.FloorDiv | ast.Div):
                continue
            numbers = births.numbers(file, statement.lineno, node.right)
            if len(numbers) == 1 and numbers[0] > 1:
                cuts_off = isinstance(node.op, ast.FloorDiv)
                yield _Division((file, node.lineno), numbers[0], cuts_off=cuts_off, is_of_python=True)


def _given(tree: Tree, line: int, name: str) -> Iterator[tuple[ast.stmt, ast.AST]]:
    """(statement, expression): what a call of that name on the line is given, and what its names were given."""
    calls = [call for call in tree.calls if call.lineno <= line <= (call.end_lineno or line) and _called(call) == name]
    call = min(calls, key=lambda one: (one.end_lineno or line) - one.lineno, default=None)
    statement = tree.statement(call) if call is not None else None
    if call is None or statement is None:
        return
    yield statement, call
    names = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
    for assignment in assignments_behind(tree.file, line):
        if isinstance(assignment, ast.Assign) and names & {getattr(to, "id", "") for to in assignment.targets}:
            yield assignment, assignment.value


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _sizes(record: Record, vid: int) -> set[int]:
    """How long the data is, in each direction, that the outputs were computed from: what modules were given."""
    sizes: set[int] = set()
    queue, seen = [vid], {vid}
    for current in queue:
        value = record.values[current]
        made = record.ops[value.op] if value.op >= 0 else None
        if not value.requires_grad and value.track < 0 and (made is None or made.module < 0):
            sizes |= set(value.shape) if value.floating else set()
            continue
        fresh = [source for source in (made.inputs if made is not None else ()) if source not in seen]
        seen.update(fresh)
        queue += fresh if len(queue) < MAX_BEHIND else []
    return sizes
