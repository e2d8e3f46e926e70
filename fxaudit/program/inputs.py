"""Which names of a function hold parts of its arguments: what is in them only the caller knows."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

__all__ = ["parts_of_inputs"]

TAKING = frozenset({"get", "pop", "items", "values", "keys", "popitem", "setdefault", "copy"})
"""Methods of containers that give parts of them."""
GOING_THROUGH = frozenset({"next", "iter", "zip", "enumerate", "reversed", "sorted", "list", "tuple", "dict"})


def parts_of_inputs(scope: ast.AST | None, arguments: Collection[str]) -> set[str]:
    """The names that are bound to parts of the arguments, as `x` in `x, *rest = batch` and in `x = batch["image"]`.

    What a call of anything but a container's own methods returns is no such part.
    """
    bindings = list(_bindings(scope)) if scope is not None else []
    found = set(arguments)
    grew = True
    while grew:
        fresh = {name for names, value in bindings if _is_part(value, found) for name in names} - found
        found |= fresh
        grew = bool(fresh)
    return found - set(arguments)


def _bindings(scope: ast.AST) -> Iterator[tuple[list[str], ast.expr]]:
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield [name for target in targets for name in _names(target)], value
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                yield list(_names(target)), value
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                yield list(_names(target)), value


def _names(target: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _is_part(value: ast.expr, known: Collection[str]) -> bool:
    match value:
        case ast.Name(id=name):
            return name in known
        case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Starred(value=inner):
            return _is_part(inner, known)
        case ast.Call(func=ast.Attribute(value=inner, attr=method)) if method in TAKING:
            return _is_part(inner, known)
        case ast.Call(func=ast.Name(id=name), args=[*given]) if name in GOING_THROUGH:
            return any(_is_part(part, known) for part in given)
    return False
