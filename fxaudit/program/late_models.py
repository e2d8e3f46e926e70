"""Statements that give the variable of a model another object, while an optimizer holds the parameters of the first."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from fxaudit.program.fits import OPTIMIZERS
from fxaudit.program.plain import words_of
from fxaudit.program.put_backs import CALLERS, is_repeated
from fxaudit.program.ran import Ran
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = ["models_given_later"]

GIVING = frozenset({"deepcopy", "copy", "load"})
"""What gives another model: a copy that was put aside, or one from a file."""


def models_given_later(files: Sequence[str], ran: Ran) -> Iterator[tuple[Tree, ast.stmt]]:
    """The statements in a loop, or in a function that one calls, that did not run and give a variable another model,
    where an optimizer is built of the parameters of a variable of that name, and not behind the statement."""
    trees = [tree for tree in map(tree_of, files) if tree is not None]
    names = {name for tree in trees for name in _given_to_optimizers(tree)}
    for tree in trees if names else ():
        for node in tree.statements:
            is_open = _given(node) in names and node.lineno not in ran.of(tree.file) and not _builds_behind(tree, node)
            if is_open and (is_repeated(files, tree, node, CALLERS) or _is_told_by_name(files, tree, node)):
                yield tree, node


def _given(node: ast.stmt) -> str:
    """The name of the variable, or of the attribute, to which the statement gives a copy or what a file holds."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=ast.Call(func=called)):
            given = getattr(called, "attr", getattr(called, "id", ""))
            return name if given in GIVING else ""
    return ""


def _given_to_optimizers(tree: Tree) -> Iterator[str]:
    """The names of the models whose parameters optimizers are given."""
    for call in tree.calls:
        if getattr(call.func, "attr", getattr(call.func, "id", "")) in OPTIMIZERS:
            for part in ast.walk(call):
                match part:
                    case ast.Attribute(
                        value=ast.Name(id=name) | ast.Attribute(attr=name), attr="parameters" | "named_parameters"
                    ):
                        yield name


def _is_told_by_name(files: Sequence[str], tree: Tree, node: ast.stmt) -> bool:
    """Whether nothing calls the function of the statement, but its name stands in a text: `getattr(hook, event)`."""
    name = getattr(tree.function(node), "name", "")
    is_called = any(True for _ in call_sites(files, name)) if name else True
    return not is_called and any(name in words_of(file) for file in files)


def _builds_behind(tree: Tree, node: ast.stmt) -> bool:
    """Whether the same function builds an optimizer afterwards."""
    scope = tree.function(node)
    for call in tree.calls:
        named = getattr(call.func, "attr", getattr(call.func, "id", ""))
        is_one = named in OPTIMIZERS or "optim" in named.lower()
        if is_one and call.lineno > node.lineno and tree.function(call) is scope:
            return True
    return False
