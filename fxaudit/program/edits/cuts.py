"""Cuts of the gradient taken out: `detach`, `.data`, round trips through Python numbers and numpy, new leaves."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, dotted, last_name, of_text

__all__ = [
    "copied_deeply",
    "with_variables",
    "without_copy",
    "without_detach",
    "without_flag",
    "without_new_leaf",
    "without_round_trip",
]

DETACHING = {"detach", "detach_"}
LEAVING = {"item", "tolist", "numpy"}
COPYING = {"cpu", "clone"}
NUMBERS = {"float", "int"}
WRAPPING = {
    "tensor",
    "new_tensor",
    "as_tensor",
    "from_numpy",
    "FloatTensor",
    "Tensor",
    "asarray",
    "HalfTensor",
    "DoubleTensor",
}
FUNCTIONS = {"exp", "log", "sqrt", "tanh", "sin", "cos", "abs", "log1p", "expm1", "sigmoid"}
STACKED = {f"torch.{name}" for name in WRAPPING}
LIBRARIES = {"math", "np", "numpy"}
ELEMENTWISE = {"median", "mean", "sum", "max", "min", "clip", "maximum", "minimum", "where", "square", "std"}


def with_variables(text: str, place: Place) -> Iterator[str]:
    """`state_dict(keep_vars=True)` for a `state_dict()`, whose tensors are detached."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "state_dict" and not call.args:
            yield syntax.replaced((call, cst.parse_expression(f"{syntax.code(call.func)}(keep_vars=True)")))


def without_detach(text: str, place: Place) -> Iterator[str]:
    """Without the `.detach()` or `.data` on the line: the one that is meant, each alone, all of them."""
    syntax = of_text(text)
    if syntax is None:
        return
    found = [node for node in syntax.on_line(place, cst.BaseExpression) if _kept_of_detached(node) is not None]
    single = [[node] for node in found]
    for nodes in (*single, *([found] if len(found) > 1 else [])):
        yield from _replaced(syntax, nodes, place)


def _kept_of_detached(node: cst.CSTNode) -> cst.BaseExpression | None:
    match node:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=name)), args=[]) if name in DETACHING:
            return owner
        case cst.Attribute(value=owner, attr=cst.Name(value="data")):
            return owner
    return None


def _replaced(syntax: Syntax, nodes: list[cst.BaseExpression], place: Place) -> Iterator[str]:
    yield from _taken(syntax, place, _Taking({id(node) for node in nodes}, _kept_of_detached))


def _taken(syntax: Syntax, place: Place, visitor: _Taking) -> Iterator[str]:
    """The text after the visitor; without the statement at the place, where that is `x = x` then."""
    text = syntax.module.visit(visitor).code
    new = of_text(text)
    statement = new.statement(place.line) if new is not None else None
    if new is not None and isinstance(statement, cst.SimpleStatementLine) and _says_nothing(statement):
        text = new.without(statement)
    if text:
        yield text


def _says_nothing(line: cst.SimpleStatementLine) -> bool:
    """`x = x`, or a name alone."""
    match line.body:
        case [cst.Assign(targets=[cst.AssignTarget(target=target)], value=value)]:
            return target.deep_equals(value)
        case [cst.Expr(value=cst.Name() | cst.Attribute())]:
            return True
    return False


class _Taking(cst.CSTTransformer):
    """Puts in the place of chosen nodes what `kept` says of them."""

    def __init__(self, chosen: set[int], kept: object) -> None:
        super().__init__()
        self._chosen, self._kept = chosen, kept

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        if id(original_node) in self._chosen:
            found = self._kept(updated_node)  # type: ignore[operator]
            return updated_node if found is None else _bracketed(original_node, found)
        return updated_node


def _bracketed(old: cst.CSTNode, new: cst.BaseExpression) -> cst.BaseExpression:
    """`new` in the brackets that `old` stood in."""
    lpar = getattr(old, "lpar", ())
    return new.with_changes(lpar=[*lpar, *new.lpar], rpar=[*new.rpar, *old.rpar]) if lpar else new  # type: ignore[attr-defined]


def without_copy(text: str, place: Place) -> Iterator[str]:
    """Without the `.clone()` on the line, so that what is written is the tensor itself."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "clone" and not call.args:
            yield syntax.replaced((call, call.func.value))


def copied_deeply(text: str, place: Place) -> Iterator[str]:
    """`copy.deepcopy` for `copy.copy` on the line: a shallow copy of a module shares its parameters."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        match call.func:
            case cst.Attribute(value=cst.Name(value="copy"), attr=cst.Name(value="copy") as name):
                yield syntax.replaced((name, cst.Name("deepcopy")))


def without_round_trip(text: str, place: Place) -> Iterator[str]:
    """Without the way through Python numbers or numpy: on the line, then in the whole function."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    function = syntax.function(statement)
    here = {id(node) for node in syntax.on_line(place, cst.BaseExpression)}
    everywhere = {id(node) for node in syntax.inside(function, cst.BaseExpression)}
    ways = [(here, _kept_in_torch), (everywhere, _kept_in_torch), (everywhere, _kept_or_stacked)]
    if _is_stacked_later(syntax, function, statement):
        ways.reverse()
    for chosen, kept in ways:
        yield from _taken(syntax, place, _Taking(chosen, kept))


def _is_stacked_later(syntax: Syntax, function: cst.CSTNode, statement: cst.CSTNode) -> bool:
    """Whether the statement makes a list that a `torch.tensor` of the function is given by its name."""
    made = {
        last_name(a.targets[0].target)
        for a in syntax.inside(statement, cst.Assign)
        if isinstance(a.value, cst.ListComp | cst.List)
    }
    calls = [call for call in syntax.inside(function, cst.Call) if dotted(call.func) in STACKED and call.args]
    return any(isinstance(call.args[0].value, cst.Name) and call.args[0].value.value in made for call in calls)


def _kept_in_torch(node: cst.CSTNode) -> cst.BaseExpression | None:
    """What stands in torch for a way out of it or back into it."""
    if (kept := _kept_of_detached(node)) is not None:
        return kept
    match node:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=name)), args=[]) if name in LEAVING:
            return owner
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="cpu")), args=[]):
            return owner
        case cst.Call(func=cst.Name(value=name), args=[cst.Arg(value=value, star="", keyword=None)]) if name in NUMBERS:
            return value
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="full_like")), args=[first, value]) if not _is_number(
            value
        ):
            like = first.with_changes(comma=cst.MaybeSentinel.DEFAULT)
            owner = value.value if not isinstance(value.value, cst.BinaryOperation) else _in_brackets(value.value)
            return cst.Call(cst.Attribute(owner, cst.Name("expand_as")), [like])
    if isinstance(node, cst.Call) and node.args and not node.args[0].star:
        return _wrapped(node) or _function(node)
    return None


def _is_number(argument: cst.Arg) -> bool:
    return isinstance(argument.value, cst.BaseNumber | cst.UnaryOperation)


def _in_brackets(node: cst.BaseExpression) -> cst.BaseExpression:
    return node if node.lpar else node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _kept_or_stacked(node: cst.CSTNode) -> cst.BaseExpression | None:
    """The same, with a name that `torch.tensor` was given taken for a list of tensors."""
    match node:
        case cst.Call(func=func, args=[cst.Arg(value=cst.Name()) as listed, *_]) if dotted(func) in STACKED:
            plain = listed.with_changes(comma=cst.MaybeSentinel.DEFAULT)
            return node.with_changes(func=cst.parse_expression("torch.stack"), args=[plain])
    return _kept_in_torch(node)


def _wrapped(call: cst.Call) -> cst.BaseExpression | None:
    """What `torch.tensor(…)` was given: a tensor, or a list of tensors to be stacked."""
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    of_tensor = last_name(call.func) == "new_tensor"
    if last_name(call.func) not in WRAPPING or owner is None:
        return None
    if not of_tensor and dotted(owner) not in ("torch", "np", "numpy"):
        return None
    value = call.args[0].value
    if isinstance(value, cst.List | cst.ListComp | cst.Tuple | cst.GeneratorExp):
        if isinstance(value, cst.List | cst.Tuple) and all(
            isinstance(e.value, cst.BaseNumber | cst.SimpleString | cst.UnaryOperation) for e in value.elements
        ):
            return None
        return call.with_changes(
            func=cst.parse_expression("torch.stack"), args=[call.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
        )
    return None if isinstance(value, cst.BaseNumber) else value


def _function(call: cst.Call) -> cst.BaseExpression | None:
    """`torch.exp(x)` of `math.exp(x)`."""
    if not isinstance(call.func, cst.Attribute) or dotted(call.func.value) not in LIBRARIES:
        return None
    if call.func.attr.value not in FUNCTIONS | ELEMENTWISE:
        return None
    return call.with_changes(func=call.func.with_changes(value=cst.Name("torch")))


def without_new_leaf(text: str, place: Place) -> Iterator[str]:
    """What `torch.tensor(t)`, `nn.Parameter(t)` or `t.requires_grad_()` was made of."""
    syntax = of_text(text)
    if syntax is None:
        return
    found = [node for node in syntax.on_line(place, cst.Call) if _kept_of_leaf(node) is not None]
    for call in found:
        yield from _taken(syntax, place, _Taking({id(call)}, _kept_of_leaf))
        statement = syntax.statement(place.line)
        nodes = {id(call), *(id(n) for n in syntax.on_line(place, cst.BaseExpression) if _kept_of_detached(n))}
        if len(nodes) > 1 and statement is not None:
            yield from _taken(syntax, place, _Taking(nodes, lambda n: _kept_of_leaf(n) or _kept_of_detached(n)))


def without_flag(text: str, place: Place) -> Iterator[str]:
    """Without a `requires_grad = True` or `requires_grad_()` of the function, which makes a leaf of a result."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for line in syntax.inside(syntax.function(statement), cst.SimpleStatementLine):
        match line.body:
            case [
                cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute(attr=cst.Name(value="requires_grad")))])
            ] | [cst.Expr(value=cst.Call(func=cst.Attribute(attr=cst.Name(value="requires_grad_"))))]:
                yield from filter(None, [syntax.without(line)])


def _kept_of_leaf(node: cst.CSTNode) -> cst.BaseExpression | None:
    match node:
        case cst.Call(func=func, args=[cst.Arg(value=value, star=""), *_]) if last_name(func) in (
            *WRAPPING,
            "Parameter",
            "Variable",
        ):
            return _wrapped(node) or (value if not isinstance(value, cst.List | cst.ListComp | cst.Tuple) else None)
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="requires_grad_"))):
            return owner
    return None
