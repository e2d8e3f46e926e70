"""The setting by which a number counts as better, where it only ever gets worse by it: `mode="max"` for a loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.course import Course, Sight
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.tree import Tree, tree_of

__all__ = ["direction_born"]


def direction_born(audit: Audit, tree: Tree, around: ast.stmt) -> Birth | None:
    """The birth of the text or flag that gives the sign of a number, which a test around the statement compares with
    the best so far, where the number got worse, and would have been better by the other sign."""
    course = audit.record.course
    for other, line, test in _tests(course, tree, around):
        for sight in reversed(course.at(other.file, line)):
            for node in (part for part in ast.walk(test) if isinstance(part, ast.Compare)):
                sides = (node.left, *node.comparators) if _is_worse(node, sight) else ()
                found = next(filter(None, (_chosen(course, sight, side) for side in sides)), None)
                if found is not None:
                    return found
    return None


def _tests(course: Course, tree: Tree, around: ast.stmt) -> Iterator[tuple[Tree, int, ast.expr]]:
    """(tree, first line, test) of the branches around the statement, and of those in the function whose answer one of
    them asks for."""
    inner: ast.AST = around
    for outer in tree.ancestors(around):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        if isinstance(outer, ast.If) and inner is not outer.test:
            yield tree, outer.lineno, outer.test
            for sight in course.at(tree.file, outer.lineno)[-1:]:
                yield from _asked(course, sight, outer.test)
        inner = outer


def _asked(course: Course, sight: Sight, test: ast.expr) -> Iterator[tuple[Tree, int, ast.expr]]:
    names = [node.id for node in ast.walk(test) if isinstance(node, ast.Name)]
    bound = [found for name in names if (found := course.name_bound(sight.frame, name, sight.index)) is not None]
    for frame in (frame for call in (sight, *bound) for frame in course.calls_in(call)):
        for inner in course.in_frame(frame):
            other = tree_of(course.file_of(inner))
            statement = other.statement_at(inner.line) if other is not None else None
            if other is not None and isinstance(statement, ast.If):
                yield other, statement.lineno, statement.test


def _is_worse(test: ast.Compare, sight: Sight) -> bool:
    """Whether the comparison did not hold, and would hold of the numbers with the other sign; where they are not known,
    whether it asks for more or less."""
    left, right = (evaluated(side, sight.read) for side in (test.left, test.comparators[0]))
    if NOT_KNOWN in (left, right):
        return isinstance(test.ops[0], ast.Gt | ast.GtE | ast.Lt | ast.LtE)
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return False
    match test.ops:
        case [ast.Gt() | ast.GtE()]:
            return left < right
        case [ast.Lt() | ast.LtE()]:
            return left > right
    return False


def _chosen(course: Course, sight: Sight, side: ast.expr) -> Birth | None:
    """The birth of what chose between 1 and -1, by one of which a side of the comparison was multiplied."""
    births = Births(course)
    for at, part in _parts(course, sight, side):
        value = evaluated(part, at.read)
        sign = births.back(at, part, value) if isinstance(value, int | float) and value in (1, -1) else None
        tree = tree_of(sign.file) if sign is not None else None
        statement = tree.statement_at(sign.line) if tree is not None and sign is not None else None
        for choice in ast.walk(statement) if statement is not None else ():
            if isinstance(choice, ast.IfExp) and tree is not None and statement is not None:
                asked = choice.test.left if isinstance(choice.test, ast.Compare) else choice.test
                for seen in course.at(tree.file, statement.lineno)[-1:]:
                    given = evaluated(asked, seen.read)
                    found = births.back(seen, asked, given) if isinstance(given, str | bool) else None
                    return found if found is not None and found.is_a_setting else None
    return None


def _parts(course: Course, sight: Sight, side: ast.expr) -> Iterator[tuple[Sight, ast.expr]]:
    """The names and attributes of a side, and of what the names in it were computed from."""
    for node in (part for part in ast.walk(side) if isinstance(part, ast.Name | ast.Attribute)):
        yield sight, node
        bound = course.name_bound(sight.frame, node.id, sight.index) if isinstance(node, ast.Name) else None
        tree = tree_of(course.file_of(bound)) if bound is not None else None
        statement = tree.statement_at(bound.line) if tree is not None and bound is not None else None
        for inner in ast.walk(statement.value) if isinstance(statement, ast.Assign) else ():
            if bound is not None and isinstance(inner, ast.Name | ast.Attribute):
                yield bound, inner
