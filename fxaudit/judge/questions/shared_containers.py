"""A value lost because objects of one class fill the same container, which was to be each object's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.course import Course, Sight
from fxaudit.program.given import argument_of, default_of, function_at, given_to, is_display
from fxaudit.program.plain import readings
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["OWN", "overwritten_in_a_shared_one"]

OWN = "Give each object a container of its own, made in `__init__`: as it is, one puts its value in the other's place."
Lines = list[tuple[SourceLine, str]]


def overwritten_in_a_shared_one(audit: Audit, op: Op) -> Lines:
    """The line that makes a container once for all objects of a class, where the value of the operation was put into it
    and another object put its own in that place, from which it is read; then where that is done."""
    course = audit.record.course
    # What a hook keeps is not in the stack of the operation: it runs right after that.
    moments = {other.index + 1 for other in audit.record.ops if (other.stack, other.name) == (op.stack, op.name)}
    for sight in course.sights:
        for target, place in sight.owners.items() if sight.moment in moments else ():
            after = _put_in_its_place(course, sight, target)
            if place[0] < 0 or after is None or _object(after) in (_object(sight), -1):
                continue
            for file, line, name in _made_once(course, place[0]):
                stored = source_at(course.file_of(sight), sight.line)
                return [
                    (source_at(file, line), f"`{name}` is one for all objects of the class"),
                    (stored, f"`{target}` is set here by one object, and then by another in the same place"),
                ]
    return []


def _put_in_its_place(course: Course, stored: Sight, target: str) -> Sight | None:
    """The sight that put another value in the same place, where nobody had read the first one there."""
    place, token = stored.owners[target], stored.bound[target].token
    for sight in course.sights[stored.index + 1 :]:
        if place in sight.owners.values():
            return sight if _is_fetched(course, sight, place) else None
        if any(seen.token == token >= 0 for name, seen in sight.read.items() if "." in name or "[" in name):
            return None
    return None


def _is_fetched(course: Course, stored: Sight, place: tuple[int, str]) -> bool:
    """Whether a later statement reads what was put in the place: the first value was wanted there."""
    tokens = {seen.token for target, seen in stored.bound.items() if stored.owners.get(target) == place} - {-1}
    later = (item for sight in course.sights[stored.index + 1 :] for item in sight.read.items())
    return any(seen.token in tokens for name, seen in later if "[" in name or "." in name)


def _object(sight: Sight) -> int:
    """Which object the statement belongs to."""
    return next((seen.token for name, seen in sight.read.items() if name == "self"), -1)


def _made_once(course: Course, owner: int) -> Iterator[tuple[str, int, str]]:
    """(file, line, name) where the container was made in the body of a class, or as the default of an argument."""
    for sight, target in course.made(owner):
        file = course.file_of(sight)
        tree, entered = tree_of(file), course.frames[sight.frame]
        statement = readings(file).statement(sight.line)
        value = given_to(statement, target)
        if tree is None or statement is None or value is None:
            continue
        if isinstance(tree.parents.get(statement), ast.ClassDef) and _is_made(value):
            yield file, sight.line, target
        function = function_at(tree, entered.first_line)
        if isinstance(value, ast.Name) and isinstance(function, ast.FunctionDef) and argument_of(function, value.id):
            default = default_of(function, value.id)
            if default is not None and _is_made(default):
                yield file, default.lineno, value.id


def _is_made(value: ast.expr) -> bool:
    """Whether it is a container that is made here."""
    is_call = isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
    return is_display(value) or isinstance(value, ast.Dict | ast.List) or is_call
