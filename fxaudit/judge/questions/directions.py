"""The setting by which a number counts as better, where it only ever gets worse by it: `mode="max"` for a loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.course import Course, Sight
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.given import given_to
from fxaudit.program.tree import Tree, jumps_before, tree_of

__all__ = ["direction_born", "was_kept"]

NARROW = 0.01
"""Up to so much, a margin beside the best so far is none."""


def direction_born(audit: Audit, tree: Tree, around: ast.stmt) -> Birth | None:
    """The birth of the text or flag that gives the sign of a number, which a test around the statement compares with
    the best so far, where the number got worse, and would have been better by the other sign."""
    course = audit.record.course
    for other, line, test in _tests(course, tree, around):
        for sight in reversed(course.at(other.file, line)):
            for node in (part for part in ast.walk(test) if isinstance(part, ast.Compare)):
                for signed, best in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
                    found = _chosen(course, sight, signed) if _is_worse(course, sight, node, signed, best) else None
                    if found is not None:
                        return found
    return None


def _tests(course: Course, tree: Tree, around: ast.stmt) -> Iterator[tuple[Tree, int, ast.expr]]:
    """(tree, first line, test) of the branches around the statement, and of those in the function whose answer one of
    them asks for."""
    inner: ast.AST = around
    for outer in tree.ancestors(around):
        yield from ((tree, jump.lineno, jump.test) for jump in jumps_before(outer, inner))
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


def _is_worse(course: Course, sight: Sight, test: ast.Compare, signed: ast.expr, best: ast.expr) -> bool:
    """Whether the comparison of a signed number with the best so far did not hold, and would hold with the other sign.

    The best has to be such a number itself, seen before: what it begins with is another mistake, and so is a margin
    that is too wide. Where the numbers are not known, nothing else can be asked.
    """
    margin: object = 0.0
    match best:
        case ast.BinOp(left=kept, op=ast.Add() | ast.Sub(), right=beside):
            best, margin = kept, evaluated(beside, sight.read)
    if not isinstance(margin, int | float) or not was_kept(course, sight, best, signed):
        return False
    if not isinstance(test.ops[0], ast.Gt | ast.GtE | ast.Lt | ast.LtE):
        return False
    number, other = (evaluated(side, sight.read) for side in (signed, best))
    if NOT_KNOWN in (number, other):
        return abs(margin) <= NARROW
    if not isinstance(number, int | float) or not isinstance(other, int | float):
        return False
    asks_for_more = isinstance(test.ops[0], ast.Gt | ast.GtE) is (signed is test.left)
    return (other - number if asks_for_more else number - other) > abs(margin)


def was_kept(course: Course, sight: Sight, best: ast.expr, signed: ast.expr) -> bool:
    """Whether the best so far was given its value from what the signed number is called, or is made of."""
    if not isinstance(best, ast.Name | ast.Attribute):
        return False
    file, text = course.file_of(sight), ast.unparse(best)
    earlier = (s for s in reversed(course.sights[: sight.index]) if text in s.bound and course.file_of(s) == file)
    bound, now, tree = next(earlier, None), sight.read.get(text), tree_of(file)
    statement = tree.statement_at(bound.line) if tree is not None and bound is not None else None
    if bound is not None and now is not None and now != bound.bound[text]:  # it was set where nobody listened
        return any(_gives(node, text, signed) for node in (tree.statements if tree is not None else ()))
    return _gives(statement, text, signed)


def _gives(statement: ast.stmt | None, target: str, signed: ast.expr) -> bool:
    """Whether the statement gives the target what the signed number is called, or is made of."""
    given = given_to(statement, target) or _unpacked_to(statement, target)
    return given is not None and not _names(given).isdisjoint(_names(signed))


def _unpacked_to(statement: ast.stmt | None, target: str) -> ast.expr | None:
    """What `best, kept = score, values` gives the target."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            pairs = zip(targets, values, strict=False)
            return next((value for to, value in pairs if ast.unparse(to) == target), None)
    return None


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} - {"self", "float"}


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
