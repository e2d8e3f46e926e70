"""Values that let no gradient through: integer division, zeros, constants, selections, dead activations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, dotted, last_name, of_text

__all__ = [
    "alive",
    "counted",
    "detached",
    "finite",
    "gradient_of_function",
    "hook_passing",
    "true_division",
    "whole_range",
    "with_graph",
]

_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
ZEROING = {"zeros_"}


def true_division(text: str, place: Place) -> Iterator[str]:
    """`/` for `//` on the line, and no cast to whole numbers."""
    syntax = of_text(text)
    if syntax is None:
        return
    for node in syntax.on_line(place, cst.BinaryOperation):
        if isinstance(node.operator, cst.FloorDivide):
            yield syntax.replaced(
                (node.operator, cst.Divide(node.operator.whitespace_before, node.operator.whitespace_after))
            )
    for call in syntax.on_line(place, cst.Call):
        if isinstance(call.func, cst.Name) and call.func.value in ("int", "round") and len(call.args) == 1:
            inner = call.args[0].value
            if not isinstance(inner, cst.Name | cst.Call | cst.Attribute | cst.Subscript) and not inner.lpar:
                inner = inner.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            yield syntax.replaced((call, inner))


def detached(text: str, place: Place) -> Iterator[str]:
    """`old = new.detach()` for `old = new`: what is compared with what it came from, without its history."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for part in statement.body:
        if isinstance(part, cst.Assign) and isinstance(part.value, cst.Name):
            yield syntax.replaced((part.value, cst.parse_expression(f"{part.value.value}.detach()")))


def whole_range(text: str, place: Place) -> Iterator[str]:
    """The whole of what the line takes a part of: `layers` for `layers[:-1]`, `range(n)` for `range(n - 1)`."""
    syntax = of_text(text)
    if syntax is None:
        return
    for part in syntax.on_line(place, cst.Subscript):
        match part.slice:
            case [cst.SubscriptElement(slice=cst.Slice())]:
                yield syntax.replaced((part, part.value))
            case [cst.SubscriptElement(slice=cst.Index(value=cst.Integer(value="0") as first))]:
                yield syntax.replaced((first, cst.parse_expression("-1")))
    for call in syntax.on_line(place, cst.Call):
        if last_name(call.func) != "range" or not call.args:
            continue
        for argument in call.args:
            value = argument.value
            if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Subtract | cst.FloorDivide):
                yield syntax.replaced((value, value.left))
        if len(call.args) == 2 and isinstance(call.args[0].value, cst.Integer) and call.args[0].value.value != "0":
            yield syntax.replaced((call.args[0].value, cst.Integer("0")))


def counted(text: str, place: Place) -> Iterator[str]:
    """Without the `ignore_index` or `padding_idx` that leaves out all there is."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        kept = [a for a in call.args if a.keyword is None or a.keyword.value not in ("ignore_index", "padding_idx")]
        if len(kept) < len(call.args):
            if kept:
                kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            yield syntax.replaced((call, call.with_changes(args=kept)))


def alive(text: str, place: Place) -> Iterator[str]:
    """Zeros taken out where they are put: an initialisation, a factor made of zeros, an activation that is flat."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    if isinstance(statement, cst.SimpleStatementLine) and _initialises(syntax, statement):
        yield from filter(None, [syntax.without(statement)])
    for call in syntax.on_line(place, cst.Call):
        if _is_factor(syntax, call):
            yield syntax.replaced((call.func, _ones(call.func)))
        for new in _livelier(syntax, call):
            yield syntax.replaced((call, new))
    for string in syntax.on_line(place, cst.SimpleString):
        if string.value[1:-1] == "nearest":
            yield syntax.replaced((string, string.with_changes(value=f"{string.quote}bilinear{string.quote}")))


def _is_factor(syntax: Syntax, call: cst.Call) -> bool:
    """Whether these zeros are multiplied with something, here or under the name that they are given."""
    if last_name(call.func) not in ("zeros", "zeros_like", "new_zeros"):
        return False
    above = syntax.parent(call)
    nodes: list[cst.CSTNode] = [call]
    if isinstance(above, cst.Assign) and isinstance(above.targets[0].target, cst.Name):
        name = above.targets[0].target.value
        nodes += [n for n in syntax.inside(syntax.function(call), cst.Name) if n.value == name]
    owners = [syntax.parent(node) for node in nodes]
    return any(isinstance(o, cst.BinaryOperation) and isinstance(o.operator, cst.Multiply) for o in owners)


def _ones(func: cst.BaseExpression) -> cst.BaseExpression:
    """`torch.ones_like` for `torch.zeros_like`."""
    if isinstance(func, cst.Attribute):
        return func.with_changes(attr=cst.Name(func.attr.value.replace("zeros", "ones")))
    return cst.Name(last_name(func).replace("zeros", "ones"))


def _initialises(syntax: Syntax, statement: cst.SimpleStatementLine) -> bool:
    """Whether the statement only writes zeros into a parameter."""
    if len(statement.body) != 1 or not isinstance(statement.body[0], cst.Expr):
        return False
    call = statement.body[0].value
    if not isinstance(call, cst.Call):
        return False
    name = last_name(call.func)
    if name in ("zeros_", "zero_"):
        return True
    owner = last_name(call.func.value) if isinstance(call.func, cst.Attribute) else ""
    of_bias = owner == "bias" or (bool(call.args) and last_name(call.args[0].value) == "bias")
    if name in ("constant_", "fill_") and of_bias:
        return True
    values = [syntax.code(argument.value) for argument in call.args]
    return name in ("constant_", "fill_") and bool(values) and values[-1] in ("0", "0.0", "0.")


FLAT = {
    "relu": ("softplus", "leaky_relu"),
    "cross_entropy": ("mse_loss", "binary_cross_entropy_with_logits"),
    "ReLU": ("Softplus", "LeakyReLU"),
    "CrossEntropyLoss": ("MSELoss", "BCEWithLogitsLoss"),
    "hardtanh": ("tanh",),
    "argmax": ("softmax",),
}


def _livelier(syntax: Syntax, call: cst.Call) -> Iterator[cst.BaseExpression]:
    name, code = last_name(call.func), syntax.code(call)
    arguments = [argument for argument in call.args if argument.keyword is None]
    if name == "zeros_like" and arguments:
        yield arguments[0].value
        yield cst.parse_expression(f"torch.randn_like({syntax.code(arguments[0].value)}) * 0.02")
    elif name in ("zeros", "new_zeros") and dotted(call.func) == "torch.zeros":
        yield cst.parse_expression(f"torch.randn{code[len('torch.zeros') :]} * 0.02")
    elif name in ("softmax", "log_softmax", "Softmax") and isinstance(call.func, cst.Attribute):
        of_function = bool(arguments) and dotted(call.func.value) in FUNCTIONAL
        owner = syntax.code(arguments[0].value if of_function else call.func.value)
        alone = [cst.parse_expression(f"torch.sigmoid({owner})")] if name == "softmax" else []
        if name == "Softmax":
            alone = [cst.parse_expression(f"{owner}.Sigmoid()")]
        if "unsqueeze(" in owner:  # along an axis that was only just made, there is one element
            yield from alone
        yield from _other_axes(call, ("-1", "1"))
        yield from alone
        yield from _other_axes(call, ("0",))  # the axis of the batch, mostly: last
    elif name in ("clamp", "clip") and isinstance(call.func, cst.Attribute):
        if len(arguments) >= 2:
            yield _swapped(call)
        yield call.func.value if dotted(call.func.value) != "torch" else arguments[0].value
    elif name in FLAT and isinstance(call.func, cst.Attribute):
        for other in FLAT[name]:
            yield _renamed(syntax, call, other)
    elif name == "full_like" and arguments:
        yield arguments[0].value


FUNCTIONAL = ("torch", "F", "nn.functional", "torch.nn.functional")


def _renamed(syntax: Syntax, call: cst.Call, other: str) -> cst.BaseExpression:
    owner = dotted(call.func.value) if isinstance(call.func, cst.Attribute) else ""
    if owner == "torch":
        return call.with_changes(func=cst.parse_expression(f"torch.nn.functional.{other}"))
    assert isinstance(call.func, cst.Attribute)
    return call.with_changes(func=call.func.with_changes(attr=cst.Name(other)))


def _other_axes(call: cst.Call, axes: Sequence[str]) -> Iterator[cst.Call]:
    """The same along other axes."""
    for position, argument in enumerate(call.args):
        is_axis = (argument.keyword is not None and argument.keyword.value == "dim") or position == len(call.args) - 1
        code = cst.Module([]).code_for_node(argument.value)
        if is_axis and code in ("0", "1", "-1", "2"):
            for axis in axes:
                if axis != code:
                    args = list(call.args)
                    args[position] = argument.with_changes(value=cst.parse_expression(axis))
                    yield call.with_changes(args=args)


def _swapped(call: cst.Call) -> cst.Call:
    """The last two arguments in the other order."""
    args = list(call.args)
    args[-2], args[-1] = args[-2].with_changes(value=args[-1].value), args[-1].with_changes(value=args[-2].value)
    return call.with_changes(args=args)


def finite(text: str, place: Place) -> Iterator[str]:
    """An argument kept away from where the derivative is infinite: `sqrt`, `log`, `norm`, a division."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        name = last_name(call.func)
        if name not in ("sqrt", "log", "rsqrt", "pow", "acos", "asin", "atan2") or not isinstance(
            call.func, cst.Attribute
        ):
            continue
        if dotted(call.func.value) in ("torch", "math") and call.args:
            value = call.args[0].value
            new = call.args[0].with_changes(value=_raised(syntax, value))
            yield syntax.replaced((call, call.with_changes(args=[new, *call.args[1:]])))
        else:
            raised = cst.parse_expression(f"({syntax.code(_raised(syntax, call.func.value))})")
            yield syntax.replaced((call.func.value, raised))
    for node in syntax.on_line(place, cst.BinaryOperation):
        if isinstance(node.operator, cst.Divide):
            raised = cst.parse_expression(f"({syntax.code(_raised(syntax, node.right))})")
            yield syntax.replaced((node.right, raised))


def _raised(syntax: Syntax, node: cst.BaseExpression) -> cst.BaseExpression:
    return cst.parse_expression(f"{syntax.code(node)} + 1e-8")


def hook_passing(text: str, place: Place) -> Iterator[str]:
    """The hook at the place, or the one that the line registers, returning the gradient that it was given."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for short in syntax.inside(statement, cst.Lambda):
        if short.params.params:
            yield syntax.replaced((short.body, short.params.params[-1].name))
    inside = next((a for a in (statement, *syntax.above(statement)) if isinstance(a, cst.FunctionDef)), None)
    named = {n.value for n in syntax.inside(statement, cst.Name)}
    for function in syntax.all(cst.FunctionDef):
        if function is inside or function.name.value in named:
            for back in syntax.inside(function, cst.Return):
                params = [p.name for p in function.params.params if p.name.value != "self"]
                if params and back.value is not None:
                    read = {name.value for name in syntax.inside(back.value, cst.Name)}
                    came = [name for name in params if name.value in read] or params[-1:]
                    yield syntax.replaced((back.value, came[-1]))


def gradient_of_function(text: str, place: Place) -> Iterator[str]:
    """The `None` that a custom backward returns, replaced by the gradient that came."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    around = [statement, *syntax.above(statement)]
    function = next((a for a in around if isinstance(a, cst.FunctionDef)), None)
    if function is None or len(function.params.params) < 2:
        return
    came = function.params.params[1].name
    for back in syntax.inside(function, cst.Return):
        for name in syntax.inside(back, cst.Name):
            if name.value == "None":
                yield syntax.replaced((name, came))


DERIVING = {"grad", "jacobian", "hessian", "vjp", "jvp", "hvp", "vhp"}


def with_graph(text: str, place: Place) -> Iterator[str]:
    """A derivative that is computed with a graph of its own, so that it can be differentiated."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        given = [a for a in call.args if a.keyword is not None and a.keyword.value in ("create_graph", "retain_graph")]
        if last_name(call.func) in DERIVING and call.args:
            kept = [argument for argument in call.args if argument not in given]
            asked = cst.Arg(cst.Name("True"), keyword=cst.Name("create_graph"), equal=_TIGHT)
            yield syntax.replaced((call, call.with_changes(args=[*kept, asked])))
