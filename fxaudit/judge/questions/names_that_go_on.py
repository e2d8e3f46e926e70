"""Texts that stand for one part of a model, and with which another part begins, too: `blocks.1`, and `blocks.10`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from fxaudit.capture import operations
from fxaudit.judge.questions.freezing import freezing_statement
from fxaudit.judge.questions.new_heads import is_as_drawn, ready_at
from fxaudit.judge.rule import Audit
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.course import Course, Seen
from fxaudit.program.evaluation import evaluated
from fxaudit.program.name_tests import tests_around
from fxaudit.program.tree import Tree, tree_of

__all__ = ["Asked", "going_on"]

DIGITS = tuple("0123456789")
WHOLE = ("", ".")
"""What stands behind a number, or a name, that is asked for as a whole."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A text with which names are compared."""

    file: str
    line: int
    text: str
    words: str
    """The test, as it is written."""
    begins: bool
    """Whether it is asked how a name begins; else what stands in it."""

    def ends_in(self, name: str) -> Iterator[str]:
        """What stands in the name behind the text, wherever the text is found. The program may have asked for the name
        within a part of the model."""
        start = name.find(self.text)
        while start >= 0:
            if start == 0 or not self.begins or name[start - 1] == ".":
                yield name[start + len(self.text) :][:1]
            start = name.find(self.text, start + 1)

    @property
    def fix(self) -> str:
        """How to ask for the whole number, or name."""
        asked = f'name.startswith("{self.text}.")' if self.begins else f'"{self.text}." in name'
        return f"Ask for the whole {'number' if self.text.endswith(DIGITS) else 'name'}: `{asked}`."


def going_on(audit: Audit, states: list[ParameterState]) -> tuple[Asked, list[ParameterState]] | None:
    """What was asked where all of `states` were frozen, and those of them that have more behind it: another number; or
    another name, where nobody gave them other numbers than those drawn for them, while what has the name was loaded."""
    asked = sorted({*_asked_at(audit, states)}, key=lambda one: (-len(one.text), one.file, one.line))
    numbers = [one for one in asked if one.text.endswith(DIGITS)]
    for one in numbers:
        beyond = _beyond(one, numbers, states, str.isdigit)
        if beyond and _meant(one, states):
            return one, beyond
    for one in asked:
        meant = _meant(one, states) if one not in numbers and not one.text.endswith(".") else []
        beyond = _beyond(one, asked, states, lambda end: end not in WHOLE) if meant else []
        if beyond and all(ready_at(audit, s) >= 0 for s in meant) and _are_new(audit, beyond):
            return one, beyond
    return None


def _meant(one: Asked, states: list[ParameterState]) -> list[ParameterState]:
    """Those that have the number, or the name, as a whole."""
    return [s for s in states if any(end in WHOLE for end in one.ends_in(s.local_name))]


def _beyond(
    one: Asked, asked: list[Asked], states: list[ParameterState], goes_on: Callable[[str], bool]
) -> list[ParameterState]:
    """Those that have it only with more behind it, and that nothing else asks for as a whole."""
    others = [other for other in asked if other.text != one.text]
    behind = {s.name: [*one.ends_in(s.local_name)] for s in states}
    return [
        s
        for s in states
        if behind[s.name]
        and all(map(goes_on, behind[s.name]))
        and not any(end in WHOLE for other in others for end in other.ends_in(s.local_name))
    ]


def _are_new(audit: Audit, states: list[ParameterState]) -> bool:
    """Whether nobody loaded or trained any of them, and some are as they were drawn at random."""
    if any(ready_at(audit, s) >= 0 for s in states):
        return False
    drawn = [op for op in audit.record.ops if op.mutates and operations.of(op.name).draws]
    return any(is_as_drawn(audit, s) and any({*s.track.values} & {*op.mutates} for op in drawn) for s in states)


def _asked_at(audit: Audit, states: list[ParameterState]) -> Iterator[Asked]:
    """The texts, wherever they come from, with which a name is compared where these were frozen: in the tests around
    the statement, where that is made what is gone through, or in a function that one of these calls."""
    place = freezing_statement(audit, states) if states else None
    if place is None:
        return
    tests: list[tuple[Tree, ast.AST]] = [(place[0], test) for test, _ in tests_around(place[0], place[1].lineno)]
    tests += [(place[0], node) for node in _gone_through(place[0], place[1])]
    trees, known = [*filter(None, map(tree_of, audit.project_files))], set[str]()
    for _, test in tests:  # which becomes longer
        called = {getattr(n.func, "id", getattr(n.func, "attr", "")) for n in ast.walk(test) if _is_call(n)} - known
        known |= called
        tests += [(t, n) for t in trees for n in t.statements if isinstance(n, ast.FunctionDef) and n.name in called]
    for tree, test in tests:
        for node in ast.walk(test):
            match node:
                case ast.Call(func=ast.Attribute(attr="startswith"), args=[given]):
                    begins = True
                case ast.Compare(left=given, ops=[ast.In()], comparators=[ast.Name() | ast.Attribute()]):
                    begins = False
                case _:
                    continue
            for text in _texts_of(audit.record.course, tree.file, node, given):
                if text and (begins or any(letter.isalpha() for letter in text)):
                    yield Asked(tree.file, node.lineno, text, ast.unparse(node), begins)


def _gone_through(tree: Tree, statement: ast.stmt) -> Iterator[ast.AST]:
    """What the loops around the statement go through, and the statements of the same function that make it."""
    for outer in tree.ancestors(statement):
        if isinstance(outer, ast.For | ast.AsyncFor):
            yield outer.iter
            read = {node.id for node in ast.walk(outer.iter) if isinstance(node, ast.Name)}
            function = tree.function(outer)
            for node in ast.walk(function) if function is not None else ():
                if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in read for t in node.targets):
                    yield node.value


def _is_call(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call)


def _texts_of(course: Course, file: str, node: ast.expr, given: ast.expr) -> Iterator[str]:
    """The texts that the expression was, as far as they are known: written down, seen, or members of what is gone
    through."""
    tree = tree_of(file)
    match given:
        case ast.Constant(value=written):
            yield from [written] if isinstance(written, str) else []
            return
        case ast.Call(func=ast.Name(id="tuple"), args=[listed]):
            yield from _texts_of(course, file, node, listed)
            return
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _texts_of(course, file, node, part)
            return
    for sight in course.at(file, node.lineno) if not isinstance(given, ast.JoinedStr) else ():
        text = evaluated(given, sight.read)
        members = text.members or () if isinstance(text, Seen) else (text,)
        yield from (one for one in members if isinstance(one, str))
    for outer in tree.ancestors(node) if tree is not None else ():
        loops = [outer] if isinstance(outer, ast.For) else getattr(outer, "generators", [])
        for loop in loops:
            if ast.unparse(loop.target) == ast.unparse(given):
                yield from _members(course, file, loop.iter)


def _members(course: Course, file: str, gone_through: ast.expr) -> Iterator[str]:
    """The texts in a list, or in what is made of one, written down or seen."""
    match gone_through:
        case ast.Call(func=ast.Name(id="tuple" | "list" | "set" | "sorted"), args=[listed]):
            yield from _members(course, file, listed)
            return
    if isinstance(gone_through, ast.List | ast.Tuple | ast.Set):
        parts = gone_through.elts
        yield from (p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str))
    written = ast.unparse(gone_through)
    tree = tree_of(file)
    statement = tree.statement_at(gone_through.lineno) if tree is not None else None
    for sight in course.at(file, statement.lineno) if statement is not None else ():
        seen = sight.read.get(written)
        yield from (text for text in (seen.members or () if seen is not None else ()) if isinstance(text, str))
