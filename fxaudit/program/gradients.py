"""Statements of the user's program that write gradients."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from fxaudit.program.tree import Tree, tree_of

__all__ = ["gradient_writes", "updates_by_hand"]


def gradient_writes(files: Iterable[str]) -> Iterator[tuple[Tree, ast.stmt]]:
    """The statements that give some `.grad` a value, or write into it: `p.grad = g`, `p.grad.copy_(g)`."""
    for file in files:
        tree = tree_of(file)
        if tree is None:
            continue
        for node in tree.nodes:
            match node:
                case ast.Assign(targets=targets, value=value) if not _is_none(value) and any(map(_is_grad, targets)):
                    yield tree, node
                case ast.AugAssign(target=target) if _is_grad(target):
                    yield tree, node
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=written, attr=method), args=[_, *_])) if (
                    method.endswith("_") and _is_grad(written)
                ):
                    yield tree, node


def updates_by_hand(files: Iterable[str]) -> Iterator[tuple[Tree, ast.stmt]]:
    """The statements that write into a variable, in place, what they compute from its `.grad`: `p -= lr * p.grad`."""
    for file in files:
        tree = tree_of(file)
        for node in tree.statements if tree is not None else ():
            match node:
                case ast.AugAssign(target=written, value=value):
                    given: list[ast.expr] = [value]
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=written, attr=method), args=args)) if (
                    method.endswith("_") and not method.endswith("__")
                ):
                    given = args
                case _:
                    continue
            name = written.value if isinstance(written, ast.Attribute) and written.attr == "data" else written
            parts = (part for value in given for part in ast.walk(value))
            if tree is not None and any(
                isinstance(part, ast.Attribute) and part.attr == "grad" and ast.unparse(part.value) == ast.unparse(name)
                for part in parts
            ):
                yield tree, node


def _is_grad(target: ast.expr) -> bool:
    match target:
        case ast.Attribute(attr="grad" | "_grad"):
            return True
        case ast.Attribute(value=inner, attr="data") | ast.Subscript(value=inner):
            return _is_grad(inner)
    return False


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
