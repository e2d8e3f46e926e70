"""The qualified names of functions as their text tells them: Python 3.10 does not keep them with the code."""

from __future__ import annotations

import ast

__all__ = ["qualified_names"]

COMPREHENSIONS = {
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
    ast.GeneratorExp: "<genexpr>",
}


def qualified_names(root: ast.Module) -> dict[tuple[int, str], str]:
    """(first line, name) of each code object of a module → its qualified name; of two nested lambdas that begin on one
    line, the outer one's."""
    found: dict[tuple[int, str], str] = {}
    waiting: list[tuple[ast.AST, str]] = [(root, "")]
    for node, around in waiting:
        inside, name, line = _scope(node)
        inner, prefix = {id(part) for part in inside}, around
        if name:
            found.setdefault((line, name), around + name)
            has_locals = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            prefix = f"{around}{name}.<locals>." if has_locals else f"{around}{name}."
        waiting += [(part, prefix if id(part) in inner else around) for part in _parts(node)]
    return found


def _scope(node: ast.AST) -> tuple[list[ast.AST], str, int]:
    """What of the node runs in code of its own, and the name and the first line of that; without a name, nothing."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [*node.body], node.name, min(part.lineno for part in (node, *node.decorator_list))
        case ast.Lambda():
            return [node.body], "<lambda>", node.lineno
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            first = node.generators[0].iter
            return [part for part in _parts(node) if part is not first], COMPREHENSIONS[type(node)], node.lineno
    return [], "", 0


def _parts(node: ast.AST) -> list[ast.AST]:
    """The parts of the node; of a comprehension, those of each `for` as well."""
    parts = [*ast.iter_child_nodes(node)]
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        parts = [part for part in parts if not isinstance(part, ast.comprehension)]
        parts += [inner for each in node.generators for inner in ast.iter_child_nodes(each)]
    return parts
