"""Values written in the wrong place or the wrong way: moved to `__init__`, written in place, kept in a local name."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, last_name, of_text, parsed

__all__ = [
    "given_to_call",
    "in_place",
    "into_init",
    "made_once",
    "settled_in_place",
    "swapped",
    "to_local",
    "without_override",
]

TORCHS = {
    "parameters", "named_parameters", "children", "named_children", "modules", "named_modules",
    "train", "zero_grad", "requires_grad_",
}  # fmt: skip
"""Methods of torch's that a class of the program may override."""


def into_init(text: str, place: Place) -> Iterator[str]:
    """The statement at the end of its class's `__init__`, where it runs once."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    if any(isinstance(part, cst.Return | cst.Raise) for part in statement.body):
        return
    around, found = syntax.class_of(statement), syntax.body(statement)
    if around is None or found is None:
        return
    for start in around.body.body:
        if isinstance(start, cst.FunctionDef) and start.name.value == "__init__":
            if start is syntax.function(statement) or not isinstance(start.body, cst.IndentedBlock):
                continue
            moved = statement.with_changes(leading_lines=[])
            if not isinstance(syntax.parent(found[0]), cst.FunctionDef):
                return
            kept = [s for s in found[1] if s is not statement] or parsed("pass")
            yield syntax.replaced(
                (found[0], found[0].with_changes(body=kept)),
                (start.body, start.body.with_changes(body=[*start.body.body, *_in_init(syntax, moved)])),
            )


def _in_init(syntax: Syntax, moved: cst.SimpleStatementLine) -> list[cst.BaseStatement]:
    """A Parameter's slot is written in place; everything else as it stood."""
    for part in moved.body:
        match part:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute() as target)], value=value) if _is_slot(
                target
            ) and not _makes(value):
                return _copied(syntax, moved, target, value)
    return [moved]


def _is_slot(target: cst.BaseExpression) -> bool:
    return isinstance(target, cst.Attribute) and target.attr.value in ("weight", "bias")


def _makes(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Call) and last_name(value.func)[:1].isupper()


def _copied(
    syntax: Syntax, old: cst.SimpleStatementLine, target: cst.BaseExpression, value: cst.BaseExpression
) -> list[cst.BaseStatement]:
    code = f"with torch.no_grad():\n    {syntax.code(target)}.copy_({syntax.code(value)})"
    block = parsed(code)
    (inner,) = block[0].body.body  # type: ignore[attr-defined]
    new = block[0].deep_replace(inner, inner.with_changes(trailing_whitespace=old.trailing_whitespace))
    assert isinstance(new, cst.BaseCompoundStatement)
    return [new]


def settled_in_place(text: str, place: Place) -> Iterator[str]:
    """`in_place`, where doing it again changes nothing: bounds, masks, a norm."""
    yield from _in_place(text, place, settled=True)


def in_place(text: str, place: Place) -> Iterator[str]:
    """A value computed of a Parameter copied into it under `no_grad`, where it was put in its place."""
    yield from _in_place(text, place, settled=False)


def _in_place(text: str, place: Place, *, settled: bool) -> Iterator[str]:
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for part in statement.body:
        match part:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute() as target)], value=value):
                plain, found = _plain(value), syntax.body(statement)
                fits = _settles(syntax, plain, target) if settled else _reads(syntax, plain, target)
                if fits and found is not None:
                    block, statements = found
                    position = next(i for i, s in enumerate(statements) if s is statement)
                    new = _copied(syntax, statement, target, plain)
                    yield syntax.with_block(block, [*statements[:position], *new, *statements[position + 1 :]])


SETTLING = {
    "clamp", "clip", "clamp_min", "clamp_max", "abs", "relu", "triu", "tril", "masked_fill", "round", "sign",
    "normalize", "where", "maximum", "minimum",
}  # fmt: skip
"""What changes nothing when it is done again."""


def _settles(syntax: Syntax, value: cst.BaseExpression, target: cst.BaseExpression) -> bool:
    code = syntax.code(target)
    match value:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=name)), args=args) if name in SETTLING:
            return any(syntax.code(part) == code for part in (owner, *(argument.value for argument in args)))
        case cst.BinaryOperation(left=left, operator=cst.Multiply(), right=right):
            other = right if syntax.code(left) == code else left
            return code in (syntax.code(left), syntax.code(right)) and "mask" in syntax.code(other).lower()
        case cst.BinaryOperation(left=left, operator=cst.Divide(), right=right):
            return syntax.code(left) == code and _reads(syntax, right, target)
    return False


def _reads(syntax: Syntax, value: cst.BaseExpression, target: cst.BaseExpression) -> bool:
    """Whether the numbers of the target are read, and not its shape alone."""
    code = syntax.code(target)
    for node in syntax.inside(value, cst.Attribute):
        above = syntax.parent(node)
        call = syntax.parent(above) if isinstance(above, cst.Arg) else None
        of_shape = isinstance(above, cst.Attribute) and above.attr.value in ("shape", "size", "dtype", "device")
        of_kind = isinstance(call, cst.Call) and last_name(call.func).endswith("_like")
        if syntax.code(node) == code and not of_shape and not of_kind:
            return True
    return False


def _plain(value: cst.BaseExpression) -> cst.BaseExpression:
    """What a Parameter is made of; a Parameter made of a value would be a new leaf."""
    if isinstance(value, cst.Call) and last_name(value.func) == "Parameter" and value.args:
        return value.args[0].value
    return value


def given_to_call(text: str, place: Place) -> Iterator[str]:
    """`functional_call(self.linear, {"weight": w}, (x,))` for a `self.linear(x)` behind `self.linear.weight = w`."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    function = syntax.function(statement)
    taken = {node.value for node in syntax.inside(function, cst.Name) if not _is_attribute(syntax, node)}
    for part in statement.body:
        match part:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute(value=owner) as target)], value=value):
                module, slot = syntax.code(owner), target.attr.value
                calls = [
                    call
                    for call in syntax.inside(function, cst.Call)
                    if syntax.code(call.func) == module and syntax.first(call) > syntax.first(statement)
                ]
                if (
                    _reads(syntax, value, target)
                    and calls
                    and not any(a.keyword or a.star for call in calls for a in call.args)
                ):
                    name = cst.Name(slot if slot not in taken else f"new_{slot}")
                    made = [(call, _functional(syntax, call, module, slot, name.value)) for call in calls]
                    yield syntax.replaced((target, name), (value, _plain(value)), *made)


def _functional(syntax: Syntax, call: cst.Call, module: str, slot: str, name: str) -> cst.BaseExpression:
    given = ", ".join(syntax.code(argument.value) for argument in call.args)
    comma = "," * (len(call.args) == 1)
    return cst.parse_expression(f'torch.func.functional_call({module}, {{"{slot}": {name}}}, ({given}{comma}))')


def _is_attribute(syntax: Syntax, name: cst.Name) -> bool:
    above = syntax.parent(name)
    return isinstance(above, cst.Attribute) and above.attr is name


def to_local(text: str, place: Place) -> Iterator[str]:
    """The value in a local name, which the rest of the function reads instead of the slot."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for part in statement.body:
        match part:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute() as target)], value=value):
                yield from _renamed(syntax, statement, target, value)


def _renamed(
    syntax: Syntax, statement: cst.SimpleStatementLine, target: cst.Attribute, value: cst.BaseExpression
) -> Iterator[str]:
    code, name = syntax.code(target), cst.Name(target.attr.value)
    function = syntax.function(statement)
    taken = {node.value for node in syntax.inside(function, cst.Name) if isinstance(syntax.parent(node), cst.Param)}
    later = [
        node
        for node in syntax.inside(function, cst.Attribute)
        if syntax.code(node) == code and syntax.first(node) > syntax.first(statement)
    ]
    if later and name.value not in taken:
        yield syntax.replaced((target, name), (value, _plain(value)), *((node, name) for node in later))


def made_once(text: str, place: Place) -> Iterator[str]:
    """`self.fc = nn.Linear(…)` in `__init__` for `fc = nn.Linear(…)` in forward; then one that learns its size.

    Of a layer that is made and called in one expression, `nn.Linear(…)(x)`, the same.
    """
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    around = syntax.class_of(statement) if syntax is not None and statement is not None else None
    if syntax is None or around is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    start = next((f for f in around.body.body if isinstance(f, cst.FunctionDef) and f.name.value == "__init__"), None)
    function = syntax.function(statement)
    found = syntax.body(statement)
    if start is None or found is None or start is function or not isinstance(start.body, cst.IndentedBlock):
        return
    match statement.body:
        case [cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)], value=cst.Call() as made)]:
            kept = cst.parse_expression(f"self.{name.value}")
            reads = [n for n in syntax.inside(function, cst.Name) if n.value == name.value and n is not name]
            later = [(n, kept) for n in reads if syntax.first(n) > syntax.first(statement)]
            for value in (made, *_lazy(made)):
                line = parsed(f"self.{name.value} = {syntax.code(value)}")
                moved = start.body.with_changes(body=[*start.body.body, *line])
                yield syntax.replaced((statement, cst.RemoveFromParent()), (start.body, moved), *later)
            return
    yield from _made_inline(syntax, place, around, start.body)


def _made_inline(syntax: Syntax, place: Place, around: cst.ClassDef, start: cst.IndentedBlock) -> Iterator[str]:
    known = {node.attr.value for node in syntax.inside(around, cst.Attribute)}
    for call in syntax.on_line(place, cst.Call):
        layer = call.func
        if isinstance(layer, cst.Call) and last_name(layer.func)[:1].isupper():
            short = last_name(layer.func).lower()
            kept = f"self.{short if short not in known else f'{short}_made_once'}"
            line = parsed(f"{kept} = {syntax.code(layer)}")
            moved = start.with_changes(body=[*start.body, *line])
            yield syntax.replaced((layer, cst.parse_expression(kept)), (start, moved))


def _lazy(made: cst.Call) -> Iterator[cst.Call]:
    name = last_name(made.func)
    if name in ("Linear", "Conv1d", "Conv2d", "Conv3d", "BatchNorm1d", "BatchNorm2d") and made.args:
        func = cst.Name(f"Lazy{name}")
        new = made.func.with_changes(attr=func) if isinstance(made.func, cst.Attribute) else func
        yield made.with_changes(func=new, args=made.args[1:])


def swapped(text: str, place: Place) -> Iterator[str]:
    """The two arguments, or the two owners of a copy, in the other order."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        plain = [argument for argument in call.args if argument.keyword is None and not argument.star]
        if len(plain) >= 2:
            first, second = plain[0].value, plain[1].value
            yield syntax.replaced((first, second), (second, first))
        yield from _turned_copy(syntax, call)


def _turned_copy(syntax: Syntax, call: cst.Call) -> Iterator[str]:
    """`b.load_state_dict(a.state_dict())` for `a.load_state_dict(b.state_dict())`."""
    match call:
        case cst.Call(
            func=cst.Attribute(value=one, attr=cst.Name(value="load_state_dict" | "copy_")),
            args=[cst.Arg(value=cst.Call(func=cst.Attribute(value=other, attr=cst.Name(value="state_dict")))), *_],
        ):
            yield syntax.replaced((one, other), (other, one))


def without_override(text: str, place: Place) -> Iterator[str]:
    """Without the method around the line that takes the place of torch's and passes something over."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    around = [statement, *syntax.above(statement)]
    method = next((a for a in around if isinstance(a, cst.FunctionDef) and a.name.value in TORCHS), None)
    if method is not None and syntax.class_of(method) is not None:
        yield from filter(None, [syntax.without(method)])
