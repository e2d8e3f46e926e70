"""What an optimizer is given, and when: all parameters of the model, after the last of them was made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, dotted, last_name, of_text, parsed

KNOWN = {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "LBFGS", "Rprop"}

__all__ = [
    "every_group",
    "given_all",
    "given_other",
    "given_twice",
    "groups_themselves",
    "joining",
    "moved_behind",
    "set_in_groups",
    "wider",
]


def _builds(syntax: Syntax, place: Place) -> list[cst.Call]:
    """The calls on the line that look like the making of an optimizer of parameters alike."""
    return [
        call
        for call in syntax.on_line(place, cst.Call)
        if call.args and call.args[0].star != "**" and _is_optimizer(call) and not _has_rates(syntax, call.args[0])
    ]


def _is_optimizer(call: cst.Call) -> bool:
    """By its module, its name, or because it is given a rate."""
    keywords = {argument.keyword.value for argument in call.args if argument.keyword is not None}
    name = last_name(call.func)
    return "optim" in dotted(call.func).lower() or bool(keywords & {"lr", "learning_rate"}) or name in KNOWN


def _has_rates(syntax: Syntax, given: cst.Arg) -> bool:
    """Whether the groups have rates of their own, which one list of everything would lose."""
    return any(node.value[1:-1] == "lr" for node in syntax.inside(given.value, cst.SimpleString))


def given_all(text: str, place: Place) -> Iterator[str]:
    """`model.parameters()` for the first argument, for each model of which the file asks for parameters."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in _builds(syntax, place):
        first = call.args[0]
        for model in _models(syntax, call):
            new = cst.parse_expression(f"{model}.parameters()")
            if not first.value.deep_equals(new):
                yield syntax.replaced((first.value, new))


def _models(syntax: Syntax, call: cst.Call) -> list[str]:
    """What stands before `.parameters()` and its like in the function or the file, or is called `model` in it."""
    function = syntax.function(call)
    found: list[str] = []
    asked = ("parameters", "named_parameters", "state_dict", "modules", "children", "named_modules", "train",
             "get_submodule")  # fmt: skip
    for around in (function, syntax.module):
        for other in syntax.inside(around, cst.Call):
            if isinstance(other.func, cst.Attribute) and other.func.attr.value in asked:
                found.append(syntax.code(other.func.value))
        for assign in syntax.inside(around, cst.Assign):
            target = assign.targets[0].target
            parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else [target]
            found += [syntax.code(part) for part in parts if last_name(part) in ("model", "net", "network")]
    params = function.params.params if isinstance(function, cst.FunctionDef) else ()
    found += [p.name.value for p in params if p.name.value in ("model", "net", "module", "network")]
    roots = [match[0] for name in found if (match := re.match(r"(self\.)?\w+(?=[.\[])", name))]
    names = list(dict.fromkeys([*roots, *found]))
    return [name for name in names if name.replace(".", "").isidentifier() and name not in ("self", "torch")]


def wider(text: str, place: Place) -> Iterator[str]:
    """Without the test of a name in what the line selects; an `elif` that asks for one as an `else`."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for part in syntax.on_line(place, cst.CompIf):
        if any(isinstance(above, cst.Call) and _is_optimizer(above) for above in syntax.above(part)):
            continue  # all of the model's parameters stand there more simply
        match part.test:
            case cst.BooleanOperation(left=left, operator=cst.And(), right=right):
                for gone, kept in ((left, right), (right, left)):
                    if _asks_for_name(syntax, gone):
                        yield syntax.replaced((part.test, kept))
            case test if _asks_for_name(syntax, test):
                yield syntax.replaced((part, cst.RemoveFromParent()))
    if isinstance(statement, cst.If):
        above = syntax.parent(statement)
        is_last = statement.orelse is None and isinstance(above, cst.If)
        if is_last and _asks_for_name(syntax, statement.test):
            yield syntax.replaced((statement, cst.Else(statement.body, statement.leading_lines)))


def _asks_for_name(syntax: Syntax, test: cst.BaseExpression) -> bool:
    """Whether a test compares a text with a part of a name."""
    words = syntax.inside(test, cst.SimpleString)
    return bool(words) and any(
        isinstance(node, cst.In) or (isinstance(node, cst.Name) and node.value in ("startswith", "endswith"))
        for node in syntax.inside(test, cst.CSTNode)
    )


def moved_behind(text: str, place: Place) -> Iterator[str]:
    """The making of an optimizer behind the statement at the place, which makes or replaces parameters later."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    function = syntax.function(statement)
    lines = [s for s in syntax.inside(function, cst.SimpleStatementLine) if syntax.function(s) is function]
    lines.sort(key=syntax.first)
    built = [s for s in lines if _is_built_by(syntax, s)]
    for other in built:
        if syntax.first(other) < syntax.first(statement):
            for last in (statement, *(s for s in lines[::-1] if _replaces(s) and s is not statement)):
                yield from _moved(syntax, other, last)
        elif other is statement:
            for last in (s for s in lines[::-1] if syntax.first(s) > place.line and _replaces(s)):
                yield from _moved(syntax, other, last)


def _moved(syntax: Syntax, built: cst.SimpleStatementLine, last: cst.SimpleStatementLine) -> Iterator[str]:
    if syntax.first(last) <= syntax.first(built):
        return
    found = syntax.body(last)
    if found is None or syntax.body(built) is None or syntax.body(built)[0] is not found[0]:  # type: ignore[index]
        return
    block, statements = found
    kept: list[cst.BaseStatement] = []
    for statement in statements:
        if statement is built:
            continue
        kept.append(statement)
        if statement is last:
            kept.append(built)
    yield syntax.with_block(block, kept)


def _is_built_by(syntax: Syntax, statement: cst.SimpleStatementLine) -> bool:
    for part in statement.body:
        if isinstance(part, cst.Assign) and isinstance(part.value, cst.Call):
            code = syntax.code(part.value)
            return "optim" in code or "parameters()" in code
    return False


def _replaces(statement: cst.SimpleStatementLine) -> bool:
    """Whether the statement assigns an attribute or item, or only calls something."""
    for part in statement.body:
        if isinstance(part, cst.Expr) and isinstance(part.value, cst.Call):
            return True
        if isinstance(part, cst.Assign) and isinstance(part.targets[0].target, cst.Attribute | cst.Subscript):
            return True
        if isinstance(part, cst.Assign) and isinstance(part.value, cst.Call):
            return True
    return False


def set_in_groups(text: str, _: Place) -> Iterator[str]:
    """The value that the program puts into `defaults`, which no group looks at again, in every group."""
    syntax = of_text(text)
    if syntax is None:
        return
    for statement in syntax.all(cst.SimpleStatementLine):
        match statement.body:
            case [
                cst.Assign(
                    targets=[
                        cst.AssignTarget(
                            target=cst.Subscript(
                                value=cst.Attribute(value=owner, attr=cst.Name(value="defaults")),
                                slice=[cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as key))],
                            )
                        )
                    ],
                    value=value,
                )
            ]:
                found = syntax.body(statement)
                if found is None:
                    continue
                block, statements = found
                setting = f"group[{key.value}] = {syntax.code(value)}"
                groups = parsed(f"for group in {syntax.code(owner)}.param_groups:\n    {setting}")
                position = next(i for i, s in enumerate(statements) if s is statement)
                yield syntax.with_block(block, [*statements[:position], *groups, *statements[position + 1 :]])


def given_twice(text: str, place: Place, names: Sequence[str]) -> Iterator[str]:
    """`given_other`, where what the line is given is given at another place as well."""
    syntax = of_text(text)
    if syntax is None:
        return
    asked = [syntax.code(call.func) for call in syntax.all(cst.Call) if _asks(call)]
    if any(_asks(call) and asked.count(syntax.code(call.func)) > 1 for call in syntax.on_line(place, cst.Call)):
        yield from given_other(text, place, names)


def _asks(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in ("parameters", "named_parameters")


def given_other(text: str, place: Place, names: Sequence[str]) -> Iterator[str]:
    """`generator.parameters()` for the `discriminator.parameters()` on the line: one of `names` for the last name."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if not _asks(call) or not isinstance(call.func, cst.Attribute):
            continue
        owner = call.func.value
        last = owner.attr if isinstance(owner, cst.Attribute) else owner
        known = set(names) if isinstance(owner, cst.Attribute) else _bound(syntax)
        for name in names:
            if isinstance(last, cst.Name) and name != last.value and name in known:
                yield syntax.replaced((last, cst.Name(name)))


def _bound(syntax: Syntax) -> set[str]:
    """The names that the text gives a value."""
    written = [n for a in syntax.all(cst.AssignTarget) for n in syntax.inside(a.target, cst.Name)]
    targets = [n.value for n in written if not isinstance(syntax.parent(n), cst.Attribute)]
    loops = [n.value for a in syntax.all(cst.For) for n in syntax.inside(a.target, cst.Name)]
    return {*targets, *loops, *(param.name.value for param in syntax.all(cst.Param))}


def every_group(text: str, place: Place) -> Iterator[str]:
    """What the line does with the first group, done with every one."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    found = syntax.body(statement) if syntax is not None and statement is not None else None
    if syntax is None or statement is None or found is None:
        return
    firsts = [part for part in syntax.inside(statement, cst.Subscript) if _is_first_group(part)]
    if not firsts or not isinstance(statement, cst.For | cst.SimpleStatementLine):
        return
    group = cst.Name("group")
    inner = syntax.of_replaced(statement, *((part, group) for part in firsts)).with_changes(leading_lines=[])
    (outer,) = parsed(f"for group in {syntax.code(firsts[0].value)}:\n    pass")
    assert isinstance(outer, cst.For)
    new = outer.with_changes(body=outer.body.with_changes(body=[inner]), leading_lines=statement.leading_lines)
    block, statements = found
    yield syntax.with_block(block, [new if s is statement else s for s in statements])


def _is_first_group(part: cst.Subscript) -> bool:
    return last_name(part.value) == "param_groups" and isinstance(part.slice[0].slice, cst.Index)


def groups_themselves(text: str, place: Place) -> Iterator[str]:
    """`optimizer.param_groups` for `optimizer.state_dict()["param_groups"]`, or for a deep copy of them."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.all(cst.Call):
        given = call.args[0].value if len(call.args) == 1 else None
        if last_name(call.func) == "deepcopy" and given is not None and last_name(given) == "param_groups":
            yield syntax.replaced((call, given))
    for part in syntax.on_line(place, cst.Subscript):
        match part:
            case cst.Subscript(
                value=cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="state_dict")), args=[]),
                slice=[cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as key))],
            ) if key.value[1:-1] == "param_groups":
                yield syntax.replaced((part, cst.Attribute(owner, cst.Name("param_groups"))))


def joining(text: str, place: Place, optimizer: str) -> Iterator[str]:
    """The optimizer's group given all parameters again, behind the line that replaces one of them."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for built in syntax.all(cst.Assign):
        given = built.value.args[:1] if isinstance(built.value, cst.Call) else ()
        if syntax.code(built.targets[0].target) != optimizer or not given:
            continue
        match given[0].value:
            case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="parameters"))):
                all_of_it = f"list({syntax.code(owner)}.parameters())"
                added = f'{optimizer}.param_groups[0]["params"] = {all_of_it}'
                yield from filter(None, [syntax.inserted(statement, added)])
