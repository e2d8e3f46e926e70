"""Counters of the user's program that begin anew before they get where a test asks for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.program.course import Course
from fxaudit.program.tree import Obstacle, Tree, tree_of

__all__ = ["begins_anew"]


def begins_anew(course: Course, obstacle: Obstacle) -> tuple[int, str] | None:
    """(line, name) of the statement that sets the counter back which the test asks for, as `seen = 0` in each epoch.

    The counter is set to a number in one place, and raised behind it; the place ran more than once, and the test never
    gave what was wanted.
    """
    tree = tree_of(obstacle.file)
    test = tree.statement_at(obstacle.line) if tree is not None else None
    if tree is None or not isinstance(test, ast.If) or obstacle.gave is not False:
        return None
    scope = tree.function(test)
    if scope is None:
        return None
    for name in sorted({node.id for node in ast.walk(test.test) if isinstance(node, ast.Name)}):
        begun = [node for node in _set_to_numbers(scope, name) if node.lineno < test.lineno]
        if (
            len(begun) == 1
            and _is_raised(tree, scope, name, begun[0])
            and len(course.at(tree.file, begun[0].lineno)) > 1
        ):
            return begun[0].lineno, name
    return None


def _set_to_numbers(scope: ast.AST, name: str) -> Iterator[ast.Assign]:
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Constant(value=int())) if target == name:
                yield node


def _is_raised(tree: Tree, scope: ast.AST, name: str, begun: ast.Assign) -> bool:
    """Whether something is added to the counter in a loop that does not set it back in each round."""
    for node in ast.walk(scope):
        match node:
            case ast.AugAssign(target=ast.Name(id=target), op=ast.Add()) if target == name:
                loops = [outer for outer in tree.ancestors(node) if isinstance(outer, ast.For | ast.While)]
                if loops and loops[0] not in set(tree.ancestors(begun)):
                    return True
    return False
