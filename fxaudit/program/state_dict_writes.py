"""Entries of what `state_dict()` gave that get other tensors, where nobody loads it: the model keeps its own."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from fxaudit.program.ran import Ran
from fxaudit.program.source import of_text
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = ["comes_to", "lost_entries"]

CHANGING = frozenset({"update", "setdefault"})
MAX_CALLERS = 2
"""So many callers are asked whether the program comes to a line."""


def lost_entries(files: Sequence[str]) -> Iterator[tuple[Tree, ast.stmt, str]]:
    """(tree, statement, what the `state_dict` was asked of) of each such write."""
    for file in files:
        tree = tree_of(file)
        yield from ((tree, node, model) for node, model in _in_file(file)) if tree is not None else ()


@of_text
def _in_file(file: str) -> tuple[tuple[ast.stmt, str], ...]:
    tree = tree_of(file)
    found: list[tuple[ast.stmt, str]] = []
    for node in tree.statements if tree is not None else ():
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=changing))) if changing in CHANGING:
                written = owner
            case ast.Assign(targets=[ast.Subscript(value=owner)]):
                written = owner
            case _:
                continue
        model = _asked_of(written)
        if not model and isinstance(written, ast.Name) and tree is not None:
            model = _bound_and_lost(tree, node, written.id)
        if model:
            found.append((node, model))
    return tuple(found)


def comes_to(files: Sequence[str], ran: Ran, tree: Tree, statement: ast.AST, callers: int = MAX_CALLERS) -> bool:
    """Whether the function of the statement began, and no test stands before it, or that is so of one that calls it:
    its line may not have been heard, as the recording rests between two fits."""
    if _is_to_come(tree, statement, ran.of(tree.file)):
        return True
    name = getattr(tree.function(statement), "name", "")
    calls = call_sites(files, name) if name and callers and not _is_tested(tree, statement) else []
    return any(comes_to(files, ran, other, call, callers - 1) for other, call in calls)


def _is_tested(tree: Tree, statement: ast.AST) -> bool:
    """Whether a test of its own function decides whether the statement runs."""
    scope = tree.function(statement) or tree.root
    for outer in tree.ancestors(statement):
        if outer is scope:
            return False
        if isinstance(outer, ast.If | ast.While | ast.Try | ast.ExceptHandler):
            return True
    return False


def _is_to_come(tree: Tree, statement: ast.AST, ran: Collection[int]) -> bool:
    """Whether the function of the statement began, and no test stands before it."""
    if _is_tested(tree, statement):
        return False
    line: int = getattr(statement, "lineno", 0)
    body = getattr(tree.function(statement) or tree.root, "body", [])
    return any(part.lineno in ran for part in body if isinstance(part, ast.stmt) and part.lineno <= line)


def _asked_of(node: ast.expr) -> str:
    """`model` of `model.state_dict()`; "" for anything else, and for an optimizer's."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="state_dict"), args=[], keywords=[]):
            text = ast.unparse(owner)
            return "" if "opt" in text.rpartition(".")[2].lower() or "sched" in text.lower() else text
    return ""


def _bound_and_lost(tree: Tree, write: ast.stmt, name: str) -> str:
    """What the name was asked of, where the function does nothing with it but to write into it."""
    scope = tree.function(write) or tree.root
    model, reads = "", 0
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                model = _asked_of(value)
                if not model:
                    return ""
            case ast.Name(id=read, ctx=ast.Load()) if read == name and not _only_writes(tree, node):
                reads += 1
    return model if not reads else ""


def _only_writes(tree: Tree, node: ast.Name) -> bool:
    """Whether the name is mentioned to write an entry, or to go through the keys in order to do so."""
    outer = tree.parents.get(node)
    match outer:
        case ast.Subscript(value=value, ctx=ast.Store()):
            return value is node
        case ast.Attribute(value=value, attr=changing) if changing in CHANGING:
            return value is node and isinstance(tree.statement(node), ast.Expr)
        case ast.Attribute(value=value, attr="keys"):
            return value is node
        case ast.For(iter=through):
            return through is node
    return False
