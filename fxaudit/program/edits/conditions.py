"""Conditions that never hold: turned, spelt as another place spells it, or taken away; ways out taken away."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.regions import dedented
from fxaudit.program.edits.syntax import Place, Syntax, of_text, parsed

__all__ = [
    "asked",
    "each_asked",
    "everywhere",
    "flipped",
    "handed_to_all",
    "holding",
    "one_sooner",
    "other_elements",
    "other_flag",
    "staying",
    "trained_again",
]

OPPOSITES: dict[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.Equal: cst.NotEqual,
    cst.NotEqual: cst.Equal,
    cst.LessThan: cst.GreaterThanEqual,
    cst.GreaterThan: cst.LessThanEqual,
    cst.LessThanEqual: cst.GreaterThan,
    cst.GreaterThanEqual: cst.LessThan,
    cst.In: cst.NotIn,
    cst.NotIn: cst.In,
    cst.Is: cst.IsNot,
    cst.IsNot: cst.Is,
}


def holding(text: str, place: Place) -> Iterator[str]:
    """The `if` at the place, or around it, such that its body runs; a way out at the place taken away."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    if isinstance(statement, cst.SimpleStatementLine):
        if any(isinstance(part, cst.Return | cst.Continue | cst.Break) for part in statement.body):
            owner = next((a for a in syntax.above(statement) if isinstance(a, cst.If | cst.FunctionDef)), None)
            if isinstance(owner, cst.If):
                yield from _spelt(syntax, owner)
            yield from _round_only(syntax, statement)
            if isinstance(owner, cst.If):
                yield from _changed(syntax, owner)
            yield from filter(None, [_last(syntax, statement)])
            if not any(isinstance(part, cst.Return) and part.value for part in statement.body):
                yield from filter(None, [syntax.without(statement)])
            return
        owner = next((a for a in syntax.above(statement) if isinstance(a, cst.If | cst.FunctionDef)), None)
        if isinstance(owner, cst.If):
            yield from _changed(syntax, owner)
            if owner.orelse is None:
                yield from filter(None, [dedented(syntax, owner)])
    elif isinstance(statement, cst.If):
        yield from _changed(syntax, statement)
        is_main = any(name.value == "__name__" for name in syntax.inside(statement.test, cst.Name))
        if statement.orelse is None and not is_main:
            yield from filter(None, [dedented(syntax, statement)])


def everywhere(text: str, place: Place) -> Iterator[str]:
    """What the `if` at the place, or around it, decides, without being asked: its body, or the first of two values."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for choice in syntax.on_line(place, cst.IfExp):
        yield syntax.replaced((choice, choice.body))
    owner = next((a for a in (statement, *syntax.above(statement)) if isinstance(a, cst.If | cst.FunctionDef)), None)
    if isinstance(owner, cst.If):
        yield from filter(None, [dedented(syntax, owner)])


def staying(text: str, place: Place) -> Iterator[str]:
    """The way out at the place turned or taken away; nothing where the line is none."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    if any(isinstance(part, cst.Return | cst.Continue | cst.Break) for part in parts):
        yield from holding(text, place)


def asked(text: str, place: Place) -> Iterator[str]:
    """The `if` that begins at the place, such that its body runs; nothing where the line begins none."""
    syntax = of_text(text)
    if syntax is not None and isinstance(syntax.statement(place.line), cst.If):
        yield from holding(text, place)


def flipped(text: str, place: Place) -> Iterator[str]:
    """A comparison on the line turned: what a mask keeps is what it should drop."""
    yield from _turned(text, place, in_target=False)


def other_elements(text: str, place: Place) -> Iterator[str]:
    """`labels[position >= n] = -100` for `labels[position < n] = -100`."""
    yield from _turned(text, place, in_target=True)


def _turned(text: str, place: Place, *, in_target: bool) -> Iterator[str]:
    syntax = of_text(text)
    if syntax is None:
        return
    for test in syntax.on_line(place, cst.Comparison):
        if any(isinstance(above, cst.AssignTarget) for above in syntax.above(test)) != in_target:
            continue
        operator = OPPOSITES.get(type(test.comparisons[0].operator)) if len(test.comparisons) == 1 else None
        if operator is not None:
            target = test.comparisons[0]
            yield syntax.replaced((target, target.with_changes(operator=operator())))


def _last(syntax: Syntax, statement: cst.SimpleStatementLine) -> str:
    """The way out at the end of its block, where something stands behind it."""
    found = syntax.body(statement)
    if found is None or found[1][-1] is statement:
        return ""
    return syntax.with_block(found[0], [*(s for s in found[1] if s is not statement), statement])


def _round_only(syntax: Syntax, statement: cst.SimpleStatementLine) -> Iterator[str]:
    """`continue` for a `return` or `break` that ends a whole loop at one of its rounds."""
    above = next((a for a in syntax.above(statement) if isinstance(a, cst.For | cst.While | cst.FunctionDef)), None)
    if isinstance(above, cst.For | cst.While):
        for part in statement.body:
            if isinstance(part, cst.Break) or (isinstance(part, cst.Return) and part.value is None):
                yield syntax.replaced((part, cst.Continue()))


def _changed(syntax: Syntax, statement: cst.If) -> Iterator[str]:
    test = statement.test
    if any(name.value == "__name__" for name in syntax.inside(test, cst.Name)):
        return
    yield from _spelt(syntax, statement)
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        target = test.comparisons[0]
        operator = OPPOSITES.get(type(target.operator))
        if _is_remainder(test.left) and isinstance(target.operator, cst.Equal):
            yield syntax.replaced((target.comparator, cst.Integer("0")))  # a remainder is below what it divides by
        if operator is not None:
            yield syntax.replaced((target, target.with_changes(operator=operator())))
    elif isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield syntax.replaced((test, test.expression))
    else:
        needs = isinstance(test, cst.BooleanOperation) and not test.lpar
        inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]) if needs else test
        yield syntax.replaced((test, cst.UnaryOperation(cst.Not(), inner)))


def _is_remainder(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo)


def _spelt(syntax: Syntax, statement: cst.If) -> Iterator[str]:
    """A string of the condition as the nearest other string of the file spells it."""
    own = syntax.inside(statement.test, cst.SimpleString)
    known = {node.value for node in syntax.all(cst.SimpleString)} - {node.value for node in own}
    for node in own:
        for near in difflib.get_close_matches(node.value, known, n=2, cutoff=0.6):
            yield syntax.replaced((node, node.with_changes(value=near)))


def handed_to_all(text: str, place: Place) -> Iterator[str]:
    """An own `train` or `eval` that calls the one it takes the place of, too."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    around = [statement, *syntax.above(statement)]
    method = next((a for a in around if isinstance(a, cst.FunctionDef) and a.name.value in ("train", "eval")), None)
    if method is None or syntax.class_of(method) is None or not isinstance(method.body, cst.IndentedBlock):
        return
    given = ", ".join(param.name.value for param in method.params.params[1:])
    call = parsed(f"super().{method.name.value}({given})")
    yield syntax.with_block(method.body, [*call, *method.body.body])


def trained_again(text: str, place: Place) -> Iterator[str]:
    """`model.train()` for the `model.eval()` on the line."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "eval" and not call.args:
            yield syntax.replaced((call.func.attr, cst.Name("train")))


def other_flag(text: str, place: Place) -> Iterator[str]:
    """`False` for the `True` on the line, and the other way round."""
    syntax = of_text(text)
    if syntax is None:
        return
    for name in syntax.on_line(place, cst.Name):
        if name.value in ("True", "False"):
            yield syntax.replaced((name, cst.Name("False" if name.value == "True" else "True")))


def one_sooner(text: str, place: Place) -> Iterator[str]:
    """`epoch + 1 >= last` for `epoch >= last`, and `>=` for `>`: a count that begins at 0 never reaches its number."""
    syntax = of_text(text)
    if syntax is None:
        return
    for test in syntax.on_line(place, cst.Comparison):
        is_main = any(name.value == "__name__" for name in syntax.inside(test, cst.Name))
        if len(test.comparisons) != 1 or is_main:
            continue
        target = test.comparisons[0]
        if isinstance(target.operator, cst.GreaterThan):
            yield syntax.replaced((target, target.with_changes(operator=cst.GreaterThanEqual())))
        elif isinstance(target.operator, cst.GreaterThanEqual | cst.Equal):
            yield syntax.replaced((test.left, cst.parse_expression(f"{syntax.code(test.left)} + 1")))


def each_asked(text: str, place: Place) -> Iterator[str]:
    """`"a" in name or "b" in name` for `"a" or "b" in name`; `x = True` for an `x == True` that stands alone."""
    syntax = of_text(text)
    if syntax is None:
        return
    for both in syntax.on_line(place, cst.BooleanOperation):
        match both:
            case cst.BooleanOperation(left=cst.SimpleString() as word, right=cst.Comparison() as right):
                yield syntax.replaced((word, right.with_changes(left=word)))
    for part in syntax.on_line(place, cst.Expr):
        match part.value:
            case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=cst.Equal(), comparator=value)]):
                if isinstance(left, cst.Name | cst.Attribute | cst.Subscript):
                    yield syntax.replaced((part, cst.Assign([cst.AssignTarget(left)], value)))
