"""The texts that a test was seen to ask names for, round by round, and which of them a name fits."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.program.course import Course, Seen, Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.plain import chain_of
from fxaudit.program.tree import Tree

__all__ = ["Asked", "asked_in", "names_seen"]

FLAT = frozenset({"tuple", "list", "set", "frozenset"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a test asks of a name in one round: one of the texts has to fit."""

    how: str
    texts: tuple[str, ...]

    def fitting(self, name: str) -> list[str]:
        """The texts that the name fits."""
        return [text for text in self.texts if _fits(self.how, text, name)]


@dataclass(frozen=True, slots=True)
class _Question:
    how: str
    name: ast.expr
    texts: ast.expr


def asked_in(course: Course, tree: Tree, test: ast.expr) -> list[Asked]:
    """What the test was seen to ask names for, each once: where the texts are in a variable, whatever that held."""
    frames = _frames(course, tree, test)
    found: dict[Asked, None] = {}
    for question in _questions(test):
        for number in frames:
            for sight in course.in_frame(number):
                texts = _texts(question.texts, sight)
                if texts:
                    found[Asked(question.how, texts)] = None
    return list(found)


def names_seen(course: Course, tree: Tree, test: ast.expr) -> set[str]:
    """The names that were asked, as far as they were seen."""
    sights = [sight for line in _lines(tree, test) for sight in course.at(tree.file, line)]
    found = (evaluated(question.name, sight.read) for question in _questions(test) for sight in sights)
    return {name for name in found if isinstance(name, str)}


def _lines(tree: Tree, test: ast.expr) -> set[int]:
    statement = tree.statement(test)
    return {test.lineno, statement.lineno if statement is not None else test.lineno}


def _frames(course: Course, tree: Tree, test: ast.expr) -> list[int]:
    """The calls in which the test was asked, and those around a comprehension."""
    own = [sight.frame for line in _lines(tree, test) for sight in course.at(tree.file, line)]
    inner = [course.frames[n].caller for n in own if course.frames[n].function.rpartition(".")[2].startswith("<")]
    return [number for number in dict.fromkeys((*own, *inner)) if number >= 0]


def _questions(test: ast.expr) -> Iterator[_Question]:
    loops = {
        part.target.id: part.iter
        for node in ast.walk(test)
        for part in getattr(node, "generators", ())
        if isinstance(part.target, ast.Name)
    }
    for node in ast.walk(test):
        match node:
            case ast.Compare(left=left, ops=[ast.In()], comparators=[right]) if _is_in(left, loops):
                yield _Question("contains", right, _unrolled(left, loops))
            case ast.Compare(left=left, ops=[ast.In()], comparators=[right]):
                yield _Question("is", left, right)
            case ast.Call(func=ast.Attribute(value=name, attr="startswith" | "endswith" as how), args=[given]):
                yield _Question(how, name, _unrolled(given, loops))
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr="match" | "fullmatch" | "search" as how),
                args=[given, name],
            ):
                yield _Question(how, name, _unrolled(given, loops))
            case ast.Call(func=ast.Attribute(value=given, attr="match" | "fullmatch" | "search" as how), args=[name]):
                yield _Question(how, name, _unrolled(given, loops))
            case ast.Call(
                func=ast.Attribute(attr="fnmatch" | "fnmatchcase") | ast.Name(id="fnmatch" | "fnmatchcase"),
                args=[name, given],
            ):
                yield _Question("fnmatch", name, _unrolled(given, loops))


def _is_in(left: ast.expr, loops: dict[str, ast.expr]) -> bool:
    """Whether it is the text that is looked for in the name, and not the name in a list of texts."""
    return isinstance(left, ast.Constant) or (isinstance(left, ast.Name) and left.id in loops)


def _unrolled(node: ast.expr, loops: dict[str, ast.expr]) -> ast.expr:
    """What the texts are taken from: of `text for text in texts`, and of `tuple(texts)`, the texts."""
    found = loops.get(node.id, node) if isinstance(node, ast.Name) else node
    match found:
        case ast.Call(func=ast.Name(id=kind), args=[inner], keywords=[]) if kind in FLAT:
            return inner
    return found


def _texts(node: ast.expr, sight: Sight) -> tuple[str, ...]:
    chain = chain_of(node)
    held = [seen for seen in (sight.read.get(chain.text), sight.bound.get(chain.text)) if seen] if chain else []
    for seen in held:
        found = _written_in(seen)
        if found:
            return found
    text = evaluated(node, sight.read) if isinstance(node, ast.Constant | ast.BinOp | ast.JoinedStr) else None
    return (text,) if isinstance(text, str) else ()


def _written_in(seen: Seen) -> tuple[str, ...]:
    if seen.kind == "pattern" or (seen.is_plain and isinstance(seen.value, str)):
        return (str(seen.value),)
    members = seen.members or () if seen.kind == "list" else ()
    return tuple(map(str, members)) if all(isinstance(one, str) for one in members) else ()


def _fits(how: str, text: str, name: str) -> bool:
    match how:
        case "startswith":
            return name.startswith(text)
        case "endswith":
            return name.endswith(text)
        case "contains":
            return text in name
        case "is":
            return f".{text}." in f".{name}."
        case "fnmatch":
            return fnmatch.fnmatchcase(name, text)
    try:
        return getattr(re, how)(text, name) is not None
    except re.error:
        return True
