"""Where a value goes that nobody uses. Shared by the rules on what the loss does not depend on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fxaudit.capture.recording import Op
from fxaudit.judge.graph import UnusedValue
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import binding_stack, project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.handing import collects
from fxaudit.program.names import ingredients
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import (
    NextRound,
    Rebound,
    binding_of,
    decides,
    drops_call,
    is_only_returned,
    position_bound,
    rebinding_of,
    rebound_by_the_next_round,
    returned_as,
    tree_of,
)

__all__ = ["Rebinding", "before_logging", "bound", "lost_to_the_next_round", "thrown_away"]


@dataclass(frozen=True, slots=True)
class Rebinding:
    """The statement that gives a name another value before the old one was used."""

    source: SourceLine
    name: str
    is_to_edit: bool
    """Whether it mentions the old value, for its shape say, or is made from the same things as that: then it is the
    statement to edit."""


def before_logging(audit: Audit, state: ParameterState, end: UnusedValue) -> UnusedValue:
    """The end before what a library makes of the value to show it: `self.log("loss", loss)` copies the number."""
    record, stacks = audit.record, audit.record.stacks
    carried = audit.graph.carried([state.index])
    while is_library(stacks.file(record.ops[end.op].stack)):
        own = project_stack(stacks, record.ops[end.op].stack)
        if (
            own < 0
            or is_library(stacks.file(own))
            or binding_of(stacks.file(own), stacks.line(own)).kind != "discarded"
        ):
            break
        given = [record.values[vid] for vid in record.ops[end.op].inputs if vid in carried]
        made = [value for value in given if value.op >= 0 and value.track < 0]
        if not made:
            break
        last = max(made, key=lambda value: value.op)
        end = replace(end, value=last.index, op=last.op)
    return end


def bound(audit: Audit, state: ParameterState, end: UnusedValue) -> int:
    """The frame in which the value was last given a name, or put into a collection of which the loss uses the rest.

    What only goes into a log does not count as a use. A statement that drops the very result of the operation is a dead
    end of its own.
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
        if collects(file, line) and (_is_used_in_another_round(audit, op) or _another_is_used(audit, op, stack)):
            return stack
        values = [record.values[vid] for vid in op.inputs if vid in carried]
        before = [value.op for value in values if value.op >= 0 and value.track < 0]
        if not before:
            break
        op = record.ops[max(before)]
    return first


def _is_used_in_another_round(audit: Audit, op: Op) -> bool:
    """Whether the loss is computed from what the same line made another time."""
    return (op.stack, op.name) in audit.graph.carrying_calls


def _another_is_used(audit: Audit, op: Op, stack: int) -> bool:
    """Whether the loss is computed from what another function gave to the same line in the same call."""
    stacks = audit.record.stacks
    place = (stacks.codes[stack], stacks.line(stack), stacks.parents[stack])
    for other, _ in audit.graph.carrying_calls:
        if other == op.stack or stacks.codes[other] is stacks.codes[op.stack]:
            continue
        above = binding_stack(stacks, other)
        if (stacks.codes[above], stacks.line(above), stacks.parents[above]) == place:
            return True
    return False


def thrown_away(audit: Audit, stack: int) -> Rebinding | None:
    """What takes the place of the value bound in the frame `stack`, if its name is given another one unused.

    The value may be returned, alone or as a part of something, and be thrown away by a caller.
    """
    stacks = audit.record.stacks
    ran = audit.record.ran()
    is_whole, positions = True, frozenset[int]()
    for frame in stacks.chain(stack):
        file, line = stacks.file(frame), stacks.line(frame)
        found = rebinding_of(file, line, ran.of(file))
        is_it = (
            found is not None and not found.name.startswith("_") and position_bound(file, line, found.name) in positions
        )
        is_asked = found is not None and (is_whole or is_it or found.reads_old)
        if found is not None and is_asked and _goes_on_without(audit, frame, found, is_whole or is_it):
            to_edit = found.reads_old or is_it or _starts_again(file, line, found.line)
            return Rebinding(source_at(file, found.line), found.name, to_edit)
        positions = returned_as(file, line) if is_whole else frozenset()
        is_whole = is_whole and is_only_returned(file, line)
    return None


def lost_to_the_next_round(audit: Audit, end: UnusedValue, stack: int) -> NextRound | None:
    """The name bound in the frame `stack` to which the next round of a loop gives another value before it is read, if
    what the last round gave it is used."""
    stacks = audit.record.stacks
    if stack < 0 or (stacks.file(stack), stacks.line(stack)) not in _used_bindings(audit, audit.record.ops[end.op]):
        return None
    return rebound_by_the_next_round(stacks.file(stack), stacks.line(stack))


def _used_bindings(audit: Audit, op: Op) -> set[tuple[str, int]]:
    """The statements that bind what the loss is computed from, of the functions that the operation ran in."""
    stacks = audit.record.stacks
    codes = {stacks.codes[frame] for frame in stacks.chain(op.stack)}
    used = {frame for stack, _ in audit.graph.carrying_calls for frame in stacks.chain(stack)}
    return {(stacks.file(frame), stacks.line(frame)) for frame in used if stacks.codes[frame] in codes}


def _starts_again(file: str, line: int, again: int) -> bool:
    """Whether the later statement reads something that the earlier is made from, in the place of what that made."""
    tree = tree_of(file)
    one, other = (tree.statement_at(at) if tree is not None else None for at in (line, again))
    return one is not None and other is not None and bool(ingredients(one) & ingredients(other))


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
