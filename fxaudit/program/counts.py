"""Counters of the user's program that begin anew before they get where a test asks for, or that only what stands behind
the test raises."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fxaudit.program.course import Course
from fxaudit.program.evaluation import evaluated
from fxaudit.program.plain import chain_of
from fxaudit.program.ran import Ran
from fxaudit.program.tree import Obstacle, Tree, tree_of

__all__ = ["Waiting", "begins_anew", "waits_for_itself"]

MIN_PASSES = 2
"""A counter stands still where it was the same in so many passes."""

BEGINNING = frozenset({"__init__", "__post_init__", "__new__", "<module>"})
"""Where something begins for the first time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A counter that a test asks for, and that only what stands behind the test would raise."""

    name: str
    value: int
    file: str
    line: int
    """Where it would be raised."""


def waits_for_itself(
    course: Course, files: Iterable[str], ran: Ran, test: tuple[str, int], behind: Iterable[ast.AST]
) -> Waiting | None:
    """The counter that stands still in every pass of the test at (file, line), since every statement that raises it
    stands in what the test keeps from running, `behind`."""
    sights = course.at(*test)
    tree = tree_of(test[0])
    statement = tree.statement_at(test[1]) if tree is not None else None
    if statement is None or len(sights) < MIN_PASSES:
        return None
    kept = {node for part in behind for node in ast.walk(part)}
    listed = list(files)
    asked = statement.test if isinstance(statement, ast.If | ast.While) else statement
    for node in ast.walk(asked):
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load) or not chain_of(node):
            continue
        values = {value if type(value := evaluated(node, one.read)) is int else None for one in sights}
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        raised = [(file, one) for file in listed for one in _raised(file, name)]
        idle = all(one in kept and one.lineno not in ran.of(file) for file, one in raised)
        if len(values) == 1 and None not in values and raised and idle:
            file, first = raised[0]
            return Waiting(ast.unparse(node), int(values.pop() or 0), file, first.lineno)
    return None


def _raised(file: str, name: str) -> Iterator[ast.AugAssign]:
    """The statements that change something of that name by a step."""
    tree = tree_of(file)
    for node in tree.statements if tree is not None else ():
        match node:
            case ast.AugAssign(target=ast.Name(id=target) | ast.Attribute(attr=target)) if target == name:
                yield node


def begins_anew(course: Course, obstacle: Obstacle) -> tuple[str, int, str] | None:
    """(file, line, name) of the statement that sets the counter back which the test asks for, as `seen = 0` in each
    epoch.

    The counter is set to a number in one place, and raised behind it; the place ran more than once, and the test never
    gave what was wanted. A counter that is an attribute is set back in another function than the one that asks for it.
    """
    tree = tree_of(obstacle.file)
    test = tree.statement_at(obstacle.line) if tree is not None else None
    if tree is None or not isinstance(test, ast.If) or obstacle.gave is None:
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
            return tree.file, begun[0].lineno, name
    for node in ast.walk(test.test):
        if isinstance(node, ast.Attribute) and (found := _part_begun_anew(course, tree, test, node)) is not None:
            return found
    return None


def _part_begun_anew(course: Course, tree: Tree, test: ast.If, counter: ast.Attribute) -> tuple[str, int, str] | None:
    """The same for a counter that is an attribute, by whoever sets it back."""
    chain = chain_of(counter.value)
    sights = course.at(tree.file, test.lineno) if chain is not None else []
    owners = {sight.read[chain.text].token for sight in sights if chain and chain.text in sight.read} - {-1}
    begun: dict[tuple[str, int], int] = {}
    is_raised = False
    for sight in course.sights:
        set_here = [target for target, place in sight.owners.items() if place[1] == counter.attr and place[0] in owners]
        entered = course.frames[sight.frame]
        if not set_here or entered.function.rpartition(".")[2] in BEGINNING:
            continue
        at = tree_of(entered.file)
        statement = at.statement_at(sight.line) if at is not None else None
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
            is_raised = True
        elif at is not None and statement is not None and at.function(statement) is not tree.function(test):
            match statement:
                case ast.Assign(value=ast.Constant(value=int())):
                    begun[entered.file, sight.line] = begun.get((entered.file, sight.line), 0) + 1
    if len(begun) != 1 or not is_raised:
        return None
    ((place, times),) = begun.items()
    return (*place, ast.unparse(counter)) if times > len(owners) else None


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
