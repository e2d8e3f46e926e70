"""An object that is told another count than the one that its method asks for by name: `set_step(self.epoch)`, where the
caller counts a `step`, too."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.recording import Record
from fxaudit.judge.trail import source_at
from fxaudit.program.course import Course, Sight
from fxaudit.program.decisions import Decision
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.given import calls_in, function_at, last_name, passed
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import tree_of

__all__ = ["COUNT", "told_another"]

COUNT = "Give it the count that it asks for by name: this is another one, which never comes so far."
Lines = list[tuple[SourceLine, str]]


def told_another(record: Record, decision: Decision) -> Lines:
    """The call that tells an object another count than the one by whose name it is taken, where the caller counts under
    that name, too, faster, and the test would go the other way with it in the end: (line, role) pairs, the line to edit
    first; none where there is no such call."""
    course = record.course
    test = ast.parse(decision.text, mode="eval").body
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
        return []
    for part in (test.left, *test.comparators):
        if isinstance(part, ast.Attribute) and ast.unparse(part) != decision.operand:
            for sight in reversed(course.at(decision.file, _begin(decision))):
                found = _told(course, sight, part, test)
                if found:
                    return [*found, (source_at(decision.file, decision.line), f"`{ast.unparse(part)}` is asked here")]
    return []


def _begin(decision: Decision) -> int:
    """The line at which the statement begins in which the test stands."""
    tree = tree_of(decision.file)
    statement = tree.statement_at(decision.line) if tree is not None else None
    return statement.lineno if statement is not None else decision.line


def _told(course: Course, sight: Sight, part: ast.Attribute, test: ast.Compare) -> Lines:
    chain = chain_of(part.value)
    owner = sight.read.get(chain.text) if chain is not None else None
    asked, before = evaluated(part, sight.read), evaluated(test, sight.read)
    bound = course.part_bound(owner.token, part.attr, sight.index) if owner is not None else None
    if bound is None or type(asked) is not int or not isinstance(before, bool):
        return []
    entered = course.frames[bound.frame]
    if entered.caller < 0 or is_library(course.frames[entered.caller].file):
        return []
    tree, calling = tree_of(entered.file), tree_of(course.frames[entered.caller].file)
    statement = tree.statement_at(bound.line) if tree is not None else None
    function = function_at(tree, entered.first_line) if tree is not None else None
    match statement:
        case ast.Assign(targets=[ast.Attribute()], value=ast.Name(id=name)):
            pass
        case _:
            return []
    if calling is None or not isinstance(function, ast.FunctionDef):
        return []
    is_method = isinstance(tree.parents.get(function), ast.ClassDef) if tree is not None else False
    for call in calls_in(calling.statement_at(entered.line)):
        if last_name(call.func) != function.name:
            continue
        given = passed(call, function, name, is_method=is_method)
        if given is None or last_name(given) in ("", name):
            continue  # what has no name of its own may well be this
        if _is_of_its_kind(test, part, last_name(given), name):
            continue
        for text in (name, f"self.{name}"):
            if _counts_on(course, entered.caller, text, ast.unparse(given)) and _turns(test, sight, part, asked):
                role = f"`{name}` is given `{ast.unparse(given)}`, though there is a `{text}`, which counts on"
                return [(source_at(calling.file, call.lineno), role)]
    return []


def _is_of_its_kind(test: ast.Compare, part: ast.Attribute, given: str, asked: str) -> bool:
    """Whether the limit has a word of what is given, and none of what is asked for: `freeze_epochs` is for an epoch."""
    limit = _words(last_name(test.comparators[0] if test.left is part else test.left))
    return not limit.isdisjoint(_words(given)) and limit.isdisjoint(_words(asked))


def _words(name: str) -> set[str]:
    return {word.removesuffix("s") for word in name.lower().split("_") if word}


def _turns(test: ast.Compare, sight: Sight, part: ast.Attribute, asked: int) -> bool:
    """Whether a larger number turns the test."""
    (left, right), before = (test.left, test.comparators[0]), evaluated(test, sight.read)
    limit = evaluated(right if left is part else left, sight.read)
    if type(limit) is not int or not asked < limit + 1:
        return False
    seen = sight.read[ast.unparse(part)]
    after = evaluated(test, {**sight.read, ast.unparse(part): type(seen)("plain", limit + 1)})
    return after is not NOT_KNOWN and after is not before


def _counts_on(course: Course, frame: int, name: str, given: str) -> bool:
    """Whether the caller was seen to add to the count of that name, while what is given instead stayed as it was."""
    entered = course.frames[frame]
    frames = [
        n for n, one in enumerate(course.frames) if (one.file, one.first_line) == (entered.file, entered.first_line)
    ]
    sights = [sight for number in frames for sight in course.in_frame(number)]
    added = {str(seen) for sight in sights for seen in _added(course, sight, name)}
    stayed = {str(seen) for sight in sights if (seen := sight.read.get(given)) is not None}
    return len(added) > len(stayed) >= 1


def _added(course: Course, sight: Sight, name: str) -> Iterator[object]:
    tree = tree_of(course.file_of(sight))
    statement = tree.statement_at(sight.line) if tree is not None else None
    match statement:
        case ast.AugAssign(target=target, op=ast.Add()) if ast.unparse(target) == name and name in sight.bound:
            yield sight.bound[name]
