"""Tests that ask how a name begins, where they were to ask what it contains: `re.match("adapter", name)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fxaudit.program.course import Course, Seen
from fxaudit.program.evaluation import evaluated
from fxaudit.program.plain import chain_of
from fxaudit.program.tree import Tree

__all__ = ["Anchored", "anchored_in_vain"]

ANCHORED = ("match", "fullmatch")


@dataclass(frozen=True, slots=True)
class Anchored:
    """A test by a regular expression that nothing passes as it stands, and names that would pass a search for it."""

    file: str
    line: int
    text: str
    """The part of the expression that no name fits."""
    how: str
    """The method by which it is asked for."""
    named: tuple[str, ...]
    """The names that contain it."""

    @property
    def sentence(self) -> str:
        """What is wrong with it."""
        asks = "how a name begins" if self.how == "match" else "for the whole name"
        fits = "begins with" if self.how == "match" else "is"
        return f"`{self.how}` asks {asks}: none {fits} `{self.text}`, and `{self.named[0]}` contains it"

    @property
    def fix(self) -> str:
        """How to write it."""
        return f"Write `search` for `{self.how}`: it finds the text anywhere in the name."


def anchored_in_vain(
    course: Course, tree: Tree, tests: Iterable[tuple[ast.expr, bool]], names: Sequence[str], wanted: Sequence[str]
) -> Anchored | None:
    """The test that asks with `match` for what none of `names` begins with, and some of the `wanted` ones contain."""
    for test, passing in tests:
        for call in ast.walk(test) if passing else ():
            if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") not in ANCHORED:
                continue
            how = str(getattr(call.func, "attr", ""))
            parts = dict.fromkeys(part for whole in _expressions(course, tree, test, call) for part in _either(whole))
            idle = [part for part in parts if not any(_fits(how, part, name) for name in names)]
            named = [name for name in wanted if any(_fits("search", part, name) for part in idle)]
            first = next((part for part in idle if any(_fits("search", part, name) for name in wanted)), "")
            if first:
                ordered = sorted(named, key=lambda name: not _fits("search", first, name))
                return Anchored(tree.file, call.lineno, first, how, tuple(ordered))
    return None


def _expressions(course: Course, tree: Tree, test: ast.expr, call: ast.Call) -> list[str]:
    """The regular expressions that a call of `match` was seen to ask for."""
    statement = tree.statement_at(call.lineno)
    lines = dict.fromkeys((call.lineno, test.lineno, statement.lineno if statement is not None else call.lineno))
    loops = {
        target.id: part.iter
        for node in ast.walk(test)
        for part in getattr(node, "generators", ())
        for target in ast.walk(part.target)
        if isinstance(target, ast.Name)
    }
    found: dict[str, None] = {}
    for line in lines:
        for sight in course.at(tree.file, line):
            found.update(dict.fromkeys(_asked(call, sight.read, loops)))
    return list(found)


def _asked(call: ast.Call, read: Mapping[str, Seen], loops: Mapping[str, ast.expr]) -> Iterator[str]:
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re")), args=[given, _, *_]):
            pass
        case ast.Call(func=ast.Attribute(value=given), args=[_]):
            pass
        case _:
            return
    through = loops.get(given.id) if isinstance(given, ast.Name) else None
    chain = chain_of(through if through is not None else given)
    seen = read.get(chain.text) if chain is not None else None
    if through is not None:
        yield from (text for text in (seen.members or () if seen is not None else ()) if isinstance(text, str))
    elif seen is not None and seen.kind == "pattern":
        yield str(seen.value)
    else:
        text = evaluated(given, read)
        if isinstance(text, str):
            yield text


def _either(expression: str) -> list[str]:
    """The alternatives of an expression: those between the `|` that stand in no group."""
    found, depth, escaped, begun = [], 0, False, 0
    for position, letter in enumerate(expression):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "|" and depth == 0:
            found.append(expression[begun:position])
            begun = position + 1
    return [part for part in (*found, expression[begun:]) if part]


def _fits(how: str, expression: str, name: str) -> bool:
    try:
        return getattr(re, how)(expression, name) is not None
    except re.error:
        return True
