"""Where a value goes that nobody uses. Shared by the rules on what the loss does not depend on."""

from __future__ import annotations

from dataclasses import dataclass

from fxaudit.blame import binding_stack, source_at
from fxaudit.graph import DeadEnd
from fxaudit.rule import Audit
from fxaudit.source import SourceLine
from fxaudit.syntax import Rebound, binding_of, decides, drops_call, is_only_returned, rebinding_of
from fxaudit.verdict import ParameterState

__all__ = ["Rebinding", "bound", "thrown_away"]


@dataclass(frozen=True, slots=True)
class Rebinding:
    """The statement that gives a name another value before the old one was used."""

    source: SourceLine
    reads_old: bool
    """Whether it mentions the old value, for its shape say: then it is the statement to edit."""


def bound(audit: Audit, state: ParameterState, end: DeadEnd) -> int:
    """The frame in which the value was last given a name: what only goes into a log does not count as a use.

    A statement that drops the very result of the operation is a dead end of its own.
    """
    record, stacks = audit.record, audit.record.stacks
    carried = audit.graph.carried([state.index])
    op = record.ops[end.op]
    first = binding_stack(stacks, op.stack)
    for _ in range(10):
        stack = binding_stack(stacks, op.stack)
        file, line = stacks.file(stack), stacks.line(stack)
        kind = binding_of(file, line).kind
        if decides(file, line):
            return stack
        if kind == "assigned" or op.custom or (kind == "discarded" and drops_call(file, line, op.name)):
            return stack
        values = [record.values[vid] for vid in op.inputs if vid in carried]
        before = [value.op for value in values if value.op >= 0 and value.track < 0]
        if not before:
            break
        op = record.ops[max(before)]
    return first


def thrown_away(audit: Audit, stack: int) -> Rebinding | None:
    """What takes the place of the value bound in the frame `stack`, if its name is given another one unused.

    The value may be returned, alone or as a part of something, and be thrown away by a caller.
    """
    stacks = audit.record.stacks
    ran = stacks.lines_seen()
    is_whole = True
    for frame in stacks.chain(stack):
        file, line = stacks.file(frame), stacks.line(frame)
        found = rebinding_of(file, line, ran.get(file, set()))
        if found is not None and (is_whole or found.reads_old) and _goes_on_without(audit, frame, found, is_whole):
            return Rebinding(source_at(file, found.line), found.reads_old)
        is_whole = is_whole and is_only_returned(file, line)
    return None


def _goes_on_without(audit: Audit, frame: int, found: Rebound, is_whole: bool) -> bool:
    """Whether the loss depends on what ran in the lines of `found`, and nothing there read what `frame` had made.

    Where what `frame` hands on `is_whole` the value in question no more, the lines must have read no tensor at all.
    """
    stacks = audit.record.stacks
    place = (stacks.codes[frame], stacks.parents[frame])
    old, new = [], []
    for op in audit.graph.ops:
        for above in stacks.chain(op.stack):
            if (stacks.codes[above], stacks.parents[above]) == place:
                if stacks.line(above) == stacks.line(frame):
                    old.append(op)
                elif found.line <= stacks.line(above) <= found.last:
                    new.append(op)
                break
    made = {out for op in old for out in op.outputs}
    own = {out for op in new for out in op.outputs}
    read = {vid for op in new for vid in op.inputs}
    return bool(own & audit.graph.reaching) and not (read & made) and (is_whole or read <= own)
