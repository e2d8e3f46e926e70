"""Two filters of the same things, of which one was to take what the other leaves, and does not take all of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fxaudit.program.tree import FunctionNode, Tree

__all__ = ["Asked", "Filter", "Pair", "pairs_in"]

ITEM, NAME = "parameter", "name"
"""What a parameter and its name are called in the conditions of all filters."""
DIMENSIONS = f"{ITEM}.ndim"
OPERATORS: dict[type[ast.cmpop], tuple[type[ast.cmpop], bool]] = {
    ast.Eq: (ast.Eq, True),
    ast.NotEq: (ast.Eq, False),
    ast.In: (ast.In, True),
    ast.NotIn: (ast.In, False),
    ast.Is: (ast.Is, True),
    ast.IsNot: (ast.Is, False),
    ast.GtE: (ast.GtE, True),
    ast.Lt: (ast.GtE, False),
    ast.LtE: (ast.LtE, True),
    ast.Gt: (ast.LtE, False),
}
"""What is compared → (how it is written down, whether it is so or the opposite)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One condition of a filter: what is asked, and whether it has to hold."""

    subject: str
    text: str
    number: int | None
    """What the number of dimensions is compared with: it has to be as many, or more where it is `at least` so many."""
    is_least: bool
    wanted: bool

    @property
    def opposite(self) -> Asked:
        """The condition that holds where this one does not."""
        return Asked(self.subject, self.text, self.number, self.is_least, not self.wanted)

    def of(self, name: str, dimensions: int) -> bool | None:
        """Whether a parameter of that name, with so many dimensions, fulfils it; None where that is not known."""
        if self.number is not None:
            holds = dimensions >= self.number if self.is_least else dimensions == self.number
            return holds is self.wanted
        match ast.parse(self.text, mode="eval").body:
            case ast.Compare(left=ast.Constant(value=str(part)), comparators=[ast.Name(id=other)]) if other == NAME:
                return (part in name) is self.wanted
        return None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a comprehension, or a branch in a loop, takes of what it goes through."""

    line: int
    over: str
    """What it goes through."""
    joined: Literal["and", "or", ""]
    """Whether all conditions have to hold, or one of them; "" where there is one."""
    asked: tuple[Asked, ...]

    def takes(self, name: str, dimensions: int) -> bool | None:
        """Whether it takes a parameter of that name, with so many dimensions; None where that is not known."""
        known = [one.of(name, dimensions) for one in self.asked]
        decisive = self.joined == "or"
        if decisive in known:
            return decisive
        return None if None in known else not decisive


@dataclass(frozen=True, slots=True)
class Pair:
    """The filter to edit, and the other one."""

    slipped: Filter
    other: Filter
    kind: Literal["joined", "opposite", "gap", "one"]
    """`joined`: the opposite of `a and b` is `not a or not b`, and `and` is written; `opposite`: one of several
    conditions is not the opposite of the other's; `gap`: it takes what has one dimension, and nobody what has none;
    `one`: the other takes one number of dimensions alone, and nobody those above."""


def pairs_in(tree: Tree, scope: FunctionNode | None) -> Iterator[Pair]:
    """The pairs of filters in a function, or in a module outside of all, that leave out something between them.

    Where a third one goes through the same things, nobody knows which of them takes the rest.
    """
    found: dict[str, list[Filter]] = {}
    for one in (one for node in tree.nodes if tree.function(node) is scope for one in _filters(node)):
        found.setdefault(one.over, []).append(one)
    for filters in found.values():
        pair = _paired(*sorted(filters, key=lambda one: one.line)) if len(filters) == 2 else None
        if pair is not None and pair.slipped.line != pair.other.line:
            yield pair


def _paired(first: Filter, second: Filter) -> Pair | None:
    mine, others = {one.opposite for one in first.asked}, set(second.asked)
    if len(mine) != len(others) or len(mine) != len(first.asked):
        return None
    both = (first, second)
    if len(mine) > 1 and mine == others and first.joined == second.joined == "and":
        negated = [sum(not one.wanted for one in filter_.asked) for filter_ in both]
        return Pair(first, second, "joined") if negated[0] < negated[1] else Pair(second, first, "joined")
    if len(mine - others) != 1:
        return None
    (one,), (other,) = mine - others, others - mine
    if one.subject != other.subject:
        return None
    if {first.joined, second.joined} == {"and", "or"}:
        return Pair(*(both if first.joined == "or" else both[::-1]), "opposite")
    if first.joined or second.joined or None in (one.number, other.number):
        return None
    single = [each for each in both if not each.asked[0].is_least and each.asked[0].wanted]
    rest = [each for each in both if each.asked[0].is_least]
    if len(single) != 1 or len(rest) != 1:
        return None
    (alone,), (ranged,) = single[0].asked, rest[0].asked
    if ranged.wanted and (alone.number, ranged.number) == (1, 2):
        return Pair(single[0], rest[0], "gap")
    return Pair(rest[0], single[0], "one") if not ranged.wanted and ranged.number == alone.number else None


def _filters(node: ast.AST) -> Iterator[Filter]:
    """What a node takes of what it goes through: a comprehension by its conditions, a loop by each `if` that keeps."""
    match node:
        case (
            ast.ListComp(elt=ast.Name(id=kept), generators=[part])
            | ast.GeneratorExp(elt=ast.Name(id=kept), generators=[part])
        ):
            names = _named(part.target, part.iter)
            test = part.ifs[0] if len(part.ifs) == 1 else ast.BoolOp(ast.And(), [*part.ifs])
            found = _filter(node.lineno, part.iter, test, names) if part.ifs and names.get(kept) == ITEM else None
            if found is not None:
                yield found
        case ast.For(target=target, iter=iterated, body=body):
            names = _named(target, iterated)
            for branch in body:
                match branch:
                    case ast.If(
                        test=test,
                        body=[ast.Expr(value=ast.Call(func=ast.Attribute(attr="append"), args=[ast.Name(id=kept)]))],
                        orelse=[],
                    ) if names.get(kept) == ITEM:
                        found = _filter(branch.lineno, iterated, test, names)
                        if found is not None:
                            yield found


def _named(target: ast.expr, iterated: ast.expr) -> dict[str, str]:
    """What the names are that a loop gives what it takes: a parameter, or its name."""
    match target:
        case ast.Tuple(elts=[ast.Name(id=name), ast.Name(id=item)]):
            return {name: NAME, item: ITEM}
        case ast.Name(id=item):
            return {item: ITEM}
    return {}


def _filter(line: int, iterated: ast.expr, test: ast.expr, names: dict[str, str]) -> Filter | None:
    over = ast.unparse(iterated).replace(".named_parameters()", ".parameters()")
    parts = _conditions(_Renamed(names).visit(ast.parse(ast.unparse(test), mode="eval").body), True)
    return Filter(line, over, *parts) if parts is not None else None


class _Renamed(ast.NodeTransformer):
    """The names of a loop become the same in all of them, and so do the ways to ask for the number of dimensions."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self._names.get(node.id, node.id), ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node) in (f"{ITEM}.dim()", f"len({ITEM}.shape)", f"len({ITEM}.size())"):
            return ast.parse(DIMENSIONS, mode="eval").body
        return node


def _conditions(test: ast.expr, wanted: bool) -> tuple[Literal["and", "or", ""], tuple[Asked, ...]] | None:
    """How the conditions are joined, and each of them; None where both `and` and `or` are among them."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _conditions(operand, not wanted)
        case ast.BoolOp(op=op, values=values):
            joined: Literal["and", "or"] = "and" if isinstance(op, ast.And) is wanted else "or"
            parts = [_conditions(value, wanted) for value in values]
            if any(part is None or part[0] not in ("", joined) for part in parts):
                return None
            return joined, tuple(one for part in parts if part is not None for one in part[1])
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return "", (_compared(left, op, right, wanted),)
        case ast.Call(func=ast.Attribute(value=subject)):
            return "", (Asked(ast.unparse(subject), ast.unparse(test), None, False, wanted),)
    return "", (Asked(ast.unparse(test), ast.unparse(test), None, False, wanted),)


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, wanted: bool) -> Asked:
    kind, so = OPERATORS[type(op)]
    wanted = wanted is so
    subject = ast.unparse(right if kind is ast.In else left)
    number = right.value if isinstance(right, ast.Constant) and type(right.value) is int else None
    if ast.unparse(left) == DIMENSIONS and number is not None and kind is not ast.Is:
        if kind is ast.LtE:  # of whole numbers what is not at most 1 is at least 2
            kind, wanted, number = ast.GtE, not wanted, number + 1
        text = f"{DIMENSIONS} {'>=' if kind is ast.GtE else '=='} {number}"
        return Asked(DIMENSIONS, text, number, kind is ast.GtE, wanted)
    return Asked(subject, ast.unparse(ast.Compare(left, [kind()], [right])), None, False, wanted)
