"""Signs, halves of a matrix and ranges turned round: what a typed constant or formula had the wrong way."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, dotted, last_name, of_text

__all__ = [
    "clamped",
    "dropping_the_rest",
    "norm_apart",
    "other_power",
    "other_sign",
    "other_triangle",
    "within_reach",
    "without_dropping",
    "without_nan",
]

LARGE = 4
"""A power of ten from which on a constant may lack its minus."""

DROPPING = ("dropout", "drop", "p", "attn_dropout", "dropout_p", "drop_prob", "attention_dropout", "hidden_dropout")


FAR = 100.0
"""A constant that shifts everything to the flat side of an activation."""


def norm_apart(text: str, place: Place) -> Iterator[str]:
    """`w.norm().clamp(min=1e-3)` for a `w.norm()` that is 0 at the start and scales every step of it."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if last_name(call.func) in ("norm", "vector_norm") and not _is_divisor(syntax, call):
            yield syntax.replaced((call, cst.parse_expression(f"{syntax.code(call)}.clamp(min=1e-3)")))


def _is_divisor(syntax: Syntax, call: cst.Call) -> bool:
    for below, above in zip([call, *syntax.above(call)], syntax.above(call), strict=False):
        if isinstance(above, cst.BinaryOperation) and isinstance(above.operator, cst.Divide) and above.right is below:
            return True
    return False


def within_reach(text: str, place: Place) -> Iterator[str]:
    """`relu(x)` for `relu(x - 1e4)`: without a shift that leaves nothing on the side that has a slope."""
    syntax = of_text(text)
    if syntax is None:
        return
    for node in syntax.on_line(place, cst.BinaryOperation):
        far = isinstance(node.right, cst.Float | cst.Integer) and abs(float(node.right.value)) >= FAR
        if far and isinstance(node.operator, cst.Add | cst.Subtract):
            yield syntax.replaced((node, node.left))


def without_nan(text: str, place: Place) -> Iterator[str]:
    """Without the statement that writes NaN or infinity into something."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return
    words = {node.value[1:-1].lstrip("+-") for node in syntax.inside(statement, cst.SimpleString)}
    names = {node.attr.value for node in syntax.inside(statement, cst.Attribute)}
    part = statement.body[0]
    writes = isinstance(part, cst.Expr) or (
        isinstance(part, cst.Assign) and isinstance(part.targets[0].target, cst.Subscript)
    )
    if writes and (words | names) & {"nan", "inf", "infinity"}:
        yield from filter(None, [syntax.without(statement)])


def other_sign(text: str, place: Place) -> Iterator[str]:
    """`-` for `+` on the line, and the other way round."""
    syntax = of_text(text)
    if syntax is None:
        return
    for node in syntax.on_line(place, cst.BinaryOperation):
        if isinstance(node.operator, cst.Add | cst.Subtract):
            kind = cst.Subtract if isinstance(node.operator, cst.Add) else cst.Add
            operator = kind(node.operator.whitespace_before, node.operator.whitespace_after)
            yield syntax.replaced((node.operator, operator))


def other_power(text: str, _: Place) -> Iterator[str]:
    """`1e-8` for a `1e8` of the file."""
    syntax = of_text(text)
    if syntax is None:
        return
    for number in syntax.all(cst.Float):
        digits, mark, power = number.value.lower().partition("e")
        if mark and power.lstrip("+").isdigit() and int(power) >= LARGE:
            yield syntax.replaced((number, cst.Float(f"{digits}e-{int(power)}")))


def other_triangle(text: str, place: Place) -> Iterator[str]:
    """`tril` for `triu` in the class around the line, with its diagonal, and the other way round."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for call in syntax.inside(syntax.class_of(statement) or syntax.function(statement), cst.Call):
        name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
        if name in ("tril", "triu") and isinstance(call.func, cst.Attribute):
            func = call.func.with_changes(attr=cst.Name("triu" if name == "tril" else "tril"))
            plain = [a for a in call.args if a.keyword is None and not isinstance(a.value, cst.Integer)][:1]
            plain = [argument.with_changes(comma=cst.MaybeSentinel.DEFAULT) for argument in plain]
            yield syntax.replaced((call, call.with_changes(func=func, args=plain)))
            yield syntax.replaced((call, call.with_changes(func=func)))


def clamped(text: str, place: Place) -> Iterator[str]:
    """What is raised to a power, or whose root or logarithm is taken, kept above zero."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        match call.func:
            case cst.Attribute(value=owner, attr=cst.Name(value="pow" | "sqrt" | "log" | "rsqrt")):
                of_torch = dotted(owner) == "torch" and bool(call.args)
                value = call.args[0].value if of_torch else owner
                inner = syntax.code(value)
                inner = f"({inner})" if isinstance(value, cst.BinaryOperation) and not value.lpar else inner
                yield syntax.replaced((value, cst.parse_expression(f"{inner}.clamp(min=1e-6)")))


def dropping_the_rest(text: str, place: Place) -> Iterator[str]:
    """`dropout=1 - keep` for `dropout=keep`."""
    syntax = of_text(text)
    if syntax is None:
        return
    for argument in syntax.on_line(place, cst.Arg):
        call, value = syntax.parent(argument), argument.value
        name = dotted(call.func).lower() if isinstance(call, cst.Call) else ""
        name = argument.keyword.value.lower() if argument.keyword is not None else name
        if ("drop" in name or name == "p") and "keep" in dotted(value).lower():
            yield syntax.replaced((value, cst.parse_expression(f"1 - {syntax.code(value)}")))


def without_dropping(text: str, place: Place) -> Iterator[str]:
    """A placeholder for a dropout that drops everything."""
    syntax = of_text(text)
    if syntax is None:
        return
    for number in syntax.on_line(place, cst.BaseNumber):
        above = syntax.parent(number)
        if not isinstance(number, cst.Float | cst.Integer) or number.value.rstrip("0") not in ("1", "1."):
            continue
        name = ""
        if isinstance(above, cst.Arg):
            call = syntax.parent(above)
            called = dotted(call.func) if isinstance(call, cst.Call) else ""
            name = above.keyword.value if above.keyword is not None else "p" if "ropout" in called else ""
        elif isinstance(above, cst.Param):
            name = above.name.value
        elif isinstance(above, cst.Assign):
            name = dotted(above.targets[0].target).rpartition(".")[2]
        if name.lower() in DROPPING:
            yield syntax.replaced((number, cst.Float("0.1")))
