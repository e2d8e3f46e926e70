"""Values of parameters that are put aside while others stand in for them, and that nobody puts back."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from fxaudit.program.plain import words_of
from fxaudit.program.put_backs import CALLERS, loops_around
from fxaudit.program.source import of_text
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = ["NeverRestored", "never_restored"]

KEEPING = frozenset({"clone", "deepcopy", "detach", "copy", "cpu"})


@dataclass(frozen=True, slots=True)
class NeverRestored:
    """A call after which other values stand in the parameters, and the method, called nowhere, that would undo it."""

    tree: Tree
    call: ast.Call
    applies: str
    restores: str
    written: tuple[str, int]
    """Where the other values are written."""


def never_restored(files: Sequence[str], steps: Collection[tuple[str, int]]) -> Iterator[NeverRestored]:
    """Those whose call is in a loop, or in a function that one calls, that goes through one of the `steps` as well:
    (file, line) of what an optimizer steps in. Training goes on there."""
    for file, (applies, restores, written) in ((one, pair) for one in files for pair in _pairs(one)):
        if _is_mentioned(files, restores):
            continue
        calls = [
            (owner, call)
            for owner, call in call_sites(files, applies.name)
            if _takes(applies, call)
            and any(_goes_through(loop, steps) for loop in loops_around(files, owner, call, CALLERS))
        ]
        for owner, call in calls[:1]:
            yield NeverRestored(owner, call, applies.name, restores, (file, written))


@of_text
def _pairs(file: str) -> tuple[tuple[ast.FunctionDef, str, int], ...]:
    """(the method that writes other values, the one that would undo it, the line that writes) of the file's classes."""
    tree = tree_of(file)
    found: list[tuple[ast.FunctionDef, str, int]] = []
    for kind in (node for node in (tree.statements if tree is not None else ()) if isinstance(node, ast.ClassDef)):
        methods = [node for node in kind.body if isinstance(node, ast.FunctionDef)]
        for applies in methods:
            kept, written = _kept_by(applies), _written_by(applies)
            undoing = [other for other in methods if other is not applies and _puts_back(other, kept)] if kept else []
            if written and len(undoing) == 1:
                found.append((applies, undoing[0].name, written))
    return tuple(found)


def _goes_through(loop: tuple[Tree, ast.stmt], steps: Collection[tuple[str, int]]) -> bool:
    tree, node = loop
    return any(file == tree.file and node.lineno <= line <= (node.end_lineno or 0) for file, line in steps)


def _takes(method: ast.FunctionDef, call: ast.Call) -> bool:
    """Whether the method takes so many arguments: others have methods of that name, too."""
    places = len(method.args.posonlyargs) + len(method.args.args) - 1
    given = len(call.args) + len(call.keywords)
    return places - len(method.args.defaults) <= given <= places + len(method.args.kwonlyargs)


def _kept_by(method: ast.FunctionDef) -> set[str]:
    """The attributes of `self` in which the method puts copies aside."""
    found = set()
    for node in ast.walk(method):
        match node:
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Attribute(value=ast.Name(id="self"), attr=name))], value=v
            ):
                found |= {name} if _copies(v) else set()
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=v):
                found |= {name} if _copies(v) and "param" in ast.unparse(v) else set()
    return found


def _copies(value: ast.expr) -> bool:
    called = {getattr(n.func, "attr", getattr(n.func, "id", "")) for n in ast.walk(value) if isinstance(n, ast.Call)}
    return not KEEPING.isdisjoint(called)


def _written_by(method: ast.FunctionDef) -> int:
    """The line at which a method writes whole values into parameters; 0 for none."""
    for node in ast.walk(method):
        match node:
            case ast.Call(func=ast.Attribute(attr="copy_" | "set_")):
                return node.lineno
            case ast.Assign(targets=[ast.Attribute(attr="data")]):
                return node.lineno
    return 0


def _puts_back(method: ast.FunctionDef, kept: set[str]) -> bool:
    """Whether the method writes what was put aside into parameters."""
    read = {
        node.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    return bool(kept & read) and _written_by(method) > 0 and not _kept_by(method) & kept


def _is_mentioned(files: Sequence[str], name: str) -> bool:
    """Whether the program calls the method, or names it in another way."""
    return any(name in words_of(file) for file in files)
