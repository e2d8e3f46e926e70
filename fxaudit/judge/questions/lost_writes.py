"""What is written into a copy of a tensor, and lost: `mask[ids][picks] = True` leaves the mask as it was."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture import operations
from fxaudit.capture.recording import Op, Record
from fxaudit.judge.questions.idle_writes import written_copies
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.judge.vanishing import Vanishing
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["LostWrite", "lost_write"]

MAX_BEHIND = 24
"""So many operations are gone back from where a gradient vanishes."""


@dataclass(frozen=True, slots=True)
class LostWrite:
    """A write that a tensor of constants was to get, and that went into a copy of it."""

    line: SourceLine
    made: SourceLine | None
    """Where the tensor was made, which is still as it was."""
    copied: SourceLine | None
    fix: str


def lost_write(audit: Audit, found: Vanishing) -> LostWrite | None:
    """The write into a copy, where a gradient vanishes by a factor, a mask or a target that was to get it."""
    record = audit.record
    for made in _constants_behind(record, found):
        if not any(_takes(reader) for vid in made.outputs for reader in audit.graph.consumers.get(vid, ())):
            continue
        for copying, write in written_copies(set(made.outputs), record.ops[made.index + 1 :]):
            if (
                write.index > found.bites
                or not _is_read_as_before(audit, made, write)
                or _is_alike(record, made, write)
            ):
                continue
            line = audit.source(_frame_to_edit(record, copying, write))
            by = "an index by a tensor or a list" if operations.of(copying.name).selects else f"`{copying.name}`"
            fix = f"Write into the tensor itself, by one index, or put the copy back: {by} makes a copy."
            if line is not None:
                return LostWrite(line, audit.op_source(made.index), audit.op_source(copying.index), fix)
    return None


def _takes(op: Op) -> bool:
    """Whether it makes a copy, or takes a part."""
    operation = operations.of(op.name)
    return operation.copies or operation.selects or operation.view


def _constants_behind(record: Record, found: Vanishing) -> Iterator[Op]:
    """The operations that made constants, of which the zero factor, or the mask, target or index, was computed."""
    op = record.ops[found.bites] if found.bites >= 0 else None
    if found.origin not in (-1, found.bites):
        queue = [found.origin]
    else:
        read = [record.values[vid] for vid in op.inputs] if op is not None else []
        queue = [value.op for value in read if not value.floating]
    for index in queue:
        if index < 0:
            continue
        maker = record.ops[index]
        if operations.of(maker.name).fresh in ("zeros", "numbers") and not maker.mutates:
            yield maker
        behind = [record.values[vid].op for vid in maker.inputs if not record.values[vid].requires_grad]
        queue += [other for other in behind if other not in queue] if len(queue) < MAX_BEHIND else []


def _is_read_as_before(audit: Audit, made: Op, write: Op) -> bool:
    """Whether the next that reads the tensor finds nothing of the write: it shares no memory with what was written."""
    readers = (op for vid in made.outputs for op in audit.graph.consumers.get(vid, ()) if op.index > write.index)
    following = next(readers, None)
    return following is not None and set(write.outputs).isdisjoint(following.inputs)


def _is_alike(record: Record, made: Op, write: Op) -> bool:
    """Whether what is written is the number that is there anyway."""
    is_filled = operations.of(write.name).fresh
    if is_filled and is_filled == operations.of(made.name).fresh == "zeros":
        return True
    file, line = record.stacks.file(write.stack), record.stacks.line(write.stack)
    tree = tree_of(file)
    match tree.statement_at(line) if tree is not None else None:
        case ast.Assign(targets=[ast.Subscript()], value=given):
            pass
        case ast.Expr(value=ast.Call(func=ast.Attribute(), args=[*_, given])):
            pass
        case _:
            return False
    sights = record.course.at(file, line)
    value = evaluated(given, sights[-1].read if sights else {})
    if value is NOT_KNOWN or not isinstance(value, int | float):
        return False
    is_zeros = operations.of(made.name).fresh == "zeros"
    return float(value) in ({0.0} if is_zeros else {1.0} if "ones" in made.name else set(made.numbers))


def _frame_to_edit(record: Record, copying: Op, write: Op) -> int:
    """The frame of the call that was given the copy to write into, where it is made there; else that of the write."""
    stacks = record.stacks
    own = project_stack(stacks, write.stack)
    copied = project_stack(stacks, copying.stack)
    places = [(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(own)]
    return copied if (stacks.file(copied), stacks.line(copied)) in places[1:] else own
