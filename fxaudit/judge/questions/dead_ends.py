"""Where a value goes that nobody uses. Shared by the rules on what the loss does not depend on."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.graph import UnusedValue
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import binding_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.names import (
    also_called,
    calls_again,
    handed_to,
    ingredients,
    is_unread,
    part_read_instead,
    repeating,
    siblings_of,
    statements_after,
)
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Rebound, Tree, binding_of, decides, drops_call, is_only_returned, rebinding_of, tree_of

__all__ = ["Rebinding", "bound", "overlooked", "thrown_away"]


@dataclass(frozen=True, slots=True)
class Rebinding:
    """The statement that gives a name another value before the old one was used."""

    source: SourceLine
    reads_old: bool
    """Whether it mentions the old value, for its shape say: then it is the statement to edit."""


def bound(audit: Audit, state: ParameterState, end: UnusedValue) -> int:
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
    ran = audit.record.ran()
    is_whole = True
    for frame in stacks.chain(stack):
        file, line = stacks.file(frame), stacks.line(frame)
        found = rebinding_of(file, line, ran.of(file))
        if found is not None and (is_whole or found.reads_old) and _goes_on_without(audit, frame, found, is_whole):
            return Rebinding(source_at(file, found.line), found.reads_old)
        is_whole = is_whole and is_only_returned(file, line)
    return None


def overlooked(audit: Audit, stack: int) -> list[tuple[SourceLine, str]]:
    """Where the program goes on without the value bound in the frame `stack`: what could have read its name and reads
    another, or a term of the loss that depends on no parameter; (line, role) pairs, the likeliest first.

    The value may be returned, and its name remain unread in a caller.
    """
    stacks = audit.record.stacks
    names: tuple[str, ...] = ()
    inner: tuple[str, int] | None = None
    for frame in stacks.chain(stack):
        place = (stacks.file(frame), stacks.line(frame))
        tree = tree_of(place[0])
        statement = tree.statement_at(place[1]) if tree is not None else None
        if tree is None or statement is None:
            return []
        bound_here = binding_of(*place)
        if inner is None:
            names = bound_here.names
        elif bound_here.kind == "assigned":
            names = tuple(dict.fromkeys(n for name in names for n in handed_to(inner, name, place)))
        elif bound_here.kind == "returned":
            continue
        if not names:
            return []
        for name in names:
            if not name.isidentifier():
                line, text = part_read_instead(tree, statement, name)
                return [(source_at(tree.file, line), f"`{text}` is read here, and `{name}` nowhere")] if line else []
            if is_unread(tree, statement, name):
                return _in_its_place(audit, frame, tree, statement, name)
        inner = place
    return []


def _in_its_place(audit: Audit, frame: int, tree: Tree, statement: ast.stmt, name: str) -> list[tuple[SourceLine, str]]:
    """The statements after the one that binds `name` that may have been meant to read it."""
    ran = audit.record.ran().of(tree.file)
    beside = siblings_of(tree, statement, name)
    later = [
        other
        for other in statements_after(tree, statement)
        if any(other.lineno <= line <= (other.end_lineno or other.lineno) for line in ran)
    ]
    found: list[tuple[SourceLine, str]] = []
    for other in later:
        twice = repeating(other)
        if twice and twice != name:
            found.append((source_at(tree.file, other.lineno), f"`{twice}` is read twice here, and `{name}` nowhere"))
    for other in later:
        if any(_is_idle_term(audit, op) for op in _ops_at(audit, frame, other)):
            found.append((source_at(tree.file, other.lineno), "a term of the loss that no parameter has a part in"))
    for other in later:
        stored = {n.id for n in ast.walk(other) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        if name in stored:
            found.append((source_at(tree.file, other.lineno), f"`{name}` is given another value here, unread"))
    for other in later:
        read = {n.id for n in ast.walk(other) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} & beside
        if read and any(set(op.outputs) & audit.graph.reaching for op in _ops_at(audit, frame, other)):
            found.append((source_at(tree.file, other.lineno), f"`{min(read)}` is used here, and `{name}` nowhere"))
    before = (ingredients(statement) | also_called(tree, statement, name)) - {name}
    for other in later:
        read = ingredients(other) & before
        reaches = any(set(op.outputs) & audit.graph.reaching for op in _ops_at(audit, frame, other))
        if read and (reaches or isinstance(other, ast.Return)):
            made = f"`{name}`, made from it,"
            found.append((source_at(tree.file, other.lineno), f"`{min(read)}` is read here, and {made} nowhere"))
            break
    for other in later:
        called = calls_again(statement, other)
        if called:
            found.append((source_at(tree.file, other.lineno), f"`{called}` is called again, and `{name}` read nowhere"))
    first: dict[int, tuple[SourceLine, str]] = {}
    for source, role in found:
        first.setdefault(source.line, (source, role))
    return list(first.values())[:2]


def _ops_at(audit: Audit, frame: int, statement: ast.stmt) -> list[Op]:
    """The operations that ran in a statement of the function running in `frame`, in the same call of it."""
    stacks = audit.record.stacks
    place = (stacks.codes[frame], stacks.parents[frame])
    last = statement.end_lineno or statement.lineno
    return [
        op
        for op in audit.graph.ops
        if any(
            (stacks.codes[above], stacks.parents[above]) == place and statement.lineno <= stacks.line(above) <= last
            for above in stacks.chain(op.stack)
        )
    ]


def _adds(op: Op) -> bool:
    operation = operations.of(op.name)
    return operation.sums or operation.totals or operation.name == "stack"


def _is_idle_term(audit: Audit, op: Op) -> bool:
    """Whether the operation makes a summand of the loss in which no parameter has a part."""
    graph, values = audit.graph, audit.record.values
    for out in op.outputs:
        value = values[out]
        if value.numel == 1 and value.floating and not value.requires_grad and out in graph.reaching:
            for reader in graph.consumers.get(out, ()):
                if _adds(reader) and any(values[made].requires_grad for made in reader.outputs):
                    return True
    return False


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
