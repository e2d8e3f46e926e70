"""Zeros that were to be filled in part, and stayed as they were: what selects the part is empty."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.births import Births
from fxaudit.program.course import Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.given import calls_in, given_to
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import assignments_behind, tree_of

__all__ = ["EmptySelection", "empty_selection", "idle_write", "listed_nothing"]

BOUNDS = 2
"""The first two numbers of a range: from and to."""
SELECT = "Give the write something to select, or leave the hook out."
SIZE = "Read this size before the line that changes it."
Lines = list[tuple[SourceLine | None, str]]


@dataclass(frozen=True)
class EmptySelection:
    """Why a mask is zeros: what its only write selects is empty."""

    line: SourceLine
    related: Lines
    help: str


def idle_write(audit: Audit, index: int) -> Op | None:
    """The operation that reads the zeros which the operation makes, and is given nothing by which it selects."""
    record = audit.record
    op = record.ops[index] if index >= 0 else None
    if op is None or operations.of(op.name).fresh != "zeros":
        return None
    readers = (reader for out in op.outputs for reader in audit.graph.consumers.get(out, ()))
    return next((r for r in readers if any(record.values[vid].numel == 0 for vid in r.inputs)), None)


def empty_selection(audit: Audit, vid: int) -> EmptySelection | None:
    """The answer for a mask whose only write selects nothing; None for any other."""
    record = audit.record
    made = record.values[vid].op
    while made >= 0 and record.ops[made].mutates and record.ops[made].inputs:
        made = record.values[record.ops[made].inputs[0]].op
    write = idle_write(audit, made)
    if write is None:
        return None
    empty = next(value for value in map(record.values.__getitem__, write.inputs) if value.numel == 0)
    made_by = record.ops[empty.op] if empty.op >= 0 else None
    line = audit.source(made_by.stack) if made_by is not None else None
    if made_by is None or line is None:
        return None
    related: Lines = [(audit.source(write.stack), "nothing is selected here, and all of it stays 0")]
    late = _read_late(audit, made_by)
    if late is None:
        return EmptySelection(line, related, SELECT)
    selects: Lines = [(line, "what is selected is made here, and empty")]
    return EmptySelection(late, [*selects, *related], SIZE)


def listed_nothing(audit: Audit, vid: int) -> EmptySelection | None:
    """The same where a write selects by a list of Python's that has no member."""
    record = audit.record
    while (made := record.values[vid].op) >= 0 and record.ops[made].mutates and record.ops[made].inputs:
        op = record.ops[made]
        file, line = record.stacks.file(op.stack), record.stacks.line(op.stack)
        tree = tree_of(file)
        match tree.statement_at(line) if tree is not None else None:
            case ast.Assign(targets=[ast.Subscript(slice=ast.Name(id=name))]):
                for sight in record.course.at(file, line):
                    seen = sight.read.get(name)
                    if seen is not None and seen.kind == "list" and not seen.value:
                        return _made_empty(audit, seen.token, audit.source(op.stack))
        vid = op.inputs[0]
    return None


def _made_empty(audit: Audit, token: int, written: SourceLine | None) -> EmptySelection | None:
    """Where a list without a member was made; of a range, where the bound was taken at which it begins."""
    course = audit.record.course
    births = Births(course)
    for sight, target in course.made(token):
        given = given_to(births.statement(sight), target)
        made, where = births.answer(sight, given) if isinstance(given, ast.Call) else None, sight
        related: Lines = [(written, "nothing is selected here, and all of it stays 0")]
        if made is None:
            return EmptySelection(source_at(course.file_of(sight), sight.line), related, SELECT)
        where, returned = made
        line = source_at(course.file_of(where), returned.lineno)
        for begin in (node.args[0] for node in calls_in(ast.Expr(returned)) if _is_empty_range(node, where)):
            number = evaluated(begin, where.read)
            birth = births.back(where, begin, number) if isinstance(number, int) else None
            if birth is not None and birth.text.startswith("len("):
                selects: Lines = [(line, "what is selected is made here, and empty")]
                return EmptySelection(source_at(birth.file, birth.line), [*selects, *related], SIZE)
        return EmptySelection(line, related, SELECT)
    return None


def _is_empty_range(call: ast.Call, sight: Sight) -> bool:
    """Whether it is a range that begins where it ends, or behind."""
    if getattr(call.func, "id", "") != "range" or len(call.args) != BOUNDS:
        return False
    bounds = [evaluated(part, sight.read) for part in call.args]
    known = [bound for bound in bounds if isinstance(bound, int)]
    return isinstance(call.args[0], ast.Name) and known != [] and (len(known) < BOUNDS or known[0] >= known[1])


def _read_late(audit: Audit, op: Op) -> SourceLine | None:
    """Where the lower bound of an empty range is read from an object that had grown to the upper one before."""
    stacks = audit.record.stacks
    file, line = stacks.file(op.stack), stacks.line(op.stack)
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None or len(op.numbers) < BOUNDS or op.numbers[0] != op.numbers[1]:
        return None
    for call in (node for node in ast.walk(statement) if isinstance(node, ast.Call) and len(node.args) >= BOUNDS):
        lower, upper = call.args[:BOUNDS]
        if (
            getattr(call.func, "attr", "") != op.name
            or not isinstance(lower, ast.Name)
            or ast.dump(lower) == ast.dump(upper)
        ):
            continue
        before = [made for made in assignments_behind(file, line) if _reads_a_size(made, lower.id)]
        if before:
            return source_at(file, before[0].lineno)
    return None


def _reads_a_size(statement: ast.stmt, name: str) -> bool:
    """Whether the statement gives the name what an object says of itself: `len(x)`, `x.size(0)`, `x.num_rows`."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=given)], value=ast.Attribute()) if given == name:
            return True
        case ast.Assign(
            targets=[ast.Name(id=given)], value=ast.Call(func=ast.Name(id="len") | ast.Attribute(attr="size"))
        ):
            return given == name
    return False
