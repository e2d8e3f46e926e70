"""Factors of 0 in a statement of the user's program, found with the numbers that its variables held when it ran."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fxaudit.program.tree import Tree, is_zero
from fxaudit.program.values import Origin, origins

__all__ = [
    "ZeroFactor",
    "computed",
    "factors",
    "is_whole",
    "is_whole_division",
    "rounds_to_digits",
    "value_of",
    "zero_factor",
]

Scope = Mapping[str, object]
SCALING = frozenset({"alpha", "value", "weight"})
"""Keywords by which torch's in-place operations are told a factor."""
MAX_STATIONS = 8


@dataclass(frozen=True, slots=True)
class ZeroFactor:
    """Where a factor becomes 0, and the stations on the way from there to the statement: (line, what it is)."""

    file: str
    line: int
    text: str
    stations: tuple[tuple[str, int, str], ...] = ()
    is_computed: bool = False
    """Whether an arithmetic, or an assignment of the same function, makes it 0; else it is handed in."""


def zero_factor(files: Iterable[str], tree: Tree, line: int, scope: Scope) -> ZeroFactor | None:
    """What makes a factor in the statement at `line` 0: an arithmetic whose own operands are not, or the place that
    gives a name its 0. Where that is a mere setting, handed in from outside, the statement itself is named.

    A statement without factors, such as `super().step()`, reads what the function has assigned to entries before.
    """
    statement = tree.statement_at(line)
    if statement is None:
        return None
    known = [*files]
    zeros = list(_zeros(statement, scope)) or [
        zero for value in _entries_before(tree, statement) for zero in _innermost(value, scope)
    ]
    chains = [_chain(known, tree, zero, scope) for zero in zeros]
    return next((chain for chain in chains if chain.is_computed), chains[0] if chains else None)


def _chain(files: list[str], tree: Tree, zero: ast.expr, scope: Scope) -> ZeroFactor:
    """From a factor that is 0 back to where it becomes so."""
    start, text = getattr(zero, "lineno", 0), tree.text(zero)
    places: list[tuple[str, int, str]] = []
    while len(places) < MAX_STATIONS:
        if not isinstance(zero, ast.Name | ast.Attribute | ast.Subscript):
            break
        source = _source(files, tree, zero, scope)
        if source is None or source.value is None or (source.file, source.line) in {place[:2] for place in places}:
            break
        places.append((source.file, source.line, f"`{source.name}` gets its value here"))
        inner = next(_innermost(source.value, scope), None)
        if inner is None:
            is_own = source.file == tree.file and tree.function(source.value) is tree.function(zero)
            is_computed = isinstance(source.value, ast.BinOp | ast.Call)
            return _found(
                tree, start, text, places, (is_own and not isinstance(source.value, ast.Tuple)) or is_computed
            )
        zero = inner
    is_computed = isinstance(zero, ast.BinOp | ast.Call) or is_zero(zero)
    if is_zero(zero) and places:
        return _found(tree, start, text, places, places[-1][0] == tree.file and tree.function(zero) is not None)
    return _found(tree, start, text, places, is_computed and bool(places))


def _found(tree: Tree, start: int, text: str, places: list[tuple[str, int, str]], is_computed: bool) -> ZeroFactor:
    if is_computed:
        file, line, _ = places[-1]
        return ZeroFactor(file, line, text, tuple(places[:-1]), True)
    return ZeroFactor(tree.file, start, text, tuple(places), False)


def _entries_before(tree: Tree, statement: ast.stmt) -> Iterator[ast.expr]:
    """What the function around a statement assigns to entries of a group before it, the last first."""
    scope = tree.function(statement)
    found = (
        [
            node
            for node in ast.walk(scope)
            if scope is not None and isinstance(node, ast.Assign)
            if node.lineno < statement.lineno and isinstance(node.targets[0], ast.Subscript)
        ]
        if scope is not None
        else []
    )
    yield from (node.value for node in sorted(found, key=lambda node: -node.lineno))


def _source(files: list[str], tree: Tree, zero: ast.expr, scope: Scope) -> Origin | None:
    """What gives a name, an attribute or an entry that is 0 its value."""
    name = _name_of(zero)
    found = [o for o in origins(files, tree, zero) if o.name == name and o.value is not zero]
    zeros = [o for o in found if o.value is not None and (is_zero(o.value) or value_of(o.value, scope) == 0)]
    telling = [o for o in zeros if o.is_unconditional] or zeros
    if telling:
        return telling[0]
    return found[0] if len(found) == 1 else None


def _name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def _zeros(statement: ast.stmt, scope: Scope) -> Iterator[ast.expr]:
    """The innermost expressions that are 0 among the factors in a statement."""
    for factor in factors(statement):
        yield from _innermost(factor, scope)


def factors(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions with which something is multiplied in a statement."""
    for node in ast.walk(statement):
        match node:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                yield from (left, right)
            case ast.BinOp(left=left, op=ast.Div()):
                yield left
            case ast.AugAssign(op=ast.Mult(), value=value):
                yield value
            case ast.keyword(arg=str(name), value=value) if name in SCALING:
                yield value
            case ast.Call(func=ast.Attribute(attr="mul" | "mul_" | "lerp" | "lerp_"), args=args):
                yield from args


def _innermost(expression: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """The parts of an arithmetic expression that are 0, and none of whose own parts is."""
    if value_of(expression, scope) != 0:
        return
    inner = [zero for part in _operands(expression) for zero in _innermost(part, scope)]
    yield from inner or [expression]


def _operands(expression: ast.expr) -> list[ast.expr]:
    match expression:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return [left, right]
        case ast.BinOp(left=left, op=ast.Div() | ast.Pow() | ast.FloorDiv()):
            return [left]
        case ast.UnaryOp(operand=operand):
            return [operand]
    return []


def value_of(node: ast.expr, scope: Scope) -> float | None:
    """The number that an expression of names, entries and arithmetic stands for; None where it is anything else."""
    found = _value(node, scope)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def _value(node: ast.expr, scope: Scope) -> object:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return scope.get(name)
        case ast.Attribute(value=inner, attr=name):
            owner = _value(inner, scope)
            return owner.get(name) if isinstance(owner, dict) and ast.unparse(inner) == "self" else None
        case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
            owner = _value(inner, scope)
            if isinstance(owner, dict) and isinstance(key, str):
                return owner.get(key)
            if isinstance(owner, tuple) and isinstance(key, int) and -len(owner) <= key < len(owner):
                return owner[key]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            negated = value_of(operand, scope)
            return -negated if negated is not None else None
        case ast.BinOp(left=left, op=op, right=right):
            return computed(value_of(left, scope), op, value_of(right, scope))
        case ast.Call(func=ast.Name(id="int" | "round" | "float" as name), args=[inner]):
            given = value_of(inner, scope)
            if given is not None and math.isfinite(given):
                return {"int": int(given), "round": round(given)}.get(name, given)
    return None


def is_whole(value: ast.expr) -> bool:
    """Whether an expression is a whole number by an integer division, or by rounding."""
    match value:
        case ast.BinOp(op=ast.FloorDiv()) | ast.Call(func=ast.Name(id="int" | "round")):
            return True
        case ast.BinOp(left=left, right=right):
            return is_whole(left) or is_whole(right)
    return False


def is_whole_division(value: ast.expr) -> bool:
    """Whether an expression is an integer division, and nothing more."""
    return isinstance(value, ast.BinOp) and isinstance(value.op, ast.FloorDiv)


def rounds_to_digits(value: ast.expr) -> bool:
    """Whether an expression keeps so many digits of a number: `round(rate, 4)`."""
    match value:
        case ast.Call(func=ast.Name(id="round"), args=[_, digits]):
            return not isinstance(digits, ast.Constant) or digits.value != 0
    return False


def computed(left: float | None, op: ast.operator, right: float | None) -> float | None:
    """What an operator makes of two numbers; None where one is not known, or it raises."""
    if left is None or right is None:
        return None
    try:
        match op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
            case ast.FloorDiv():
                return left // right
            case ast.Mod():
                return left % right
            case ast.Pow() if abs(right) < 1e6 and abs(left) < 1e6:
                found = float(left) ** float(right)
                return found if isinstance(found, float) else None
    except (ArithmeticError, ValueError):
        pass
    return None
