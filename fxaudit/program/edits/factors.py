"""Numbers that switch something off: a rate, a weight or a factor of 0."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, last_name, of_text

__all__ = ["not_zero", "other_value"]

RATES = {"lr", "learning_rate", "base_lr", "rate", "eta"}

COUNTS = {
    "dim", "axis", "dims", "start_dim", "end_dim", "start", "seed", "num_workers", "padding_idx", "ignore_index",
    "step", "steps", "epoch", "index", "i", "count", "padding", "offset", "diagonal", "min", "max", "nan", "n",
}  # fmt: skip
"""Names under which a 0 is a place, a count or a bound, and no factor."""


def other_value(text: str, place: Place) -> Iterator[str]:
    """The value that another place of the program gives under the same name, for a zero on the line."""
    syntax = of_text(text)
    if syntax is None:
        return
    for zero, name in _zeros(syntax, place):
        for value in _given_as(syntax, name) if name else ():
            if value is not zero and isinstance(value, cst.Float | cst.Integer) and float(_plain(value.value)):
                yield syntax.replaced((zero, value))


def _given_as(syntax: Syntax, name: str) -> Iterator[cst.BaseExpression]:
    """The values that are given under a name: to a call, as a default, in a dictionary, to a variable."""
    for argument in syntax.all(cst.Arg):
        if argument.keyword is not None and argument.keyword.value == name:
            yield argument.value
    for entry in syntax.all(cst.DictElement):
        if isinstance(entry.key, cst.SimpleString) and entry.key.value[1:-1] == name:
            yield entry.value
    for param in syntax.all(cst.Param):
        if param.name.value == name and param.default is not None:
            yield param.default
    for assign in syntax.all(cst.Assign):
        if last_name(assign.targets[0].target) == name:
            yield assign.value


def not_zero(text: str, place: Place) -> Iterator[str]:
    """A placeholder for a zero on the line."""
    syntax = of_text(text)
    if syntax is None:
        return
    for zero, name in _zeros(syntax, place):
        yield syntax.replaced((zero, cst.Float("1e-3" if name in RATES else "1.0")))


def _zeros(syntax: Syntax, place: Place) -> Iterator[tuple[cst.BaseNumber, str]]:
    """The zeros on the line that may be a factor, and the names that they are given under."""
    for number in syntax.on_line(place, cst.BaseNumber):
        if isinstance(number, cst.Float | cst.Integer) and float(_plain(number.value)) == 0:
            name = _role(syntax, number)
            if name is not None and name not in COUNTS:
                yield number, name


def _role(syntax: Syntax, number: cst.BaseNumber) -> str | None:
    """The name that a number is given under, "" where it has none; None where it is a place, a bound or an index."""
    for below, above in zip([number, *syntax.above(number)], syntax.above(number), strict=False):
        match above:
            case cst.Arg(keyword=cst.Name(value=name)) | cst.Param(name=cst.Name(value=name)):
                return name
            case cst.Arg() if not _may_be_factor(syntax, above, number):
                return None
            case cst.DictElement(key=key) if below is not key:
                return key.value[1:-1] if isinstance(key, cst.SimpleString) else ""
            case cst.Assign(targets=[cst.AssignTarget(target=target), *_]):
                return _named(target)
            case cst.AnnAssign(target=target):
                return last_name(target)
            case cst.Subscript() | cst.Slice() | cst.Comparison() | cst.DictElement():
                return None
            case cst.BinaryOperation(operator=operator) if isinstance(operator, cst.FloorDivide | cst.Modulo):
                return None
            case cst.BaseSmallStatement() | cst.BaseStatement() | cst.Lambda():
                return ""
    return None


def _named(target: cst.BaseExpression) -> str:
    """`lr` of `self.lr` and of `group["lr"]`."""
    match target:
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as key))]):
            return key.value[1:-1]
    return last_name(target)


def _may_be_factor(syntax: Syntax, argument: cst.Arg, number: cst.BaseNumber) -> bool:
    """Whether a number without a name in a call may be a rate or a weight: `Net(8, 0.0)`, `SGD(parameters, 0.0)`."""
    call = syntax.parent(argument)
    name = last_name(call.func) if isinstance(call, cst.Call) else ""
    is_option = name == "add_argument" or name[:1].isupper()
    return (isinstance(number, cst.Float) and is_option) or name in ("tensor", "full", "constant_", "fill_")


def _plain(digits: str) -> str:
    return digits if digits[:2].lower() not in ("0x", "0b", "0o") else str(int(digits, 0))
