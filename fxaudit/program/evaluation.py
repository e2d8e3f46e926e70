"""What an expression of the user's was worth, from what its plain parts held: nothing of the user's is called."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence

from fxaudit.program.arithmetic import computed
from fxaudit.program.course import Seen
from fxaudit.program.plain import chain_of

__all__ = ["NOT_KNOWN", "evaluated", "same"]

NOT_KNOWN = object()
"""The worth of an expression that cannot be told."""
SPLITTING = frozenset({"split", "rsplit", "partition", "rpartition"})


def evaluated(node: ast.expr, read: Mapping[str, Seen]) -> object:
    """The plain value of `node`; a `Seen` where it is an object; `NOT_KNOWN` where that cannot be told."""
    match node:
        case ast.Constant(value=value):
            return value if value is None or isinstance(value, bool | int | float | str) else NOT_KNOWN
        case ast.Subscript(
            value=ast.Call(func=ast.Attribute(value=owner, attr=name), args=given, keywords=[]), slice=index
        ) if name in SPLITTING:
            known = [evaluated(part, read) for part in given]
            return _part_of_text(evaluated(owner, read), name, known, evaluated(index, read))
        case ast.Name() | ast.Attribute() | ast.Subscript():
            chain = chain_of(node)
            seen = read.get(chain.text) if chain is not None else None
            if seen is None:
                return NOT_KNOWN
            return seen.value if seen.is_plain else seen
        case ast.UnaryOp(op=op, operand=operand):
            return _unary(op, evaluated(operand, read))
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(evaluated(left, read), op, evaluated(right, read))
        case ast.BoolOp(op=op, values=values):
            return _boolean(op, values, read)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(evaluated(left, read), op, evaluated(right, read), right, read)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            chosen = evaluated(test, read)
            return NOT_KNOWN if chosen is NOT_KNOWN else evaluated(body if _true(chosen) else orelse, read)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="math"), attr="floor" | "ceil" as name), args=[given]):
            return _converted(name, evaluated(given, read))
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=[_, _, *_] as parts, keywords=[]):
            return _extreme(name, [evaluated(part, read) for part in parts])
        case ast.Call(func=ast.Name(id=name), args=[given], keywords=[]):
            return _converted(name, evaluated(given, read))
        case ast.Call(func=ast.Attribute(value=table, attr="get" | "pop"), args=[key, default], keywords=[]):
            is_missing = _contained(evaluated(key, read), False, evaluated(table, read), table, read)
            return evaluated(default, read) if is_missing is True else NOT_KNOWN
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[given], keywords=[]):
            return _of_text(evaluated(owner, read), name, evaluated(given, read))
        case ast.Call(func=ast.Attribute(value=owner, attr="replace"), args=[old, new], keywords=[]):
            texts = [evaluated(part, read) for part in (owner, old, new)]
            return _replaced(*texts)
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[], keywords=[]):
            return _changed_text(evaluated(owner, read), name)
        case ast.JoinedStr(values=values):
            return _joined(values, read)
    return NOT_KNOWN


def _unary(op: ast.unaryop, value: object) -> object:
    if value is NOT_KNOWN:
        return NOT_KNOWN
    if isinstance(op, ast.Not):
        known = _true(value)
        return NOT_KNOWN if known is None else not known
    if isinstance(value, int | float):
        return -value if isinstance(op, ast.USub) else value if isinstance(op, ast.UAdd) else NOT_KNOWN
    return NOT_KNOWN


def _true(value: object) -> bool | None:
    if value is NOT_KNOWN:
        return None
    if isinstance(value, Seen):
        return bool(value.value) if value.kind in ("list", "dict") else None
    return bool(value)


def _arithmetic(left: object, op: ast.operator, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str) and isinstance(op, ast.Add):
        return left + right
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return NOT_KNOWN
    found = computed(left, op, right)
    return NOT_KNOWN if found is None else found


def _boolean(op: ast.boolop, values: list[ast.expr], read: Mapping[str, Seen]) -> object:
    last: object = NOT_KNOWN
    for part in values:
        last = evaluated(part, read)
        known = _true(last)
        if known is None:
            return NOT_KNOWN
        if known is isinstance(op, ast.Or):
            return last
    return last


def _compared(left: object, op: ast.cmpop, right: object, node: ast.expr, read: Mapping[str, Seen]) -> object:
    if isinstance(op, ast.Is | ast.IsNot) and NOT_KNOWN not in (left, right):
        same = left is right if None in (left, right) or isinstance(left, bool) else NOT_KNOWN
        return same if same is NOT_KNOWN or isinstance(op, ast.Is) else not same
    if isinstance(op, ast.In | ast.NotIn):
        return _contained(left, isinstance(op, ast.In), right, node, read)
    if NOT_KNOWN in (left, right) or isinstance(left, Seen) or isinstance(right, Seen):
        return NOT_KNOWN
    try:
        match op:
            case ast.Eq():
                return left == right
            case ast.NotEq():
                return left != right
            case ast.Lt():
                return left < right  # type: ignore[operator]
            case ast.LtE():
                return left <= right  # type: ignore[operator]
            case ast.Gt():
                return left > right  # type: ignore[operator]
            case ast.GtE():
                return left >= right  # type: ignore[operator]
    except TypeError:
        pass
    return NOT_KNOWN


def _contained(left: object, is_in: bool, right: object, node: ast.expr, read: Mapping[str, Seen]) -> object:
    if isinstance(left, str) and isinstance(right, str):
        return (left in right) is is_in
    if isinstance(right, Seen) and right.members is not None and _is_one(left):
        return (left in right.members) is is_in
    if isinstance(node, ast.Tuple | ast.List | ast.Set) and _is_one(left):
        parts = [evaluated(part, read) for part in node.elts]
        if not any(part is NOT_KNOWN or isinstance(part, Seen) for part in parts):
            return (left in parts) is is_in
    return NOT_KNOWN


def _converted(name: str, value: object) -> object:
    if name == "len" and isinstance(value, Seen) and value.kind in ("list", "dict"):
        return value.value
    if isinstance(value, bool | int | float) and math.isfinite(value):
        match name:
            case "int":
                return int(value)
            case "float":
                return float(value)
            case "round":
                return round(value)
            case "bool":
                return bool(value)
            case "str":
                return str(value)
            case "abs":
                return abs(value)
            case "floor":
                return math.floor(value)
            case "ceil":
                return math.ceil(value)
    return NOT_KNOWN


def _extreme(name: str, values: list[object]) -> object:
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) != len(values):
        return NOT_KNOWN
    return max(numbers) if name == "max" else min(numbers)


def _of_text(owner: object, name: str, given: object) -> object:
    if isinstance(owner, str) and isinstance(given, str):
        match name:
            case "startswith":
                return owner.startswith(given)
            case "endswith":
                return owner.endswith(given)
            case "removeprefix":
                return owner.removeprefix(given)
            case "removesuffix":
                return owner.removesuffix(given)
    return NOT_KNOWN


def _replaced(owner: object, old: object, new: object) -> object:
    if isinstance(owner, str) and isinstance(old, str) and isinstance(new, str):
        return owner.replace(old, new)
    return NOT_KNOWN


def _part_of_text(owner: object, name: str, given: list[object], index: object) -> object:
    """A part of a text that is taken apart: `name.split(".")[0]`."""
    if not isinstance(owner, str) or not isinstance(index, int):
        return NOT_KNOWN
    match given:
        case []:
            parts: Sequence[str] = owner.split() if name in ("split", "rsplit") else ()
        case [str() as between] if between:
            parts = getattr(owner, name)(between)
        case [str() as between, int() as most] if between and name in ("split", "rsplit"):
            parts = getattr(owner, name)(between, most)
        case _:
            return NOT_KNOWN
    return parts[index] if -len(parts) <= index < len(parts) else NOT_KNOWN


def _is_one(value: object) -> bool:
    return value is not NOT_KNOWN and not isinstance(value, Seen)


def _changed_text(owner: object, name: str) -> object:
    if isinstance(owner, str):
        match name:
            case "lower":
                return owner.lower()
            case "upper":
                return owner.upper()
            case "strip":
                return owner.strip()
            case "casefold":
                return owner.casefold()
            case "title":
                return owner.title()
            case "capitalize":
                return owner.capitalize()
    return NOT_KNOWN


def _joined(values: list[ast.expr], read: Mapping[str, Seen]) -> object:
    """An f-string whose parts are plain texts and whole numbers, written without a format."""
    found = []
    for part in values:
        match part:
            case ast.Constant(value=str() as text):
                found.append(text)
            case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
                value = evaluated(inner, read)
                if not isinstance(value, str | int):
                    return NOT_KNOWN
                found.append(str(value))
            case _:
                return NOT_KNOWN
    return "".join(found)


def same(one: object, other: object) -> bool:
    """Whether both are the same plain value; True is not 1, and 0 is 0.0."""
    one = one.value if isinstance(one, Seen) and one.is_plain else one
    if one is NOT_KNOWN or isinstance(one, Seen):
        return False
    return one == other and (isinstance(one, bool) == isinstance(other, bool)) and (one is None) == (other is None)
