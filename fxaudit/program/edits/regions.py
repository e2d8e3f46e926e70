"""Regions without gradient opened up: the block dedented, the decorator removed, the switch removed or turned."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, last_name, of_text

__all__ = ["restricted", "switched_back_sooner", "with_gradient"]

REGIONS = {"no_grad", "inference_mode", "set_grad_enabled"}


def with_gradient(text: str, place: Place) -> Iterator[str]:
    """The region at the place, opened."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    if isinstance(statement, cst.With):
        yield from _of_with(syntax, statement)
    elif isinstance(statement, cst.FunctionDef):
        yield from _of_decorator(syntax, statement)
    elif isinstance(statement, cst.SimpleStatementLine) and _switches(syntax, statement):
        yield from _of_switch(syntax, statement)


def _is_region(node: cst.CSTNode) -> bool:
    return last_name(node.func if isinstance(node, cst.Call) else node) in REGIONS


def _switches(syntax: Syntax, node: cst.CSTNode) -> list[cst.Call]:
    return [call for call in syntax.inside(node, cst.Call) if last_name(call.func) == "set_grad_enabled"]


def _of_with(syntax: Syntax, statement: cst.With) -> Iterator[str]:
    items = [item for item in statement.items if _is_region(item.item)]
    for item in items:
        call = item.item
        if isinstance(call, cst.Call) and last_name(call.func) in ("set_grad_enabled", "inference_mode") and call.args:
            yield from _turned(syntax, call)
            if last_name(call.func) == "set_grad_enabled":
                continue
        others = [other for other in statement.items if other is not item]
        if others:
            others[-1] = others[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            yield syntax.replaced((statement, statement.with_changes(items=others)))
        else:
            yield dedented(syntax, statement)
    for item in statement.items:  # a manager of the user's own, such as `nullcontext() if train else no_grad()`
        if isinstance(item.item, cst.IfExp) and (_is_region(item.item.body) or _is_region(item.item.orelse)):
            test = item.item
            yield syntax.replaced((test, test.with_changes(body=test.orelse, orelse=test.body)))


def _turned(syntax: Syntax, call: cst.Call) -> Iterator[str]:
    """The switch with the opposite condition, then always on."""
    value = call.args[0].value
    is_on = last_name(call.func) == "set_grad_enabled"
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Not):
        yield syntax.replaced((value, value.expression))
    elif not (isinstance(value, cst.Name) and value.value in ("True", "False")):
        negated = cst.UnaryOperation(cst.Not(), value)
        yield syntax.replaced((value, negated))
    yield syntax.replaced((value, cst.Name("True" if is_on else "False")))


def dedented(syntax: Syntax, statement: cst.With | cst.If) -> str:
    """The block's statements in the place of the block."""
    found = syntax.body(statement)
    if found is None or not isinstance(statement.body, cst.IndentedBlock):
        return ""
    block, statements = found
    inner = list(statement.body.body)
    if inner and statement.leading_lines:
        inner[0] = inner[0].with_changes(leading_lines=[*statement.leading_lines, *inner[0].leading_lines])  # type: ignore[attr-defined]
    position = next(i for i, s in enumerate(statements) if s is statement)
    return syntax.with_block(block, [*statements[:position], *inner, *statements[position + 1 :]])


def _of_decorator(syntax: Syntax, statement: cst.FunctionDef) -> Iterator[str]:
    kept = [d for d in statement.decorators if not _is_region(d.decorator)]
    if len(kept) < len(statement.decorators):
        yield syntax.replaced((statement, statement.with_changes(decorators=kept)))


def _of_switch(syntax: Syntax, statement: cst.SimpleStatementLine) -> Iterator[str]:
    for call in _switches(syntax, statement):
        if call.args and isinstance(call.args[0].value, cst.Name) and call.args[0].value.value == "False":
            yield syntax.without(statement)
        elif call.args:
            yield from _turned(syntax, call)


def restricted(text: str, place: Place) -> Iterator[str]:
    """The block at the place without its last statements, which come behind it: one, then two, and so on."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.With) or not isinstance(statement.body, cst.IndentedBlock):
        return
    found = syntax.body(statement)
    if found is None or not any(_is_region(item.item) for item in statement.items):
        return
    block, statements = found
    position = next(i for i, s in enumerate(statements) if s is statement)
    inner = list(statement.body.body)
    for kept in range(len(inner) - 1, 0, -1):
        shorter = statement.with_changes(body=statement.body.with_changes(body=inner[:kept]))
        yield syntax.with_block(block, [*statements[:position], shorter, *inner[kept:], *statements[position + 1 :]])


def switched_back_sooner(text: str, place: Place) -> Iterator[str]:
    """`set_grad_enabled(True)` one statement sooner behind the line that switches off, then two, and so on."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    found = syntax.body(statement) if syntax is not None and statement is not None else None
    if syntax is None or found is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    block, statements = found
    start = next(i for i, s in enumerate(statements) if s is statement)
    for end in range(start + 1, len(statements)):
        back = statements[end]
        if isinstance(back, cst.SimpleStatementLine) and _switches(syntax, back):
            for at in range(end - 1, start + 1, -1) if _switches(syntax, statement) else ():
                moved = [*statements[:at], back, *statements[at:end], *statements[end + 1 :]]
                yield syntax.with_block(block, moved)
            return
