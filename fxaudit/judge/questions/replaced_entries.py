"""A term that is put into a dictionary, and that another one with the same key takes the place of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture.events import BackwardEvent
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.births import Births
from fxaudit.program.course import Course, Sight
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import tree_of

__all__ = ["KEYS", "entry_replaced"]

KEYS = "Give each term a key of its own: with `{}` for both, the second takes the place of the first."
MAX_STATIONS = 6
"""So many dictionaries are followed into which the first one goes."""
MAX_KEYS = 4
"""So deep are the keys of a dictionary looked for in what calls return."""

Lines = list[tuple[SourceLine, str]]


@dataclass(frozen=True, slots=True)
class _Held:
    """Which dictionary has the entry, and the pass that put it there."""

    token: int
    sight: Sight


def entry_replaced(audit: Audit, op: Op) -> tuple[Lines, str]:
    """Where another value takes the place of what the operation made, in the dictionary to which that was given under a
    key, then where it was put; and the key. Nothing where the loss does not come from the other value."""
    stacks, course = audit.record.stacks, audit.record.course
    for frame in stacks.chain(op.stack):
        file, line = stacks.file(frame), stacks.line(frame)
        tree = tree_of(file) if not is_library(file) else None
        statement = tree.statement_at(line) if tree is not None else None
        if tree is None or statement is None:
            continue
        for sight in course.at(file, statement.lineno):
            for key, held in _put(course, sight, statement, line):
                again = held if isinstance(held, Sight) else _again(audit, held, key)
                if again is not None and _is_carried(audit, again):
                    here = source_at(course.file_of(again), again.line)
                    return [
                        (here, f"what is put here under `{key}` takes the place of another"),
                        (source_at(file, line), f"`{key}` is what it is called here"),
                    ], key
    return [], ""


def _put(course: Course, sight: Sight, statement: ast.stmt, line: int) -> Iterator[tuple[str, _Held | Sight]]:
    """(key, the dictionary that has it then, or the pass that puts another in its place at once) of what is made at the
    line."""
    for target, (owner, key) in sight.owners.items():
        if "[" in target and isinstance(statement, ast.Assign) and owner >= 0:
            yield key, _Held(owner, sight)
    for display in (node for node in ast.walk(statement) if isinstance(node, ast.Dict)):
        for name, value in zip(display.keys, display.values, strict=True):
            is_it = isinstance(name, ast.Constant) and value.lineno <= line <= (value.end_lineno or value.lineno)
            if is_it and isinstance(name, ast.Constant) and isinstance(name.value, str):
                held = _given(course, sight, display, name.value)
                if held is not None:
                    yield name.value, held


def _given(course: Course, sight: Sight, part: ast.expr, key: str, depth: int = 0) -> _Held | Sight | None:
    """What becomes of a dictionary with the key that an expression of the statement gives: it is put into another, or
    has a name, or is returned to a caller; or the same statement puts another entry in the place."""
    births = Births(course)
    statement = births.statement(sight)
    if depth >= MAX_STATIONS or statement is None:
        return None
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=kept, attr="update"), args=[given])) if given is part:
            return _holder(sight, kept)
        case ast.AugAssign(target=kept, op=ast.BitOr(), value=given) if given is part:
            return _holder(sight, kept)
        case ast.Assign(value=ast.expr() as given) | ast.Return(value=ast.expr() as given):
            parts = [*_merged(given)]
            if part not in parts:
                return None
            if any(key in _keys(course, sight, later, statement) for later in parts[parts.index(part) + 1 :]):
                return sight
        case _:
            return None
    if isinstance(statement, ast.Assign):
        tokens = [seen.token for seen in sight.bound.values() if seen.kind == "dict" and seen.token >= 0]
        return _Held(tokens[0], sight) if len(tokens) == 1 else None
    caller = births.caller(sight.frame)
    above = births.statement(caller) if caller is not None else None
    call = _call_of(course, caller, above, sight.frame) if caller is not None and above is not None else None
    return _given(course, caller, call, key, depth + 1) if caller is not None and call is not None else None


def _holder(sight: Sight, kept: ast.expr) -> _Held | None:
    chain = chain_of(kept)
    seen = sight.read.get(chain.text) or sight.bound.get(chain.text) if chain is not None else None
    return _Held(seen.token, sight) if seen is not None and seen.kind == "dict" and seen.token >= 0 else None


def _merged(given: ast.expr) -> Iterator[ast.expr]:
    """The dictionaries of which one is made, in order: `{**a, **b}`, `a | b`, `dict(a, **b)`; else the one itself."""
    match given:
        case ast.Dict(keys=keys, values=values) if None in keys:
            for key, value in zip(keys, values, strict=True):
                yield value if key is None else ast.Dict([key], [value])
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from (*_merged(left), *_merged(right))
        case ast.Call(func=ast.Name(id="dict"), args=[first], keywords=more) if more:
            yield from (first, *(keyword.value for keyword in more if keyword.arg is None))
        case _:
            yield given


def _keys(course: Course, sight: Sight, part: ast.expr, statement: ast.stmt, depth: int = 0) -> set[str]:
    """The keys of the dictionary that an expression of the statement gives, as far as they are known."""
    chain = chain_of(part)
    seen = sight.read.get(chain.text) if chain is not None else None
    if seen is not None:
        return {one for one in seen.members or () if isinstance(one, str)} if seen.kind == "dict" else set()
    if isinstance(part, ast.Dict):
        return {key.value for key in part.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    births, found = Births(course), set[str]()
    for frame in course.calls_in(sight) if isinstance(part, ast.Call) and depth < MAX_KEYS else ():
        last = course.in_frame(frame)[-1:]
        returned = births.statement(last[0]) if last else None
        is_it = _call_of(course, sight, statement, frame) is part
        if is_it and isinstance(returned, ast.Return) and returned.value is not None:
            for inner in _merged(returned.value):
                found |= _keys(course, last[0], inner, returned, depth + 1)
    return found


def _call_of(course: Course, sight: Sight, statement: ast.stmt, frame: int) -> ast.Call | None:
    """The call in the statement by which the frame was entered: of several, the one at its place among them."""
    called = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    called.sort(key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
    name = course.frames[frame].function.rpartition(".")[2]
    named = [node for node in called if getattr(node.func, "attr", getattr(node.func, "id", "")) == name]
    alike = [one for one in course.calls_in(sight) if course.frames[one].function.rpartition(".")[2] == name]
    if not named and name in ("forward", "__call__"):
        named = [node for node in called if getattr(node.func, "attr", "") not in ("update", "items")]
    return named[alike.index(frame)] if len(named) == len(alike) and frame in alike else None


def _again(audit: Audit, held: _Held, key: str) -> Sight | None:
    """The first pass after that in which another value is put under the key, in the same step of training."""
    course = audit.record.course
    births, token = Births(course), held.token
    for _ in range(MAX_STATIONS):
        moved: _Held | Sight | None = None
        for sight in course.sights[held.sight.index + 1 :]:
            if (token, key) in sight.owners.values():
                return sight if _is_one_step(audit, held.sight, sight) else None
            mentioned = (*sight.read.items(), *sight.bound.items())  # `|=` reads what it binds
            texts = {text for text, seen in mentioned if seen.token == token}
            statement = births.statement(sight) if texts else None
            given = _into(statement, texts) if statement is not None else None
            if given is not None and statement is not None and key in _keys(course, sight, given, statement):
                return sight if _is_one_step(audit, held.sight, sight) else None
            for part in _parts(statement, texts):
                moved = moved or _given(course, sight, part, key)
            if isinstance(moved, Sight):
                return moved if _is_one_step(audit, held.sight, moved) else None
            if moved is not None and moved.token != token:
                break
            moved = None
        if not isinstance(moved, _Held):
            return None
        held, token = moved, moved.token
    return None


def _into(statement: ast.stmt, texts: set[str]) -> ast.expr | None:
    """What the statement puts into the dictionary."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=kept, attr="update"), args=[given])):
            return given if ast.unparse(kept) in texts else None
        case ast.AugAssign(target=kept, op=ast.BitOr(), value=given):
            return given if ast.unparse(kept) in texts else None
    return None


def _parts(statement: ast.stmt | None, texts: set[str]) -> Iterator[ast.expr]:
    """Where the statement mentions the dictionary as a whole that goes into another, or is returned."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="update"), args=[given])):
            yield from (one for one in (given,) if ast.unparse(one) in texts)
        case ast.AugAssign(op=ast.BitOr(), value=given):
            yield from (one for one in (given,) if ast.unparse(one) in texts)
        case ast.Assign(value=ast.expr() as given) | ast.Return(value=ast.expr() as given):
            yield from (one for one in _merged(given) if ast.unparse(one) in texts)


def _is_one_step(audit: Audit, first: Sight, second: Sight) -> bool:
    """Whether no loss was computed between the two from which backward ran."""
    values = audit.record.values
    losses = {
        values[root].op for event in audit.record.events if isinstance(event, BackwardEvent) for root in event.roots
    }
    return not any(first.moment <= at < second.moment for at in losses)


def _is_carried(audit: Audit, again: Sight) -> bool:
    """Whether the loss comes from what the pass puts into the dictionary: it, or what it reads, made that."""
    course, stacks = audit.record.course, audit.record.stacks
    made = [again, *(sight for seen in again.read.values() for sight, _ in course.made(seen.token) if seen.token >= 0)]
    places = {(course.file_of(sight), sight.line) for sight in made}
    for stack, _ in audit.graph.carrying_calls:
        for frame in stacks.chain(stack):
            tree = tree_of(stacks.file(frame))
            statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
            if statement is not None and (stacks.file(frame), statement.lineno) in places:
                return True
    return False
