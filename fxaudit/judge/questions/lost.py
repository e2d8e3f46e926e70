"""Where a value that nobody uses was last held, after it had been handed on: there it is lost."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from fxaudit.capture.recording import Record
from fxaudit.judge.trail import blamed, source_at
from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.course import PASSES, Course, Sight
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.keys import never_asked
from fxaudit.program.plain import INNER, readings
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["Lost", "lost_at", "refused_at"]

Lines = list[tuple[SourceLine, str]]


@dataclass(frozen=True, slots=True)
class Lost:
    """Where a value was bound last, and the variable, which nothing reads."""

    source: SourceLine
    variable: str

    @property
    def is_dropped(self) -> bool:
        """Whether the statement drops it outright: what has a name was to be read further on."""
        return self.variable.startswith("_")

    @property
    def role(self) -> str:
        """What the line is."""
        return f"`{self.variable}` is bound here, and read nowhere"


def lost_at(record: Record, stack: int, moment: int) -> Lost | None:
    """The statement of a caller in which the object bound at `stack` was bound last, where nothing reads it there.

    Of several passes it is the one in which the operation of that `moment` ran; where that was not kept, all those that
    lose what they bind have to agree: the others hand it to the next round.
    """
    course = record.course
    passes = course.at(*_place(record, stack)) if stack >= 0 else []
    own = course.passes_at(passes, moment)
    found = {_lost_after(course, sight) for sight in own or passes} - (set() if own else {None})
    if len(found) != 1 or (place := found.pop()) is None:
        return None
    file, line, target = place
    return Lost(source_at(file, line), target)


def _lost_after(course: Course, first: Sight) -> tuple[str, int, str] | None:
    """(file, line, variable) where the object that one pass bound, or of which it bound a part, was bound last, and
    nothing reads it."""
    held = {first.owners[name][0] if name in first.owners else seen.token for name, seen in first.bound.items()}
    tokens = {token for token in held if token >= 0}
    if len(tokens) != 1:
        return None
    token = tokens.pop()
    last, target = first, ""
    for sight, name in course.made(token):
        if _is_above(course, sight.frame, last.frame):
            last, target = sight, name
    if not target or _is_read(course, last, target, token):
        return None
    return course.file_of(last), last.line, target


def refused_at(record: Record, stack: int) -> Lines:
    """Where the container into which the value was put at `stack` is asked for its key, and a test decides against it:
    the line to edit first."""
    course = record.course
    for sight in reversed(course.at(*_place(record, stack))) if stack >= 0 else ():
        for owner, key in [*sight.owners.values(), *_entries_returned(record, sight, stack)]:
            refused = _refused(course, owner, key, sight.index) if owner >= 0 and key else None
            if refused is not None:
                decision, meant = refused
                asked = (source_at(decision.file, decision.line), f"`{decision.text}` decides against `{key}`")
                left = [(source_at(b.file, b.line), f"`{b.value}` is the key that nobody asks for") for b in meant]
                return [*left, *blamed(decision, [asked])]
    return []


def _place(record: Record, stack: int) -> tuple[str, int]:
    """(file, first line) of the statement that ran at `stack`."""
    file, line = record.stacks.file(stack), record.stacks.line(stack)
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    return file, statement.lineno if statement is not None else line


def _entries_returned(record: Record, sight: Sight, stack: int) -> list[tuple[int, str]]:
    """(the dictionary, the key) where the statement returns one in which the value at `stack` stands: that itself, or
    the one that the caller fills with it."""
    course, line = record.course, record.stacks.line(stack)
    births = Births(course)
    statement = births.statement(sight)
    display = statement.value if isinstance(statement, ast.Return) else None
    caller = births.caller(sight.frame)
    if not isinstance(display, ast.Dict) or caller is None:
        return []
    keys = [
        key.value
        for key, value in zip(display.keys, display.values, strict=True)
        if isinstance(key, ast.Constant) and value.lineno <= line <= (value.end_lineno or value.lineno)
    ]
    tokens = [seen.token for seen in caller.bound.values() if seen.kind == "dict"]
    filled = _is_filled(births.statement(caller))
    tokens += [seen.token for name, seen in caller.read.items() if name == filled and seen.kind == "dict"]
    return [(token, str(key)) for token in tokens for key in keys]


def _is_filled(statement: ast.stmt | None) -> str:
    """The text of the dictionary that the statement fills with what a call gives; "" where it fills none."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=kept, attr="update"), args=[ast.Call()])):
            return ast.unparse(kept)
        case ast.AugAssign(target=kept, op=ast.BitOr(), value=ast.Call()):
            return ast.unparse(kept)
    return ""


def _refused(course: Course, owner: int, key: str, after: int) -> tuple[Decision, list[Birth]] | None:
    """The test that decides against the key, and where the key stands that the test was to be given."""
    decisions = Decisions(course)
    for sight in course.sights[after:]:
        if not any(seen.is_plain and seen.value == key for seen in sight.read.values()):
            continue
        if not _holds(course, sight, owner):
            continue
        for test in _tests_of(course, sight):
            decision = decisions.in_pass(sight, test, outcome=False)
            if decision is not None:
                return decision, never_asked(course, sight, test)
    return None


def _holds(course: Course, sight: Sight, owner: int) -> bool:
    """Whether the statement reads the container, or the loop or comprehension around it goes through that."""
    if any(seen.token == owner for seen in sight.read.values()):
        return True
    entered = course.frames[sight.frame]
    if entered.function.rpartition(".")[2] in INNER:
        before = [s for s in course.in_frame(entered.caller) if s.index < entered.after][-1:]
    else:
        tree = tree_of(course.file_of(sight))
        statement = tree.statement_at(sight.line) if tree is not None else None
        around = tree.ancestors(statement) if tree is not None and statement is not None else ()
        loops = {outer.lineno for outer in around if isinstance(outer, ast.For)}
        before = [s for s in course.in_frame(sight.frame) if s.index < sight.index and s.line in loops]
    return any(seen.token == owner for s in before for seen in s.read.values())


def _tests_of(course: Course, sight: Sight) -> list[ast.expr]:
    """The test of the `if`, or the tests of the comprehension, at the line."""
    file = course.file_of(sight)
    if course.frames[sight.frame].function.rpartition(".")[2] in INNER:
        return [*readings(file).tests_at(sight.line)]
    tree = tree_of(file)
    branches = (s for s in (tree.statements if tree is not None else ()) if isinstance(s, ast.If))
    return [branch.test for branch in branches if branch.lineno == sight.line][-1:]


def _is_above(course: Course, frame: int, inner: int) -> bool:
    """Whether `inner` was called from `frame`, directly or not."""
    while inner > frame:
        above = course.frames[inner].caller
        if above == frame or above >= inner:  # a caller is noted before what it calls
            return above == frame
        inner = above
    return False


def _is_read(course: Course, bound: Sight, target: str, token: int) -> bool:
    """Whether a later statement of the same call mentions the variable while it holds the object."""
    for sight in course.in_frame(bound.frame):
        if sight.index > bound.index:
            if target in sight.read and sight.read[target].token == token:
                return True
            if target in sight.bound:
                return False
    return _was_read(course, bound, target)


def _was_read(course: Course, bound: Sight, target: str) -> bool:
    """Whether a statement, of which no pass was kept any more, read what an earlier pass had bound."""
    file = course.file_of(bound)
    for earlier in course.at(file, bound.line):
        if earlier.index >= bound.index or target not in earlier.bound:
            continue
        token = earlier.bound[target].token
        for sight in course.in_frame(earlier.frame):
            if sight.index > earlier.index and target in sight.read and sight.read[target].token == token:
                kept = course.at(file, sight.line)
                if len(kept) >= PASSES and kept[-1].index < bound.index:
                    return True
    return False
