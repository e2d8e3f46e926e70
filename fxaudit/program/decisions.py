"""Why a test of the user's program went the way it did: the operand that decided, with the value that it had."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.course import Course, Plain, Seen, Sight
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.plain import words_of
from fxaudit.program.tree import RANDOM_FUNCTIONS, Tree

__all__ = ["Decision", "Decisions", "tests_before"]

MAX_PASSES = 12
"""So many passes of a test are looked at."""
MAX_ASKED = 6
"""So many functions are followed that a test asks."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a test went the way it did: the operand that decided, what it was, and where that comes from."""

    file: str
    line: int
    """Where the part of the test stands that decided: a function may have been asked."""
    text: str
    """That part, as it is written."""
    operand: str
    value: Plain
    birth: Birth | None
    is_compared: bool = False
    """Whether the operand is compared with something; else its truth alone decides."""

    @property
    def place(self) -> tuple[str, int]:
        """The line to edit: where a flag was given its value; else the test."""
        is_left_out = self.birth is not None and self.birth.kind == "default" and self.value is None
        if self.birth is not None and not self.is_compared and not is_left_out:
            return self.birth.file, self.birth.line
        return self.file, self.line


class Decisions:
    """Answers for one course."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._births = Births(course)

    def of(self, file: str, line: int, test: ast.expr, outcome: bool) -> Decision | None:
        """Why `test` gave `outcome` whenever it was seen; None where it was not seen, or gave the other as well."""
        sights = self._course.at(file, line)
        if not sights or any(self._truth(test, sight) is (not outcome) for sight in sights):
            return None
        last = self._decided(sights[-1], test, outcome)
        if last is None or not last.is_compared:
            return last
        # Of several values that came by, one that is nearly what the test asks for says more than the last one.
        earlier = (self._decided(sight, test, outcome) for sight in sights[-MAX_PASSES:-1])
        return next((found for found in earlier if found is not None and found.birth and found.birth.asked), last)

    def counts(self, file: str, line: int, test: ast.expr) -> bool:
        """Whether `test`, or the function that it asks, compares a number that changed from pass to pass with one that
        did not."""
        sights = self._course.at(file, line)
        if isinstance(test, ast.Call):
            answers = [found for sight in sights if (found := self._births.answer(sight, test)) is not None]
            if len({id(returned) for _, returned in answers}) != 1:
                return False
            sights, test = [sight for sight, _ in answers], answers[0][1]
        if not isinstance(test, ast.Compare) or len(test.comparators) != 1:
            return False
        seen = [{evaluated(side, sight.read) for sight in sights} for side in (test.left, test.comparators[0])]
        are_numbers = all(isinstance(value, int | float) for values in seen for value in values)
        return are_numbers and sorted(len(values) == 1 for values in seen) == [False, True]

    def no_round(self, file: str, line: int, through: ast.expr) -> Decision | None:
        """Why the loop that goes `through` something had no round: a count of 0, or a container without a member."""
        match through:
            case ast.Call(func=ast.Name(id="range"), args=[stop] | [_, stop]):
                through = stop
            case ast.Call(func=ast.Name(id="enumerate" | "reversed" | "list" | "tuple"), args=[inner, *_]):
                through = inner
        for sight in reversed(self._course.at(file, line)):
            value = evaluated(through, sight.read)
            if _is_plain(value) and not (isinstance(value, int | float) and value > 0):
                return self._told(sight, through, through, value, is_compared=False)
        return None

    def in_pass(self, sight: Sight, test: ast.expr, *, outcome: bool) -> Decision | None:
        """Why `test` gave `outcome` in one pass; None where it did not, or that cannot be told."""
        return self._decided(sight, test, outcome) if self._truth(test, sight) is outcome else None

    def truth(self, test: ast.expr, sight: Sight) -> bool | None:
        """What `test` gave in one pass; None where that cannot be told."""
        return self._truth(test, sight)

    def _decided(self, sight: Sight, test: ast.expr, outcome: bool, depth: int = 0) -> Decision | None:
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return self._decided(sight, inner, not outcome, depth)
            case ast.BoolOp(values=values):
                part = self._deciding(sight, values, outcome)
                return self._decided(sight, part, outcome, depth) if part is not None else None
            case ast.Compare(
                left=ast.BinOp(op=ast.Mod(), right=every), ops=[ast.Eq()], comparators=[ast.Constant(value=0)]
            ) if not outcome and (period := self._period(sight, test, every)) is not None:
                return period
            case (
                ast.BinOp(op=ast.Mod(), right=every)
                | ast.Compare(
                    left=ast.BinOp(op=ast.Mod(), right=every),
                    ops=[ast.NotEq() | ast.Gt()],
                    comparators=[ast.Constant(value=0)],
                )
            ) if outcome and (period := self._period(sight, test, every)) is not None:
                return period
            case ast.Compare(left=left, comparators=[right]):
                return self._compared(sight, test, left, right)
        made = self._made_by_a_test(sight, test) if depth < MAX_ASKED else None
        if made is not None and (found := self._decided(*made, outcome, depth + 1)) is not None:
            return found
        value = evaluated(test, sight.read)
        if _is_plain(value):
            return self._told(sight, test, test, value, is_compared=False)
        answered = self._births.answer(sight, test)
        if answered is not None and depth < MAX_ASKED:
            return self._decided(*answered, outcome, depth + 1)
        return None

    def _made_by_a_test(self, sight: Sight, test: ast.expr) -> tuple[Sight, ast.expr] | None:
        """The test that gave the variable its value in the same call: `better = value < best`."""
        bound = self._course.name_bound(sight.frame, test.id, sight.index) if isinstance(test, ast.Name) else None
        statement = self._births.statement(bound) if bound is not None else None
        made = statement.value if isinstance(statement, ast.Assign) else None
        inner = made.operand if isinstance(made, ast.UnaryOp) and isinstance(made.op, ast.Not) else made
        is_test = isinstance(inner, ast.Compare | ast.BoolOp)
        return (bound, made) if is_test and bound is not None and made is not None else None

    def _compared(self, sight: Sight, test: ast.expr, left: ast.expr, right: ast.expr) -> Decision | None:
        """Of two operands the one that was set somewhere, where the other changes; else the left one.

        A comparison with 0, None, False or nothing asks for no more than the truth of the other side. A text that was
        set, and is nearly the one that it is compared with, is to blame itself.
        """
        respelt = self._births.respelt(sight, test)
        if respelt is not None:
            return replace(self._told(sight, test, left, respelt.value, is_compared=False), birth=respelt)
        sides = [side for side in (left, right) if not isinstance(side, ast.Constant)]
        sides = [side for side in sides if _is_plain(evaluated(side, sight.read))]
        told = [
            self._told(sight, test, side, evaluated(side, sight.read), is_compared=not _is_nothing(other, sight))
            for side, other in ((left, right), (right, left))
            if side in sides
        ]
        if isinstance(right, ast.Constant) and len(told) == 1 and _is_a_mode(told[0], right.value):
            return replace(told[0], is_compared=False)
        settings = [decision for decision in told if decision.birth is not None and decision.birth.is_a_setting]
        are_names = all(isinstance(side, ast.Name | ast.Attribute) for side in (left, right))
        if are_names and len(told) > 1 and len(settings) == 1:
            other = next(side for side in sides if ast.unparse(side) != settings[0].operand)
            is_told = any(decision.birth is not None for decision in told if decision is not settings[0])
            if not is_told or self._changes(sight, other):
                return replace(settings[0], is_compared=False)
        is_filled = any(_is_length(side) for side in (left, right))
        # What holds no more than so many may have to hold more.
        is_bounded = any("maxlen" in words_of(file) for file in self._course.files())
        if is_filled and not is_bounded and len(told) == len(settings) == 1:
            return replace(settings[0], is_compared=False)
        return told[0] if told else None

    def _period(self, sight: Sight, test: ast.expr, every: ast.expr) -> Decision | None:
        """The setting by which a counter is divided in `count % every == 0`, where the counter never comes that far."""
        value = evaluated(every, sight.read)
        told = self._told(sight, test, every, value, is_compared=False) if _is_plain(value) else None
        birth = told.birth if told is not None else None
        entered = self._course.frames[sight.frame]
        is_own = birth is not None and (birth.file, birth.line) == (entered.file, entered.first_line)
        return told if birth is not None and birth.is_a_setting and not is_own else None

    def _changes(self, sight: Sight, node: ast.expr) -> bool:
        """Whether the expression was seen to hold several values there: a counter that runs."""
        sights = self._course.at(self._course.file_of(sight), sight.line)
        return len({evaluated(node, other.read) for other in sights}) > 1

    def _told(self, sight: Sight, test: ast.expr, operand: ast.expr, value: object, *, is_compared: bool) -> Decision:
        birth = self._births.back(sight, operand, value, ())  # type: ignore[arg-type]
        file = self._course.file_of(sight)
        text = ast.unparse(test)
        return Decision(file, test.lineno, text, ast.unparse(operand), value, birth, is_compared)  # type: ignore[arg-type]

    def _deciding(self, sight: Sight, values: list[ast.expr], outcome: bool) -> ast.expr | None:
        """The operand of `and` or `or` that decided: the first that is known to give the outcome; else the only one
        that is not known."""
        truths = [(part, self._truth(part, sight)) for part in values]
        known = [part for part, truth in truths if truth is outcome]
        if known:
            return known[0]
        unknown = [part for part, truth in truths if truth is None]
        return unknown[0] if len(unknown) == 1 else None

    def _truth(self, node: ast.expr, sight: Sight, depth: int = 0) -> bool | None:
        known = _truth(node, sight)
        if known is not None or depth >= MAX_ASKED:
            return known
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self._truth(node.operand, sight, depth)
            return None if inner is None else not inner
        answered = self._births.answer(sight, node)
        return self._truth(answered[1], answered[0], depth + 1) if answered is not None else None


def tests_before(tree: Tree, node: ast.AST) -> Iterator[tuple[int, ast.expr, bool]]:
    """(line of the statement, test, what it has to give so that the node runs) around a node, the outermost first, up
    to the function that it stands in."""
    found: list[tuple[int, ast.expr, bool]] = []
    inner = node
    for outer in tree.ancestors(node):
        match outer:
            case ast.If(test=test, body=body) if inner is not test:
                found.append((outer.lineno, test, inner in body))
            case ast.IfExp(test=test, body=body) if inner is not test:
                statement = tree.statement(outer)
                if statement is not None:
                    found.append((statement.lineno, test, inner is body))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                break
        inner = outer
    yield from reversed(found)


def _truth(node: ast.expr, sight: Sight) -> bool | None:
    found = evaluated(node, sight.read)
    if found is NOT_KNOWN:
        return None
    if isinstance(found, Seen):
        return bool(found.value) if found.kind in ("list", "dict") else None
    return bool(found)


def _is_nothing(node: ast.expr, sight: Sight) -> bool:
    """Whether it is 0, None, False or empty; or a number drawn at random, of which nothing else is known."""
    if isinstance(node, ast.Constant):
        return not node.value
    called = {getattr(part, "attr", getattr(part, "id", "")) for part in ast.walk(node)}
    return not called.isdisjoint(RANDOM_FUNCTIONS) and evaluated(node, sight.read) is NOT_KNOWN


def _is_length(node: ast.expr) -> bool:
    """Whether it is how many members something has."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"


def _is_a_mode(told: Decision, asked: object) -> bool:
    """Whether a text that somebody set is asked whether it is this one, and is: it chooses a way."""
    if not isinstance(told.value, str) or not isinstance(asked, str) or told.birth is None:
        return False
    return told.birth.is_a_setting and told.value == asked


def _is_plain(value: object) -> bool:
    return value is not NOT_KNOWN and not isinstance(value, Seen)
