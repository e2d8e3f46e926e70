"""Rounding, selections and draws, which have no derivative: straight-through, reparametrised, as soft weights."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, dotted, last_name, of_text

__all__ = ["chosen_softly", "drawn_with_gradient", "number_passed_through", "straight_through", "unrounded"]

INTEGER_CASTS = {"long", "int", "round", "floor", "trunc", "ceil"}
ROUNDING = {"bernoulli", "round", "floor", "ceil", "sign", "trunc", "round_", "heaviside"}


def unrounded(text: str, place: Place) -> Iterator[str]:
    """Without the cast to whole numbers."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in INTEGER_CASTS and not call.args:
            yield syntax.replaced((call, call.func.value))
    for node in syntax.on_line(place, cst.Attribute):
        if dotted(node) in ("torch.long", "torch.int", "torch.int64", "torch.int32", "torch.bool"):
            yield syntax.replaced((node.attr, cst.Name("float32")))


def drawn_with_gradient(text: str, place: Place) -> Iterator[str]:
    """`rsample()` for `sample()`, and `mean + std * randn_like(std)` for `normal(mean, std)`."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "sample":
            yield syntax.replaced((call.func.attr, cst.Name("rsample")))
        if dotted(call.func) == "torch.normal" and len(call.args) == 2:
            mean, std = (syntax.code(argument.value) for argument in call.args)
            yield syntax.replaced((call, cst.parse_expression(f"({mean} + ({std}) * torch.randn_like({mean}))")))


def straight_through(text: str, place: Place) -> Iterator[str]:
    """`x + (round(x) - x).detach()`: the value as it was, the gradient as if nothing had been rounded."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.BaseExpression):
        if (axis := _one_hot(call)) is not None:
            scores, hard = f"{syntax.code(axis[0])}.softmax({axis[1]})", syntax.code(call)
            yield syntax.replaced((call, cst.parse_expression(f"({scores} + ({hard} - {scores}).detach())")))
        if (source := _rounded(call)) is not None:
            before, rounded = syntax.code(source), syntax.code(call)
            yield syntax.replaced((call, cst.parse_expression(f"({before} + ({rounded} - {before}).detach())")))


def chosen_softly(text: str, place: Place) -> Iterator[str]:
    """`scores.softmax(-1)` for a selection by `argmax` or `multinomial`, `gumbel_softmax` for one that is drawn.

    What reads it gets weights where it got a number: the rest is the author's, so it is offered untried.
    """
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if (axis := _of_argmax(call)) is not None:
            yield syntax.replaced((call, cst.parse_expression(f"{syntax.code(axis[0])}.softmax({axis[1]})")))
        if last_name(call.func) == "multinomial" and call.args and isinstance(call.func, cst.Attribute):
            scores = call.args[0].value if dotted(call.func.value) == "torch" else call.func.value
            drawn = f"torch.nn.functional.gumbel_softmax({syntax.code(scores)}.log(), hard=True)"
            yield syntax.replaced((call, cst.parse_expression(drawn)))


def number_passed_through(text: str, place: Place) -> Iterator[str]:
    """`w + (round(w.item(), 3) - w).detach()`: the number that was made of `w`, the gradient as if it were `w`."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for assign in syntax.inside(statement, cst.Assign):
        owners = {
            syntax.code(call.func.value)
            for call in syntax.inside(assign.value, cst.Call)
            if isinstance(call.func, cst.Attribute) and call.func.attr.value == "item" and not call.args
        }
        if len(owners) == 1:
            (owner,) = owners
            made = f"{owner} + ({syntax.code(assign.value)} - {owner}).detach()"
            yield syntax.replaced((assign.value, cst.parse_expression(made)))


def _rounded(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """What was rounded, compared or thresholded."""
    match node:
        case cst.Call(func=cst.Attribute(value=cst.Name(value="torch"), attr=cst.Name(value=name)), args=[first, *_]):
            return _simple(first.value) if name in ROUNDING else None
        case cst.Call(func=cst.Attribute(value=cst.Comparison() as test, attr=cst.Name(value=cast)), args=_) if (
            cast
            in (
                "float",
                "to",
                "type_as",
                "half",
                "double",
            )
        ):
            return _simple(test.left)
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=name)), args=[]) if name in ROUNDING:
            return _simple(owner)
    return None


def _one_hot(node: cst.BaseExpression) -> tuple[cst.BaseExpression, str] | None:
    """The scores and the axis of `F.one_hot(scores.argmax(axis), …).float()`."""
    match node:
        case cst.Call(
            func=cst.Attribute(
                value=cst.Call(func=func, args=[cst.Arg(value=cst.Call() as chosen), *_]),
                attr=cst.Name(value="float" | "to" | "type_as"),
            )
        ) if last_name(func) == "one_hot":
            return _of_argmax(chosen)
    return None


def _of_argmax(call: cst.Call) -> tuple[cst.BaseExpression, str] | None:
    """What the largest is looked for in, and along which axis."""
    if last_name(call.func) != "argmax" or not isinstance(call.func, cst.Attribute):
        return None
    of_torch = dotted(call.func.value) == "torch"
    axes = call.args[of_torch:]
    if len(axes) != 1 or (of_torch and not call.args):
        return None
    scores = call.args[0].value if of_torch else call.func.value
    return _simple(scores) or scores, cst.Module([]).code_for_node(axes[0].value)


def _simple(node: cst.BaseExpression) -> cst.BaseExpression | None:
    if isinstance(node, cst.BinaryOperation | cst.UnaryOperation) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node
