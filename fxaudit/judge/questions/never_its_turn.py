"""A schedule by which parts are unfrozen one after the other, where the turn of one comes after the end."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.births import Births
from fxaudit.program.config_files import lines_with
from fxaudit.program.course import Course, Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import tree_of

__all__ = ["Turn", "never_its_turn"]


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn that never came: where it is set, the test that waits for it, and both in words."""

    line: SourceLine
    test: SourceLine
    words: str


def never_its_turn(audit: Audit, states: list[ParameterState], thaw: SourceLine) -> Turn | None:
    """The number with which the test around a thaw compares a counter, in the passes that are about the parameters,
    where that was never so far; None where the test is another, or was true."""
    tree = tree_of(actual_path(thaw.file))
    statement = tree.statement_at(thaw.line) if tree is not None else None
    branches = (o for o in (tree.ancestors(statement) if tree and statement else ()) if isinstance(o, ast.If))
    branch = next(branches, None)
    if tree is None or branch is None or not isinstance(branch.test, ast.Compare) or len(branch.test.ops) != 1:
        return None
    course = audit.record.course
    loops = [outer for outer in tree.ancestors(branch) if isinstance(outer, ast.For)]
    names = {node.id for loop in loops for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    own = [sight for sight in course.at(tree.file, branch.lineno) if _is_about(course, sight, names, states)]
    if not own or any(evaluated(branch.test, sight.read) is not False for sight in own):
        return None
    for side in (branch.test.comparators[0], branch.test.left):
        numbers = {number for sight in own if isinstance(number := evaluated(side, sight.read), int | float)}
        if len(numbers) == 1 and isinstance(side, ast.Name | ast.Attribute | ast.Subscript):
            number = numbers.pop()
            words = f"`{ast.unparse(branch.test)}` was never true for it: `{ast.unparse(side)}` is {number}"
            test = source_at(tree.file, branch.lineno)
            return Turn(_set_at(course, own[-1], side, number) or test, test, words)
    return None


def _is_about(course: Course, sight: Sight, names: set[str], states: list[ParameterState]) -> bool:
    """Whether the pass is about the part of the model whose parameters these are: a loop's variable holds its name."""
    bound = {name: course.name_bound(sight.frame, name, sight.index) for name in names}
    of_this_round = {
        name: found.bound[name]
        for name, found in bound.items()
        if found is not None and all(sight.read.get(other, held) == held for other, held in found.bound.items())
    }
    held = [*of_this_round.values()]
    parts = [f".{seen.value}." for seen in held if seen.is_plain and isinstance(seen.value, str)]
    return any(all(part in f".{state.name}." for state in states) for part in parts)


def _set_at(course: Course, sight: Sight, side: ast.expr, number: float) -> SourceLine | None:
    """Where the number was set; in a list of a configuration file, where one alone has it."""
    birth = Births(course).back(sight, side, number)
    if birth is not None and birth.is_a_setting:
        return source_at(birth.file, birth.line)
    found = [
        (file, line)
        for file in course.config_files(sight.index)
        for line, text in lines_with(file, str(number))
        if "[" in text or text.startswith("- ")
    ]
    return source_at(*found[0]) if len(found) == 1 else None
