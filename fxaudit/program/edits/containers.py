"""Parameters put where `nn.Module` looks: containers that register, Parameters, classes that are modules."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, dotted, last_name, of_text, parsed

__all__ = [
    "as_module",
    "held_beside",
    "hoisted",
    "kept_beside",
    "of_instance",
    "parameter_of_buffer",
    "parameter_outside",
    "registered",
]

LISTS = ("ModuleList", "ParameterList")
DICTS = ("ModuleDict", "ParameterDict")


def _namespace(syntax: Syntax) -> str:
    """How the program writes `torch.nn`."""
    names = {dotted(node) for node in syntax.all(cst.Attribute)}
    if any(name.startswith("nn.") for name in names):
        return "nn"
    return "torch.nn"


def registered(text: str, place: Place) -> Iterator[str]:
    """The list, dict or tuple on the line in a container that registers it; a bare tensor as a Parameter."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for assign in syntax.inside(statement, cst.Assign):
        yield from _contained(syntax, assign, assign.value)
    for append in syntax.inside(statement, cst.Call):
        if isinstance(append.func, cst.Attribute) and last_name(append.func) in ("append", "extend", "setdefault"):
            yield from _at_birth(syntax, statement, append.func.value)
    for assign in syntax.inside(statement, cst.Assign):
        target = assign.targets[0].target
        if isinstance(target, cst.Subscript):
            yield from _at_birth(syntax, statement, target.value)


def _at_birth(syntax: Syntax, statement: cst.CSTNode, container: cst.BaseExpression) -> Iterator[str]:
    """The container where it is made, if that is in the same class."""
    around = syntax.class_of(statement) or syntax.module
    for assign in syntax.inside(around, cst.Assign):
        if assign.targets[0].target.deep_equals(container):
            yield from _contained(syntax, assign, assign.value, statement)


def _contained(
    syntax: Syntax, assign: cst.Assign, value: cst.BaseExpression, put_in: cst.CSTNode | None = None
) -> Iterator[str]:
    of_parameters = any(last_name(c.func) == "Parameter" for c in syntax.inside(put_in or value, cst.Call))
    kinds: tuple[str, ...] = ()
    match value:
        case cst.List() | cst.ListComp() | cst.Tuple() | cst.GeneratorExp():
            kinds = LISTS
        case cst.Dict() | cst.DictComp():
            kinds = DICTS
        case cst.Call(func=cst.Name(value="list" | "tuple")):
            kinds = LISTS
        case cst.Call(func=cst.Name(value="dict" | "OrderedDict")):
            kinds = DICTS
    for kind in kinds[::-1] if of_parameters else kinds:
        yield syntax.replaced((value, _call(syntax, kind, value)))
    if not kinds and isinstance(value, cst.Call):
        yield from _parameter(syntax, value)


def _call(syntax: Syntax, name: str, value: cst.BaseExpression) -> cst.Call:
    if isinstance(value, cst.Call) and not value.args:
        return cst.Call(cst.parse_expression(f"{_namespace(syntax)}.{name}"))
    plain = value
    if isinstance(value, cst.Tuple) and not value.lpar:
        plain = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    if isinstance(value, cst.List | cst.Dict) and not value.elements:
        return cst.Call(cst.parse_expression(f"{_namespace(syntax)}.{name}"))
    return cst.Call(cst.parse_expression(f"{_namespace(syntax)}.{name}"), [cst.Arg(plain)])


def _parameter(syntax: Syntax, value: cst.Call) -> Iterator[str]:
    """`nn.Parameter(torch.zeros(3))` for `torch.zeros(3, requires_grad=True)`."""
    kept = [argument for argument in value.args if not (argument.keyword and argument.keyword.value == "requires_grad")]
    inner: cst.BaseExpression = value
    if len(kept) < len(value.args):
        if kept:
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        inner = value.with_changes(args=kept)
    elif isinstance(value.func, cst.Attribute) and value.func.attr.value == "requires_grad_":
        inner = value.func.value
    else:
        return
    yield syntax.replaced((value, _call(syntax, "Parameter", inner)))


def parameter_outside(text: str, place: Place) -> Iterator[str]:
    """`nn.Parameter(x.to(d))` for `nn.Parameter(x).to(d)`: what is computed of it goes inside."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for assign in syntax.inside(statement, cst.Assign):
        calls = [c for c in syntax.inside(assign.value, cst.Call) if last_name(c.func) == "Parameter" and c.args]
        if len(calls) != 1 or calls[0] is assign.value:
            continue
        (call,) = calls
        inner = call.args[0].value
        if isinstance(inner, cst.BinaryOperation | cst.UnaryOperation | cst.IfExp) and not inner.lpar:
            inner = inner.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        value = assign.value.deep_replace(call, inner)
        assert isinstance(value, cst.BaseExpression)
        yield syntax.replaced((assign.value, call.with_changes(args=[call.args[0].with_changes(value=value)])))


def as_module(text: str, place: Place) -> Iterator[str]:
    """The plain class around the line, or the one that the line makes an object of, as an `nn.Module`."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    made = {last_name(call.func) for call in syntax.on_line(place, cst.Call)}
    around = syntax.class_of(statement)
    for plain in syntax.all(cst.ClassDef):
        bases = [base for base in plain.bases if syntax.code(base.value) != "object"]
        if (plain is around or plain.name.value in made) and not bases and not plain.decorators:
            changed = _derived(syntax, plain)
            if changed is not None:
                yield syntax.replaced((plain, changed))


def _derived(syntax: Syntax, plain: cst.ClassDef) -> cst.ClassDef | None:
    base = cst.Arg(cst.parse_expression(f"{_namespace(syntax)}.Module"))
    for function in plain.body.body:
        if isinstance(function, cst.FunctionDef) and function.name.value == "__init__":
            start = cst.parse_statement("super().__init__()")
            changed = function.with_changes(body=function.body.with_changes(body=[start, *function.body.body]))
            new = plain.deep_replace(function, changed)
            assert isinstance(new, cst.ClassDef)
            new = new.with_changes(bases=[base], lpar=cst.LeftParen(), rpar=cst.RightParen())
            return _called_as_forward(new)
    return None


def _called_as_forward(plain: cst.ClassDef) -> cst.ClassDef:
    """`__call__` under the name that modules have for it."""
    for function in plain.body.body:
        if isinstance(function, cst.FunctionDef) and function.name.value == "__call__":
            new = plain.deep_replace(function, function.with_changes(name=cst.Name("forward")))
            assert isinstance(new, cst.ClassDef)
            return new
    return plain


def parameter_of_buffer(text: str, place: Place) -> Iterator[str]:
    """`register_parameter` for a `register_buffer` of what is to be trained."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if last_name(call.func) != "register_buffer" or len(call.args) < 2 or not isinstance(call.func, cst.Attribute):
            continue
        value = call.args[1].value
        plain = value
        if isinstance(value, cst.Call):
            kept = [a for a in value.args if not (a.keyword and a.keyword.value == "requires_grad")]
            if kept:
                kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            plain = value.with_changes(args=kept)
        made = cst.parse_expression(f"{_namespace(syntax)}.Parameter({syntax.code(plain)})")
        args = [call.args[0], cst.Arg(made)]
        func = call.func.with_changes(attr=cst.Name("register_parameter"))
        yield syntax.replaced((call, call.with_changes(func=func, args=args)))


def hoisted(text: str, place: Place) -> Iterator[str]:
    """Modules in a list or dict that a call on the line is given, first put into a container of `self`'s."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for assign in syntax.inside(statement, cst.Assign):
        target = assign.targets[0].target
        if not (isinstance(target, cst.Attribute) and isinstance(assign.value, cst.Call)):
            continue
        for argument in assign.value.args:
            kind = {cst.List: LISTS[0], cst.Dict: DICTS[0]}.get(type(argument.value))
            if kind is None:
                continue
            kept = f"{syntax.code(target)}_parts"
            shorter = syntax.of_replaced(statement, (argument.value, cst.parse_expression(kept)))
            made = parsed(f"{kept} = {_namespace(syntax)}.{kind}({syntax.code(argument.value)})")
            block, statements = syntax.body(statement) or (None, [])
            if block is not None:
                position = next(i for i, s in enumerate(statements) if s is statement)
                yield syntax.with_block(block, [*statements[:position], *made, shorter, *statements[position + 1 :]])


def kept_beside(text: str, place: Place) -> Iterator[str]:
    """`self.inner = inner` before a `self.run = lambda x: inner(x)`: what is closed over gets a name of its own."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    function = syntax.function(statement) if syntax is not None and statement is not None else None
    if (
        syntax is None
        or not isinstance(function, cst.FunctionDef)
        or not isinstance(statement, cst.SimpleStatementLine)
    ):
        return
    if function.name.value != "__init__":
        return
    own = {param.name.value for param in function.params.params[1:]}
    own |= {last_name(a.target) for a in syntax.inside(function, cst.AssignTarget) if isinstance(a.target, cst.Name)}
    for part in syntax.inside(statement, cst.Lambda) + syntax.inside(statement, cst.Call):
        body = part.body if isinstance(part, cst.Lambda) else part
        bound = {p.name.value for p in part.params.params} if isinstance(part, cst.Lambda) else set()
        for name in dict.fromkeys(n.value for n in syntax.inside(body, cst.Name) if n.value in own - bound):
            yield from filter(None, [syntax.inserted(statement, f"self.{name} = {name}", before=True)])


def held_beside(text: str, place: Place, names: Sequence[str]) -> Iterator[str]:
    """`self.part_linear = self.part.linear` behind the making of a `self.part` that is no module.

    `names` are those of the parameters that it hides: `part.linear.weight`.
    """
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    targets = [node for target in syntax.inside(statement, cst.AssignTarget) for node in _elements(target.target)]
    kept: dict[str, None] = {}
    for target in targets:
        if not isinstance(target, cst.Attribute) or syntax.code(target.value) != "self":
            continue
        for name in names:
            parts = name.split(".")
            at = parts.index(target.attr.value) if target.attr.value in parts else len(parts)
            way = parts[at + 1 : -1]
            if way and all(part.isidentifier() and not keyword.iskeyword(part) for part in way):
                kept[f"self.{'_'.join(parts[at:-1])} = {'.'.join(['self', *parts[at:-1]])}"] = None
    if kept:
        yield from filter(None, [syntax.inserted(statement, "\n".join(kept))])


def _elements(target: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(target, cst.Tuple | cst.List):
        return [element.value for element in target.elements]
    return [target]


def of_instance(text: str, place: Place) -> Iterator[str]:
    """`self.project = nn.Linear(…)` in `__init__` for a `project = nn.Linear(…)` in the body of the class."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    around = syntax.class_of(statement) if syntax is not None and statement is not None else None
    if syntax is None or around is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    if syntax.parent(statement) is not around.body:
        return
    for part in statement.body:
        for start in around.body.body:
            if not (isinstance(start, cst.FunctionDef) and start.name.value == "__init__"):
                continue
            match part:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
                    made = parsed(f"self.{name} = {syntax.code(value)}")
                    longer = start.body.with_changes(body=[*start.body.body, *made])
                    yield syntax.replaced((statement, cst.RemoveFromParent()), (start.body, longer))
