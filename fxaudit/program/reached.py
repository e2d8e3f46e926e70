"""Whether the program came to a piece of code that no torch call marks: by what ran before and behind it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from fxaudit.program.ran import Ran, RanLines
from fxaudit.program.tree import Tree, call_sites, obstacles

__all__ = ["was_passed"]

MAX_CALLERS = 3


def was_passed(files: Sequence[str], ran: Ran, tree: Tree, node: ast.AST, callers: int = MAX_CALLERS) -> bool:
    """Whether what stands behind `node` ran, and no branch leaves `node` out: then the program came by.

    Loops may have had rounds that left no trace. In a function of which nothing was seen, its calls answer.
    """
    lines = ran.of(tree.file)
    scope = tree.function(node)
    loops = {outer.lineno for outer in tree.ancestors(node) if isinstance(outer, ast.For)}
    if any(obstacle.line not in loops for obstacle in obstacles(tree, node, lines)):
        return False
    if lines.certainly_not(getattr(node, "lineno", 0)):
        return False
    if any(_ran(statement, lines) for statement in _behind(tree, node)):
        return True
    name = getattr(scope, "name", "")
    if not name or not callers:
        return False
    return any(was_passed(files, ran, other, call, callers - 1) for other, call in call_sites(files, name))


def _behind(tree: Tree, node: ast.AST) -> Iterator[ast.stmt]:
    """The statements of the same function that follow `node` without a loop beginning anew between them."""
    inner = node
    for outer in tree.ancestors(node):
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(outer, name, None)
            if isinstance(statements, list) and inner in statements:
                yield from statements[statements.index(inner) + 1 :]
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        inner = outer


def _ran(statement: ast.stmt, lines: RanLines) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False  # that its body ran says nothing of when
    return any(statement.lineno <= line <= (statement.end_lineno or statement.lineno) for line in lines)
