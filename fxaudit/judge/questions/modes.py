"""The setting that chooses by which of two comparisons a number counts as better, where it goes the other way."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from statistics import fmean

from fxaudit.judge.questions.directions import was_kept
from fxaudit.judge.rule import Audit
from fxaudit.program.birth import Birth
from fxaudit.program.course import Course, Sight
from fxaudit.program.decisions import Decisions
from fxaudit.program.evaluation import evaluated
from fxaudit.program.tree import Tree, jumps_before, tests_leading_to, tree_of

__all__ = ["mode_born"]

RISES = 1.25
"""A loss that grew by so much went the wrong way itself, and what is measured with it."""
ALIKE = 3.0
"""What is so many times as large as the loss, or as small, is no number of its kind."""
CLEAR = 1.5
"""What has grown by so much is no error that rises a little where the training begins."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A comparison of a number with the best so far, and the branch that chose it, and not its opposite."""

    sight: Sight
    asks_for_more: bool
    number: float
    best: float
    line: int
    test: ast.expr
    outcome: bool

    @property
    def failed(self) -> bool:
        """Whether the number was worse by it."""
        return self.number < self.best if self.asks_for_more else self.number > self.best


def mode_born(audit: Audit, tree: Tree, around: ast.stmt) -> Birth | None:
    """The birth of the text or flag that chose the comparison behind a test around the statement, where the number was
    worse by it in each pass, the loss did not rise, and the number is one of the kind that the other is for."""
    course = audit.record.course
    for line, test, _ in tests_leading_to(tree, around):
        seen = [choice for sight in course.at(tree.file, line) for choice in _choices(course, sight, test)]
        if not seen or not all(choice.failed for choice in seen) or not _is_turned_round(audit, seen):
            continue
        last = seen[-1]
        file = course.file_of(last.sight)
        for asked in reversed(course.at(file, last.line)):
            if asked.frame == last.sight.frame and asked.index <= last.sight.index:
                found = Decisions(course).in_pass(asked, last.test, outcome=last.outcome)
                birth = found.birth if found is not None and isinstance(found.value, str | bool) else None
                return birth if birth is not None and birth.is_a_setting else None
    return None


def _is_turned_round(audit: Audit, seen: list[_Choice]) -> bool:
    """Whether a number that is to rise is like the loss, or one that is to fall grew a lot, though the loss did not."""
    events = audit.record.backwards()
    losses = [event.loss for event in events if event.accumulates and event.loss is not None]
    half = len(losses) // 2
    if not half or fmean(losses[half:]) > RISES * fmean(losses[:half]) or min(losses) <= 0:
        return False
    if any(choice.asks_for_more for choice in seen):
        return all(losses[0] / ALIKE <= choice.best <= losses[0] * ALIKE for choice in seen)
    return all(choice.best >= 0 and choice.number >= CLEAR * choice.best for choice in seen)


def _choices(course: Course, sight: Sight, test: ast.expr) -> Iterator[_Choice]:
    """The comparisons that the test asks for in this pass: in itself, in what gave its names their values, or in the
    functions that these call."""
    names = [node.id for node in ast.walk(test) if isinstance(node, ast.Name)]
    bound = [found for name in names if (found := course.name_bound(sight.frame, name, sight.index)) is not None]
    passes = [sight, *bound]
    passes += [inner for one in [*passes] for frame in course.calls_in(one) for inner in course.in_frame(frame)]
    for one in passes:
        tree = tree_of(course.file_of(one))
        statement = tree.statement_at(one.line) if tree is not None else None
        match statement:
            case ast.If(test=asked) | ast.Assign(value=asked) | ast.Return(value=ast.expr() as asked):
                for node in ast.walk(asked):
                    if isinstance(node, ast.Compare) and len(node.ops) == 1:
                        yield from _chosen(course, one, statement, node)


def _chosen(course: Course, sight: Sight, statement: ast.stmt, test: ast.Compare) -> Iterator[_Choice]:
    """The comparison as a choice, if its function has the opposite one behind the same test."""
    tree = tree_of(course.file_of(sight))
    compared = _compared(course, sight, test)
    if tree is None or compared is None:
        return
    scope: ast.AST = tree.function(statement) or tree.root
    inner: ast.AST = test
    others = {node for node in ast.walk(scope) if isinstance(node, ast.Compare) and _are_opposed(node, test)}
    for outer in tree.ancestors(test):
        found: list[tuple[int, ast.expr, bool]] = []
        for jump in jumps_before(outer, inner):
            found += [(jump.lineno, jump.test, False)] if _has(jump, others) else []
        match outer:
            case ast.If(test=asked, body=body) if inner is not asked and _has(outer, others):
                found.append((outer.lineno, asked, inner in body))
            case ast.IfExp(test=asked, body=chosen) if inner is not asked and _has(outer, others):
                found.append((statement.lineno, asked, inner is chosen))
        for line, asked, outcome in found[:1]:
            if evaluated(asked, sight.read) is not (not outcome):
                yield _Choice(sight, *compared, line, asked, outcome)
        if found or outer is scope:
            return
        inner = outer


def _has(branch: ast.AST, others: Collection[ast.AST]) -> bool:
    return any(node in others for node in ast.walk(branch))


def _compared(course: Course, sight: Sight, test: ast.Compare) -> tuple[bool, float, float] | None:
    """(whether it asks for more, the number, the best so far) where the comparison is of such two."""
    sides = [_without_margin(side) for side in (test.left, test.comparators[0])]
    for signed, best in (sides, sides[::-1]):
        number, other = (evaluated(side, sight.read) for side in (signed, best))
        if not isinstance(number, int | float) or not isinstance(other, int | float):
            continue
        if was_kept(course, sight, best, signed):
            asks_for_more = isinstance(test.ops[0], ast.Gt | ast.GtE) is (signed is sides[0])
            return asks_for_more, float(number), float(other)
    return None


def _without_margin(side: ast.expr) -> ast.expr:
    match side:
        case ast.BinOp(left=kept, op=ast.Add() | ast.Sub()):
            return kept
    return side


def _are_opposed(one: ast.Compare, other: ast.Compare) -> bool:
    """Whether one asks whether the number is more, and the other whether it is less, than the same."""
    if len(one.ops) != 1 or len(other.ops) != 1:
        return False
    if not all(isinstance(test.ops[0], ast.Gt | ast.GtE | ast.Lt | ast.LtE) for test in (one, other)):
        return False
    sides, others = (
        [ast.unparse(_without_margin(side)) for side in (test.left, test.comparators[0])] for test in (one, other)
    )
    ask_alike = len({isinstance(test.ops[0], ast.Gt | ast.GtE) for test in (one, other)}) == 1
    return sides == (others[::-1] if ask_alike else others)
