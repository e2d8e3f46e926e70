"""Loops that keep one round of several, end after the first, or find nothing left to go through."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, last_name, of_text, parsed

__all__ = ["accumulated", "after_loop", "as_many_rounds", "before_loop", "called_at_end", "listed"]


def accumulated(text: str, place: Place) -> Iterator[str]:
    """`total += f(x)` for `total = f(x)` in a loop before which `total` has a value."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    above = next((a for a in syntax.above(statement) if isinstance(a, cst.For | cst.While | cst.FunctionDef)), None)
    if not isinstance(above, cst.For | cst.While):
        return
    function = syntax.function(statement)
    for part in statement.body:
        match part:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name) as target)], value=value):
                before = [a for a in syntax.inside(function, cst.AssignTarget) if syntax.first(a) < syntax.first(above)]
                if any(isinstance(a.target, cst.Name) and a.target.value == name for a in before):
                    new = cst.parse_expression(f"{name} + {syntax.code(value)}")
                    yield syntax.replaced((part, cst.Assign([cst.AssignTarget(target)], new)))


def as_many_rounds(text: str, place: Place) -> Iterator[str]:
    """`range(a, a + n)` for a `range(a, n)` that begins where it should end."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if last_name(call.func) == "range" and len(call.args) == 2:
            first, last = (syntax.code(argument.value) for argument in call.args)
            if first not in last and not first.isdigit():
                yield syntax.replaced((call.args[1].value, cst.parse_expression(f"{first} + {last}")))


def after_loop(text: str, place: Place) -> Iterator[str]:
    """A `return` that ends a loop's first round, behind the loop."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    block = syntax.parent(statement)
    loop = syntax.parent(block) if block is not None else None
    if not isinstance(block, cst.IndentedBlock) or not isinstance(loop, cst.For | cst.While):
        return
    found = syntax.body(loop)
    if found is None or not any(isinstance(part, cst.Return) for part in statement.body):
        return
    kept = [s for s in block.body if s is not statement] or parsed("pass")
    outer, statements = found
    position = next(i for i, s in enumerate(statements) if s is loop)
    shorter = loop.with_changes(body=block.with_changes(body=kept))
    yield syntax.with_block(outer, [*statements[:position], shorter, statement, *statements[position + 1 :]])


def before_loop(text: str, place: Place) -> Iterator[str]:
    """What a loop makes anew in each round, made before it."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    block = syntax.parent(statement)
    loop = syntax.parent(block) if block is not None else None
    found = syntax.body(loop) if isinstance(loop, cst.For | cst.While) else None
    if found is None or not isinstance(block, cst.IndentedBlock) or not isinstance(loop, cst.For | cst.While):
        return
    outer, statements = found
    kept = [s for s in block.body if s is not statement] or parsed("pass")
    position = next(i for i, s in enumerate(statements) if s is loop)
    shorter = loop.with_changes(body=block.with_changes(body=kept))
    yield syntax.with_block(outer, [*statements[:position], statement, shorter, *statements[position + 1 :]])


def listed(text: str, place: Place) -> Iterator[str]:
    """`batches = list(stream())` for what the line goes through: a generator is empty the second time."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    named = {name.value for name in syntax.on_line(place, cst.Name)}
    for assign in syntax.inside(syntax.function(statement), cst.Assign):
        target = assign.targets[0].target
        is_before = syntax.first(assign) < place.line and isinstance(target, cst.Name | cst.Attribute)
        if is_before and last_name(target) in named and isinstance(assign.value, cst.Call | cst.GeneratorExp):
            bare = assign.value.with_changes(lpar=[], rpar=[])
            yield syntax.replaced((assign.value, cst.Call(cst.Name("list"), [cst.Arg(bare)])))


def called_at_end(text: str, place: Place) -> Iterator[str]:
    """A method of the class around the line, which takes nothing and which nobody calls, at the end of this one."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    around = syntax.class_of(statement) if syntax is not None and statement is not None else None
    if syntax is None or around is None or statement is None:
        return
    method = syntax.function(statement)
    if not isinstance(method, cst.FunctionDef) or not isinstance(method.body, cst.IndentedBlock):
        return
    read = {node.attr.value for node in syntax.all(cst.Attribute)}
    own = method.params.params[0].name.value if method.params.params else "self"
    for other in around.body.body:
        if isinstance(other, cst.FunctionDef) and len(other.params.params) == 1:
            name = other.name.value
            if other is not method and name not in read and not name.startswith("__"):
                yield from _ended(syntax, method.body, f"{own}.{name}()")


def _ended(syntax: Syntax, block: cst.IndentedBlock, code: str) -> Iterator[str]:
    statements = list(block.body)
    last = statements[-1]
    returns = isinstance(last, cst.SimpleStatementLine) and any(isinstance(part, cst.Return) for part in last.body)
    position = len(statements) - returns
    yield syntax.with_block(block, [*statements[:position], *parsed(code), *statements[position:]])
