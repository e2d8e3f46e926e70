"""A counter that a test asks for and that nobody writes there, while a loop around the call counts under its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.recording import Record
from fxaudit.judge.trail import project_files, source_at
from fxaudit.program.course import Course, Seen, Sight
from fxaudit.program.decisions import Decision
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine, is_library, of_text
from fxaudit.program.tree import tree_of

__all__ = ["never_told"]

Lines = list[tuple[SourceLine, str]]
Loop = ast.For | ast.While
MAX_CALLERS = 8
NOW = frozenset({"cur", "curr", "current", "global", "now", "this"})
UPDATING = frozenset({"update", "replace", "_replace"})
"""Calls that may give an object values by keyword."""


def never_told(record: Record, decision: Decision) -> Lines:
    """The loop whose counter has the name of what the test asks an object for, where nothing gives the object another
    value of it and the test would have gone the other way with the counter: (line, role) pairs, the line to edit first;
    none where there is no such loop."""
    course, name = record.course, _part(decision.operand)
    if not name or decision.birth is None or not decision.birth.is_a_setting:
        return []
    test = ast.parse(decision.text, mode="eval").body
    sights = course.at(decision.file, _begin(decision))
    values = {str(sight.read.get(decision.operand)) for sight in sights}
    stays = bool(sights) and values == {str(decision.value)}
    if not stays or _is_given(record, sights[-1], decision.operand, name):
        return []
    for sight in reversed(sights):
        before = evaluated(test, sight.read)
        for frame, loop, counter, seen in _counters(course, sight):
            if not _is_named_so(counter, name) or type(seen.value) is not int or not seen.is_plain:
                continue
            if decision.operand == f"self.{name}" and not _is_of_the_same(course, sight, frame):
                continue  # an object may count its own calls
            after = evaluated(test, {**sight.read, decision.operand: seen})
            if NOT_KNOWN not in (before, after) and bool(before) is not bool(after):
                role = f"nobody writes the `{counter}` of this loop into `{decision.operand}`"
                return [(source_at(course.frames[frame].file, loop.lineno), role)]
    return []


def _is_of_the_same(course: Course, sight: Sight, frame: int) -> bool:
    """Whether the call is one of a method of the same object as that of the pass."""
    own = sight.read.get("self")
    return own is not None and any(one.read.get("self") == own for one in course.in_frame(frame))


def _begin(decision: Decision) -> int:
    """The line at which the statement begins in which the test stands."""
    tree = tree_of(decision.file)
    statement = tree.statement_at(decision.line) if tree is not None else None
    return statement.lineno if statement is not None else decision.line


def _part(operand: str) -> str:
    """The attribute, or the key, that an object is asked for; "" where it is neither."""
    match ast.parse(operand, mode="eval").body:
        case ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def _is_given(record: Record, sight: Sight, operand: str, name: str) -> bool:
    """Whether a statement gives the object that was asked something else under that name than a constant, or would if
    it ran; what was seen to write into other objects alone does not count."""
    asked = sight.read.get(ast.unparse(_owner(operand)))
    for tree in filter(None, map(tree_of, project_files(record))):
        for statement in _gives(tree.file, name):
            owners = [
                owner
                for one in record.course.at(tree.file, statement.lineno)
                for owner, part in one.owners.values()
                if part == name
            ]
            if not owners or asked is None or asked.token in owners:
                return True
    return False


def _owner(operand: str) -> ast.expr:
    """What is asked: `state` of `state.epoch`."""
    node = ast.parse(operand, mode="eval").body
    return node.value if isinstance(node, ast.Attribute | ast.Subscript) else node


@of_text
def _giving(file: str) -> tuple[tuple[str, ast.stmt], ...]:
    """(name, statement) of what gives an attribute or an entry of that name something else than a constant."""
    tree = tree_of(file)
    found: list[tuple[str, ast.stmt]] = []
    for node in tree.parents if tree is not None else ():
        names: list[str] = []
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()):
                names = [name]
            case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Store()):
                names = [name]
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(name)), _]):
                names = [name]
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), keywords=keywords):
                names = [word.arg for word in keywords if word.arg is not None] if called in UPDATING else []
        statement = tree.statement(node) if names and tree is not None and isinstance(node, ast.expr) else None
        if statement is not None and not _gives_constants(statement):
            found += [(name, statement) for name in names]
    return tuple(found)


def _gives(file: str, name: str) -> Iterator[ast.stmt]:
    return (statement for word, statement in _giving(file) if word == name)


def _gives_constants(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    return all(isinstance(part, ast.Constant) for part in parts)


def _counters(course: Course, sight: Sight) -> Iterator[tuple[int, Loop, str, Seen]]:
    """(call, loop, variable, what it held then) of the loops around the statement and around the calls that led to it,
    the nearest first."""
    frame, line, before = sight.frame, sight.line, sight.index
    for _ in range(MAX_CALLERS):
        entered = course.frames[frame]
        tree = tree_of(entered.file)
        statement = tree.statement_at(line) if tree is not None else None
        for loop in tree.ancestors(statement) if tree is not None and statement is not None else ():
            if isinstance(loop, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                break
            if isinstance(loop, Loop) and not is_library(entered.file):
                passes = [one for one in course.in_frame(frame) if one.line == loop.lineno and one.index < before]
                for name in _names(loop):
                    seen = (passes[-1].bound | passes[-1].read).get(name) if passes else None
                    if seen is not None:
                        yield frame, loop, name, seen
        if entered.caller < 0:
            return
        frame, line, before = entered.caller, entered.line, entered.after


def _names(loop: Loop) -> Iterator[str]:
    """The variables that a loop counts with: those that it binds, or asks for."""
    counted = loop.target if isinstance(loop, ast.For) else loop.test
    for node in ast.walk(counted):
        chain = chain_of(node) if isinstance(node, ast.Name | ast.Attribute) else None
        if chain is not None:
            yield chain.text


def _is_named_so(counter: str, name: str) -> bool:
    """Whether the names are one, but for words that speak of the present: `epoch` and `current_epoch`."""
    one, other = (set(word.rpartition(".")[2].strip("_").lower().split("_")) for word in (counter, name))
    return bool(one - NOW) and one - NOW == other - NOW
