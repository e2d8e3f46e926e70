"""What stands nearby and is meant: a result that nobody reads, what another call of the function is given."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, dotted, of_text

__all__ = ["as_other_call", "bound_early", "other_result", "unread_instead"]

_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
EMPTY = ("()", "[]", "{}", "None", "tuple()", "list()")


def unread_instead(text: str, place: Place) -> Iterator[str]:
    """A value that its function computes and never reads, in the place of a name on the line."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    function = syntax.function(statement)
    if not isinstance(function, cst.FunctionDef):
        return
    own = {id(node) for node in _targets(syntax, statement)}
    names = syntax.inside(function.body, cst.Name)
    targets = [n for n in _targets(syntax, function.body) if syntax.first(n) < place.line]
    written = {id(node) for node in _targets(syntax, function.body)}
    read = {node.value for node in names if id(node) not in written}
    unread = dict.fromkeys(n.value for n in targets if n.value not in read and not n.value.startswith("_"))
    reads = [n for n in syntax.on_line(place, cst.Name) if id(n) not in own and _is_value(syntax, n)]
    seen = [node.value for node in reads]
    again = [node for i, node in enumerate(reads) if node.value in seen[:i]]  # one of two that are the same is meant
    for name in reversed(unread):
        for node in dict.fromkeys([*again, *reads]):
            yield syntax.replaced((node, cst.Name(name)))


def _targets(syntax: Syntax, part: cst.CSTNode) -> list[cst.Name]:
    """The names that assignments give a value."""
    assigned = [target.target for target in syntax.inside(part, cst.AssignTarget)]
    return [name for target in assigned for name in syntax.inside(target, cst.Name) if _is_value(syntax, name)]


def _is_value(syntax: Syntax, name: cst.Name) -> bool:
    """Whether a name stands for a value by itself, and is neither an attribute, a keyword nor what is called."""
    above = syntax.parent(name)
    if isinstance(above, cst.Attribute):
        return False
    if isinstance(above, cst.Call):
        return above.func is not name
    return not (isinstance(above, cst.Arg) and above.keyword is name)


def other_result(text: str, place: Place) -> Iterator[str]:
    """`backward` of another of the values that were computed together with the one that it is called on."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        match call.func:
            case cst.Attribute(value=cst.Name() as owner, attr=cst.Name(value="backward")):
                for name in _computed_with(syntax, owner):
                    yield syntax.replaced((owner, cst.Name(name)))


def _computed_with(syntax: Syntax, owner: cst.Name) -> list[str]:
    found: dict[str, None] = {}
    for assign in syntax.inside(syntax.function(owner), cst.Assign):
        for target in assign.targets:
            if isinstance(target.target, cst.Tuple):
                names = [e.value.value for e in target.target.elements if isinstance(e.value, cst.Name)]
                if owner.value in names:
                    found.update(dict.fromkeys(name for name in names if name != owner.value))
    return list(found)


def as_other_call(text: str, place: Place) -> Iterator[str]:
    """What another call of the same function is given, where this one is given nothing."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        name = dotted(call.func)
        others = [c for c in syntax.all(cst.Call) if name and c is not call and dotted(c.func) == name]
        for position, argument in enumerate(call.args):
            for other in others if syntax.code(argument.value) in EMPTY else ():
                given = other.args[position].value if position < len(other.args) else None
                if given is not None and syntax.code(given) not in EMPTY:
                    yield syntax.replaced((argument.value, given))


def bound_early(text: str, place: Place) -> Iterator[str]:
    """`lambda i=i: f(i)` for `lambda: f(i)` in a loop: each keeps its own round's value."""
    syntax = of_text(text)
    if syntax is None:
        return
    for short in syntax.on_line(place, cst.Lambda):
        rounds = [
            name.value
            for above in syntax.above(short)
            if isinstance(above, cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp | cst.For)
            for name in syntax.inside(above.target if isinstance(above, cst.For) else above.for_in.target, cst.Name)
        ]
        read = {name.value for name in syntax.inside(short.body, cst.Name)}
        bound = [cst.Param(cst.Name(name), default=cst.Name(name), equal=_TIGHT) for name in rounds if name in read]
        if bound:
            params = short.params.with_changes(params=[*short.params.params, *bound])
            code = syntax.code(short.with_changes(params=params))
            code = code if code.startswith("lambda ") else code.replace("lambda", "lambda ", 1)
            yield syntax.replaced((short, cst.parse_expression(code)))
