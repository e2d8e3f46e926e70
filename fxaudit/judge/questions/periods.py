"""A line that steps several optimizers, and the one whose test waits for more batches than are ever counted."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture.events import BackwardEvent, StepEvent
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import blamed, source_at
from fxaudit.program.births import Births
from fxaudit.program.counts import begins_anew
from fxaudit.program.course import Course, Sight
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.evaluation import evaluated
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import Obstacle, Tree, tests_leading_to, tree_of

__all__ = ["FEWER", "waits_for_more_than_are_counted"]

FEWER = "Wait for fewer batches, let the counter go on from one epoch to the next, or step once more behind the loop."
MAX_FRAMES = 3
"""So many callers of a step are asked for a test."""

Lines = list[tuple[SourceLine, str]]
Wait = tuple[tuple[object, ...], float]
"""What a pass through the test is about, and for how many batches it waits."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The counter for which a test asks, the number for which it waits, and the pass in which they are compared."""

    sight: Sight
    count: ast.expr
    every: ast.expr


def waits_for_more_than_are_counted(audit: Audit, optimizer: int) -> Lines:
    """Why a step that runs for other optimizers never does for this one: the line to edit first.

    A test asks whether a counter is a multiple of a number that each of them has of its own, and it was never so for
    the number of this one. There are as many numbers that were never reached as optimizers that never step.
    """
    stuck = [one for one in audit.recording.optimizers if one.held_in and not one.steps]
    if all(one.index != optimizer for one in stuck):
        return []
    for tree, statement in _stepping(audit):
        for line, test, wanted in tests_leading_to(tree, statement):
            own = _waiting(audit, tree, line, test, wanted)
            if own and len(own) == len(stuck):
                return _told(audit, tree, statement, test, [sight for sights in own.values() for sight in sights])
    return []


def _stepping(audit: Audit) -> Iterator[tuple[Tree, ast.stmt]]:
    """The statements in which some optimizer steps, and those that call them."""
    stacks, seen = audit.record.stacks, set[tuple[str, int]]()
    for event in audit.record.steps():
        own = [frame for frame in stacks.chain(event.stack) if not is_library(stacks.file(frame))]
        for frame in own[:MAX_FRAMES]:
            place = (stacks.file(frame), stacks.line(frame))
            tree = tree_of(place[0]) if place not in seen else None
            seen.add(place)
            statement = tree.statement_at(place[1]) if tree is not None else None
            if tree is not None and statement is not None:
                yield tree, statement


def _waiting(audit: Audit, tree: Tree, line: int, test: ast.expr, wanted: bool) -> dict[Wait, list[Sight]]:
    """The passes through the test that are about an optimizer for which it never gave what is `wanted`; none where it
    did so for nobody."""
    found: dict[Wait, list[Sight]] = {}
    reached: set[Wait] = set()
    for sight in audit.record.course.at(tree.file, line):
        asked = _asked(audit, sight, test)
        if asked is None:
            continue
        count, every = (evaluated(side, asked.sight.read) for side in (asked.count, asked.every))
        gave = Decisions(audit.record.course).truth(test, sight)
        if not isinstance(every, int | float) or not isinstance(count, int | float) or gave is None:
            return {}
        wait = (_about(asked.sight), every)
        if gave is wanted or every <= count:
            reached.add(wait)
        found.setdefault(wait, []).append(sight)
    longest = max(_rounds_before_first_steps(audit), default=0)
    own = {wait: sights for wait, sights in found.items() if wait not in reached and wait[1] > longest}
    return own if reached else {}


def _asked(audit: Audit, sight: Sight, test: ast.expr) -> _Asked | None:
    """What the test, or the function that it asks, compares: the remainder of a counter, or the counter itself."""
    if isinstance(test, ast.Call):
        answered = Births(audit.record.course).answer(sight, test)
        if answered is None:
            return None
        sight, test = answered
    found = [part for part in ast.walk(test) if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mod)]
    match found, test:
        case [ast.BinOp(left=count, right=every)], _:
            return _Asked(sight, count, every)
        case [], ast.Compare(
            left=count, ops=[_], comparators=[ast.Name() | ast.Attribute() | ast.Subscript() as every]
        ):
            return _Asked(sight, count, every)
    return None


def _about(sight: Sight) -> tuple[object, ...]:
    """The objects and the texts that the statement reads."""
    read = [(seen.token, seen.value if isinstance(seen.value, str) else None) for seen in sight.read.values()]
    return tuple(one for one in read if one != (-1, None))


def _rounds_before_first_steps(audit: Audit) -> Iterator[int]:
    """How many times backward ran before each optimizer that steps did so first: a number that no test was seen to
    reach may be its own up to there."""
    rounds, stepped = 0, set[int]()
    for event in audit.record.events:
        if isinstance(event, BackwardEvent):
            rounds += 1
        elif isinstance(event, StepEvent) and event.optimizer not in stepped:
            stepped.add(event.optimizer)
            yield rounds


def _told(audit: Audit, tree: Tree, statement: ast.stmt, test: ast.expr, passes: list[Sight]) -> Lines:
    """Where the counter is set back, else the number for which the test waits where somebody set it, else the test."""
    course = audit.record.course
    decisions = Decisions(course)
    made = (decisions.in_pass(one, test, outcome=outcome) for one in reversed(passes) for outcome in (False, True))
    found: list[Decision] = [decision for decision in made if decision is not None]
    here = (source_at(tree.file, test.lineno), f"`{ast.unparse(test)}` never lets this one come to its turn")
    call = (source_at(tree.file, statement.lineno), "the call that never runs for it")
    if not found:
        return []
    anew = begins_anew(course, Obstacle(tree.file, test.lineno, "", gave=False))
    if anew is not None:
        return [(source_at(anew[0], anew[1]), f"`{anew[2]}` begins anew here, each time"), here, call]
    counted = _counted(audit, passes[-1], test)
    if len({decision.place for decision in found}) != 1:
        return [here, *counted, call]
    first, *others = blamed(found[0], [here])
    return [first, *counted, *others, call]


def _counted(audit: Audit, sight: Sight, test: ast.expr) -> Lines:
    """The loop that counts, in the same function or in a caller's, where it was seen to begin anew."""
    course = audit.record.course
    asked = _asked(audit, sight, test)
    inner: Sight | None = asked.sight if asked is not None else None
    names = {node.id for node in ast.walk(asked.count) if isinstance(node, ast.Name)} if asked is not None else set()
    for _ in range(MAX_FRAMES):
        tree = tree_of(course.file_of(inner)) if inner is not None else None
        statement = tree.statement_at(inner.line) if tree is not None and inner is not None else None
        if tree is None or statement is None or inner is None:
            return []
        for loop in (outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For)):
            counters = sorted(names & {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)})
            if counters and _falls(course, tree, loop, counters[0]):
                return [(source_at(tree.file, loop.lineno), f"`{counters[0]}` begins anew here, each time")]
        inner = Births(course).caller(inner.frame)
        names = {name for name, seen in inner.read.items() if type(seen.value) is int} if inner is not None else set()
    return []


def _falls(course: Course, tree: Tree, loop: ast.For, name: str) -> bool:
    """Whether the loop was seen to give the name a smaller number than before."""
    seen = (one.bound.get(name) for one in course.at(tree.file, loop.lineno))
    numbers = [one.value for one in seen if one is not None and isinstance(one.value, int) and one.is_plain]
    return any(later < before for before, later in itertools.pairwise(numbers))
