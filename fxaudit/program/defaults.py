"""Parameters that have a default, and what calls give for them."""

from __future__ import annotations

import ast

from fxaudit.program.tree import tree_of

__all__ = ["given_for", "parameter_at"]


def parameter_at(file: str, line: int, name: str) -> tuple[ast.FunctionDef, str] | None:
    """The function with a default for a parameter on that line, and the parameter: the one of that name, or the only
    one."""
    tree = tree_of(file)
    for node in tree.nodes if tree is not None else ():
        if isinstance(node, ast.FunctionDef):
            defaults = {parameter: value for parameter, value in _defaults(node) if value.lineno == line}
            if name in defaults or len(defaults) == 1:
                return node, name if name in defaults else next(iter(defaults))
    return None


def given_for(call: ast.Call, scope: ast.FunctionDef, name: str) -> ast.expr | None:
    """What the call gives for the parameter of the function; None where that is its default, or cannot be told."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = [argument.arg for argument in (*scope.args.posonlyargs, *scope.args.args)]
    if names[:1] in (["self"], ["cls"]) and isinstance(call.func, ast.Attribute):
        names = names[1:]
    if name not in names or any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    position = names.index(name)
    return call.args[position] if position < len(call.args) else None


def _defaults(scope: ast.FunctionDef) -> list[tuple[str, ast.expr]]:
    """(parameter, default) of the function."""
    given = scope.args
    positional = [*given.posonlyargs, *given.args]
    with_default = positional[len(positional) - len(given.defaults) :]
    found = [(argument.arg, value) for argument, value in zip(with_default, given.defaults, strict=True)]
    by_keyword = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return [*found, *((argument.arg, value) for argument, value in by_keyword if value is not None)]
