"""A gradient that the program writes itself, as a difference, and that is zero because nothing was copied."""

from __future__ import annotations

from fxaudit.capture import operations
from fxaudit.capture.recording import Fact, Op
from fxaudit.judge.rule import Audit
from fxaudit.program.source import SourceLine

__all__ = ["difference_of_one"]

Lines = list[tuple[SourceLine | None, str]]
FACT = Fact(
    "the program writes a difference into it, of the same memory with itself",
    "Copy what is kept from before, with `.clone()` or `copy.deepcopy(…)`: as it is, it changes with the parameter.",
)


def difference_of_one(audit: Audit, written: int) -> tuple[SourceLine | None, Lines, Fact] | None:
    """Where what a difference takes away was taken from a parameter, without a copy, if the parameter itself is what it
    is taken away from, and the gradient that was written in the frame `written` is computed from that."""
    source = audit.source(written)
    for op in reversed(_behind(audit, written)):
        if not operations.of(op.name).subtracts or len(op.inputs) < 2:
            continue
        (one, first), (other, second) = (_memory(audit, value) for value in op.inputs[:2])
        if one < 0 or one != other or first == second:
            continue
        taken = audit.op_source(min(first, second))
        line = audit.op_source(op.index)
        told = [(line, "taken away from itself here"), (source, "and written as a gradient here")]
        return (taken, told, FACT) if taken is not None else None
    return None


def _behind(audit: Audit, written: int) -> list[Op]:
    """The operations from which what was computed in the frame, before it wrote the gradient, comes."""
    stacks, ops, values = audit.record.stacks, audit.record.ops, audit.record.values
    place = (stacks.file(written), stacks.line(written))
    queue = [op for op in ops if op.stack >= 0 and (stacks.file(op.stack), stacks.line(op.stack)) == place][:1]
    seen: dict[int, Op] = {}
    while queue:
        op = queue.pop()
        if op.index not in seen:
            seen[op.index] = op
            queue += [ops[values[vid].op] for vid in op.inputs if values[vid].op >= 0 and values[vid].track < 0]
    return [seen[index] for index in sorted(seen)]


def _memory(audit: Audit, vid: int) -> tuple[int, int]:
    """(the parameter whose memory a value shares, the operation that first took it from there); -1 for none."""
    values, ops, taken = audit.record.values, audit.record.ops, -1
    while values[vid].track < 0 and values[vid].op >= 0:
        op = ops[values[vid].op]
        kind = operations.of(op.name)
        if not op.inputs or kind.selects or not (kind.view or kind.detaches):
            return -1, -1
        vid, taken = op.inputs[0], op.index
    return values[vid].track, taken
