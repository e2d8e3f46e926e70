"""What freezes more than is meant: a test of names made narrower, a freeze taken back."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, last_name, of_text

__all__ = ["narrowed", "thawed", "thawed_later"]

_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def narrowed(text: str, place: Place) -> Iterator[str]:
    """`f"{word}." in name` for `word in name`, and the like: `layer1` no longer means `layer10` as well.

    The test stands on the line, or in an `if` around it.
    """
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    owners = [above.test for above in syntax.above(statement) if isinstance(above, cst.If)]
    parts = [*syntax.on_line(place, cst.BaseExpression), *(n for o in owners for n in _within(syntax, o))]
    for part in parts:
        match part:
            case (
                cst.Comparison(left=word, comparisons=[cst.ComparisonTarget(operator=cst.In(), comparator=cst.Name())])
                | cst.Call(func=cst.Attribute(attr=cst.Name(value="startswith")), args=[cst.Arg(value=word)])
            ):
                yield syntax.replaced((word, _as_part(syntax, word)))


def _within(syntax: Syntax, node: cst.BaseExpression) -> list[cst.BaseExpression]:
    return syntax.inside(node, cst.BaseExpression)


def _as_part(syntax: Syntax, word: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(word, cst.SimpleString):
        return word.with_changes(value=f"{word.prefix}{word.quote}{word.value[len(word.prefix) + 1 : -1]}.{word.quote}")
    return cst.parse_expression(f'{syntax.code(word)} + "."')


def thawed(text: str, place: Place) -> Iterator[str]:
    """Without what freezes on the line: `freeze=False` for an embedding that is given its values."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if last_name(call.func) == "from_pretrained" and not any(_is_called(a, "freeze") for a in call.args):
            asked = cst.Arg(cst.Name("False"), keyword=cst.Name("freeze"), equal=_TIGHT)
            comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
            kept = [a.with_changes(comma=comma) for a in call.args]
            yield syntax.replaced((call, call.with_changes(args=[*kept, asked])))
    match statement:
        case cst.SimpleStatementLine(
            body=[
                cst.Assign(
                    targets=[cst.AssignTarget(target=cst.Attribute(attr=cst.Name(value="requires_grad")))],
                    value=cst.Name(value="False"),
                )
                | cst.Expr(
                    value=cst.Call(
                        func=cst.Attribute(attr=cst.Name(value="requires_grad_")),
                        args=[cst.Arg(value=cst.Name(value="False"))],
                    )
                )
            ]
        ):
            found = syntax.body(statement)
            owner = syntax.parent(found[0]) if found is not None and len(found[1]) == 1 else None
            yield from filter(None, [syntax.without(owner if isinstance(owner, cst.For) else statement)])


def thawed_later(text: str, place: Place) -> Iterator[str]:
    """`freeze(net, True)` behind the next step of the loop, for the `freeze(net, False)` at the place."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    found = syntax.body(statement) if syntax is not None and statement is not None else None
    if syntax is None or found is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    flags = [
        argument.value
        for call in syntax.inside(statement, cst.Call)
        for argument in call.args
        if isinstance(argument.value, cst.Name) and argument.value.value == "False"
    ]
    in_loop = any(isinstance(above, cst.For | cst.While) for above in syntax.above(statement))
    if not in_loop or len(statement.body) != 1 or not isinstance(statement.body[0], cst.Expr) or len(flags) != 1:
        return
    again = syntax.code(syntax.of_replaced(statement.body[0], (flags[0], cst.Name("True"))))
    for other in found[1]:
        steps = [c for c in syntax.inside(other, cst.Call) if last_name(c.func) == "step"]
        if syntax.first(other) > place.line and steps and isinstance(other, cst.SimpleStatementLine):
            yield syntax.inserted(other, again)
            return


def _is_called(argument: cst.Arg, name: str) -> bool:
    return argument.keyword is not None and argument.keyword.value == name
