"""What the loss leaves out: a term added to the total, a result that is overwritten handed on."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, last_name, of_text

__all__ = ["added", "both", "counted_alike", "is_term", "kept", "not_overwritten"]


DOING = {"backward", "step", "zero_grad", "append", "extend", "update", "train", "eval", "add", "close", "write"}
"""Methods that do something; of others the result is wanted."""


def _target(statement: cst.SimpleStatementLine) -> str:
    """The variable that the statement assigns, if it assigns one."""
    for part in statement.body:
        match part:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
                return name
    return ""


TERMS = ("loss", "penalty", "regular", "kl", "aux", "entropy", "objective", "cost", "reg")
REDUCED = {"mean", "sum", "norm"}


def is_term(name: str, value: cst.BaseExpression | None) -> bool:
    """Whether a value is a number that belongs into a loss, by its name or by what computes it last."""
    if any(word in name.lower().split("_") or name.lower().startswith(word) for word in TERMS):
        return True
    match value:
        case cst.Call(func=func, args=args):
            return "loss" in last_name(func) or (last_name(func) in REDUCED and not args)
        case cst.BinaryOperation(left=left, right=right):
            return is_term("", left) or is_term("", right)
    return False


def not_overwritten(text: str, place: Place) -> Iterator[str]:
    """Without the statement that gives a name another value before anybody read the one that it has."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    found = syntax.body(statement) if syntax is not None and statement is not None else None
    if syntax is None or found is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    name = _target(statement)
    position = next(i for i, s in enumerate(found[1]) if s is statement)
    if not name:
        return
    for other in (*found[1][position + 1 :], *reversed(found[1][:position])):
        if isinstance(other, cst.SimpleStatementLine) and _target(other) == name:
            later = other if syntax.first(other) > syntax.first(statement) else statement
            if not _takes_value(syntax, later, name):
                yield from filter(None, [syntax.without(later)])


def _takes_value(syntax: Syntax, statement: cst.SimpleStatementLine, name: str) -> bool:
    """Whether a statement computes with the values of a name, and not only with its shape or type."""
    reads = [n for n in syntax.inside(_value(statement) or statement, cst.Name) if n.value == name]
    above = [syntax.parent(node) for node in reads]
    return any(
        not (isinstance(a, cst.Attribute) and a.attr.value in ("shape", "size", "dtype", "device")) for a in above
    )


def added(text: str, place: Place) -> Iterator[str]:
    """What the statement at the place computes, added to what its function returns or calls `backward` on."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for name in [_target(statement)] if _target(statement) else _unpacked(syntax, statement):
        yield from _added(syntax, syntax.function(statement), place, name)


def both(text: str, place: Place) -> Iterator[str]:
    """`a + b` for `min(a, b)` or `max(a, b)`, which leave out one of two terms."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        terms = [argument.value for argument in call.args if argument.keyword is None and not argument.star]
        if isinstance(call.func, cst.Name) and call.func.value in ("min", "max") and len(terms) == len(call.args) > 1:
            parts = [f"({syntax.code(t)})" if not isinstance(t, cst.Name) else t.value for t in terms]
            is_part = isinstance(syntax.parent(call), cst.BaseExpression)
            total = f"({' + '.join(parts)})" if is_part else " + ".join(parts)
            yield syntax.replaced((call, cst.parse_expression(total)))


def counted_alike(text: str, place: Place) -> Iterator[str]:
    """`loss = f(a, y) + f(b, y)` for `loss = f(a, y)`, where `a, b = model(x)` and nobody reads `b`."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    value = _value(statement)
    if not isinstance(value, cst.Call):
        return
    for argument in value.args:
        for name in _unread_beside(syntax, statement, argument.value) if isinstance(argument.value, cst.Name) else ():
            other = value.deep_replace(argument.value, cst.Name(name))
            both = f"{syntax.code(value)} + {cst.Module([]).code_for_node(cst.ensure_type(other, cst.Call))}"
            yield syntax.replaced((value, cst.parse_expression(both)))


def _unread_beside(syntax: Syntax, statement: cst.SimpleStatementLine, read: cst.Name) -> Iterator[str]:
    """The names that a result was taken apart into together with `read`, and that the function never reads."""
    function = syntax.function(statement)
    own = [
        name
        for name in syntax.inside(function, cst.Name)
        if syntax.function(name) is function and not isinstance(syntax.parent(name), cst.Attribute)
    ]
    count = [name.value for name in own].count
    for pair in syntax.inside(function, cst.Assign):
        target = pair.targets[0].target
        is_above = syntax.function(pair) is function and syntax.first(pair) < syntax.first(statement)
        if is_above and isinstance(target, cst.Tuple):
            names = [e.value.value for e in target.elements if isinstance(e.value, cst.Name)]
            yield from (name for name in names if read.value in names and count(name) == 1)


def _unpacked(syntax: Syntax, statement: cst.SimpleStatementLine) -> list[str]:
    """The names that a result is taken apart into and of which the function reads none further down."""
    reads = [
        n for n in syntax.inside(syntax.function(statement), cst.Name) if syntax.first(n) > syntax.first(statement)
    ]
    read = {node.value for node in reads}
    return [
        element.value.value
        for part in statement.body
        if isinstance(part, cst.Assign) and isinstance(part.targets[0].target, cst.Tuple)
        for element in part.targets[0].target.elements
        if isinstance(element.value, cst.Name) and element.value.value not in read
    ]


def _added(syntax: Syntax, function: cst.CSTNode, place: Place, name: str) -> Iterator[str]:
    for back in syntax.inside(function, cst.Return):
        value = back.value
        if value is None or isinstance(value, cst.Tuple | cst.Dict | cst.List) or syntax.first(back) <= place.line:
            continue
        if not _reads(syntax, value, name):
            yield _with_term(syntax, value, name)
    for call in syntax.inside(function, cst.Call):
        if (
            isinstance(call.func, cst.Attribute)
            and last_name(call.func) == "backward"
            and syntax.first(call) > place.line
        ) and not _reads(syntax, call.func.value, name):
            yield syntax.replaced((call.func.value, cst.parse_expression(f"({syntax.code(call.func.value)} + {name})")))
    yield from _into_assignment(syntax, function, place, name)


def _into_assignment(syntax: Syntax, function: cst.CSTNode, place: Place, name: str) -> Iterator[str]:
    for assign in syntax.inside(function, cst.Assign):
        target = last_name(assign.targets[0].target)
        is_total = ("loss" in target or target == "total") and target != name
        if is_total and syntax.first(assign) > place.line and not _reads(syntax, assign.value, name):
            yield _with_term(syntax, assign.value, name)


def _with_term(syntax: Syntax, value: cst.BaseExpression, name: str) -> str:
    needs = isinstance(value, cst.IfExp | cst.Comparison | cst.BooleanOperation | cst.Lambda) and not value.lpar
    code = f"({syntax.code(value)})" if needs else syntax.code(value)
    return syntax.replaced((value, cst.parse_expression(f"{code} + {name}")))


def _reads(syntax: Syntax, node: cst.CSTNode, name: str) -> bool:
    return any(found.value == name for found in syntax.inside(node, cst.Name))


def kept(text: str, place: Place) -> Iterator[str]:
    """What is computed at the place and overwritten unread: handed on to what overwrites it, or joined with it."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    yield from _assigned(syntax, statement)
    yield from _chained(syntax, statement)
    name, found = _target(statement), syntax.body(statement)
    if not name or found is None:
        return
    _, statements = found
    position = next(i for i, s in enumerate(statements) if s is statement)
    for later in statements[position + 1 :]:
        if not isinstance(later, cst.SimpleStatementLine) or _reads(syntax, _value(later) or later, name):
            continue
        yield from _handed_on(syntax, statement, later, name)


def _chained(syntax: Syntax, statement: cst.SimpleStatementLine) -> Iterator[str]:
    """`h = x = f(x)` for `h = f(x)` in a loop, so that each round goes on from the last."""
    block = syntax.parent(statement)
    own, name = _value(statement), _target(statement)
    if block is None or not isinstance(syntax.parent(block), cst.For) or own is None or not name:
        return
    for call in syntax.inside(own, cst.Call):
        for argument in call.args:
            if isinstance(argument.value, cst.Name) and argument.keyword is None and argument.value.value != name:
                assign = next(part for part in statement.body if isinstance(part, cst.Assign))
                targets = [*assign.targets, cst.AssignTarget(cst.Name(argument.value.value))]
                yield syntax.replaced((assign, assign.with_changes(targets=targets)))


def _value(statement: cst.SimpleStatementLine) -> cst.BaseExpression | None:
    for part in statement.body:
        if isinstance(part, cst.Assign | cst.Return):
            return part.value
    return None


def _handed_on(
    syntax: Syntax, statement: cst.SimpleStatementLine, later: cst.SimpleStatementLine, name: str
) -> Iterator[str]:
    """The argument that both take, in the later one replaced by the earlier result."""
    value, own = _value(later), _value(statement)
    if value is None or own is None:
        return
    mine = {syntax.code(argument.value) for call in syntax.inside(own, cst.Call) for argument in call.args}
    for call in syntax.inside(value, cst.Call):
        for argument in call.args:
            if isinstance(argument.value, cst.Name) and syntax.code(argument.value) in mine:
                yield syntax.replaced((argument.value, cst.Name(name)))
    if _target(later) == name:
        yield syntax.replaced((value, cst.parse_expression(f"{name} + {syntax.code(value)}")))


def _assigned(syntax: Syntax, statement: cst.SimpleStatementLine) -> Iterator[str]:
    """`x = layer(x)` for a `layer(x)` whose result nobody takes."""
    for part in statement.body:
        match part:
            case cst.Expr(value=cst.Call(args=[cst.Arg(value=cst.Name() as argument), *_]) as call):
                new = cst.Assign([cst.AssignTarget(cst.Name(argument.value))], call)
                yield syntax.replaced((part, new))
            case cst.Expr(
                value=cst.Call(func=cst.Attribute(value=cst.Name() as owner, attr=cst.Name(value=method))) as call
            ) if method not in DOING and not method.endswith("_"):
                new = cst.Assign([cst.AssignTarget(cst.Name(owner.value))], call)
                yield syntax.replaced((part, new))
