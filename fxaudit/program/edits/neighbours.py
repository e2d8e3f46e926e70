"""What stands nearby and is meant: a result that nobody reads, what another call of the function is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, dotted, last_name, of_text
from fxaudit.program.edits.totals import is_term

__all__ = [
    "as_other_call",
    "bound_early",
    "handed_to_its_name",
    "named_alike",
    "named_arguments",
    "other_result",
    "state_handed_on",
    "summed_with_unread",
    "unread_handed_on",
    "unread_instead",
    "unread_key",
]

_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
_DEFAULT = cst.MaybeSentinel.DEFAULT
_COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
EMPTY = ("()", "[]", "{}", "None", "tuple()", "list()")


def unread_instead(text: str, place: Place) -> Iterator[str]:
    """A value that its function computes and never reads, in the place of a name on the line.

    A term of the loss is none: it is added to the rest, and takes nothing's place.
    """
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    function = syntax.function(statement)
    if not isinstance(function, cst.FunctionDef):
        return
    own = {id(node) for node in _targets(syntax, statement)}
    unread = _unread(syntax, function, place.line)
    reads = [n for n in syntax.on_line(place, cst.Name) if id(n) not in own and _is_value(syntax, n)]
    seen = [node.value for node in reads]
    again = [node for i, node in enumerate(reads) if node.value in seen[:i]]  # one of two that are the same is meant
    for name in (n for n in unread if not is_term(n, _last_value(syntax, function, n))):
        for node in dict.fromkeys([*again, *reads]):
            yield syntax.replaced((node, cst.Name(name)))


def _last_value(syntax: Syntax, function: cst.FunctionDef, name: str) -> cst.BaseExpression | None:
    """What a variable of a function is given last."""
    values = [a.value for a in syntax.inside(function.body, cst.Assign) if syntax.code(a.targets[0].target) == name]
    return values[-1] if values else None


def _unread(syntax: Syntax, function: cst.FunctionDef, before: int) -> list[str]:
    """The variables of a function that are given a value above the line and never read, the last first."""
    written = _targets(syntax, function.body)
    known = {id(node) for node in written}
    read = {n.value for n in syntax.inside(function.body, cst.Name) if id(n) not in known and _is_read(syntax, n)}
    found = [n.value for n in written if syntax.first(n) < before and n.value not in read and n.value[0] != "_"]
    return list(dict.fromkeys(reversed(found)))


def summed_with_unread(text: str, place: Place) -> Iterator[str]:
    """`a + b + c` for `a + b`, where the function computes `c` and never reads it.

    The line has the sum, or it computes `c` and the sum stands further down.
    """
    made = _computed_at(text, place)
    if made is None:
        return
    syntax, function, own = made
    unread = [name for name in _unread(syntax, function, syntax.range(function).end.line) if name in own]
    later = [n for n in syntax.inside(function.body, cst.BinaryOperation) if syntax.first(n) > place.line]
    pairs = [(node, unread) for node in later]
    pairs += [(n, _unread(syntax, function, place.line)) for n in syntax.on_line(place, cst.BinaryOperation)]
    for node, names in pairs:
        above = syntax.parent(node)
        if not isinstance(node.operator, cst.Add) or (isinstance(above, cst.BinaryOperation) and above.left is node):
            continue
        adds_terms = any(_is_term(syntax, function, part) for part in syntax.inside(node, cst.Name))
        for name in (n for n in names if _is_term(syntax, function, cst.Name(n)) == adds_terms):
            longer = cst.parse_expression(f"{syntax.code(node.with_changes(lpar=[], rpar=[]))} + {name}")
            yield syntax.replaced((node, longer.with_changes(lpar=node.lpar, rpar=node.rpar)))


def _computed_at(text: str, place: Place) -> tuple[Syntax, cst.FunctionDef, set[str]] | None:
    """The program, the function around the line, and the names to which the line gives a value."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    function = syntax.function(statement) if syntax is not None and statement is not None else None
    if syntax is None or statement is None or not isinstance(function, cst.FunctionDef):
        return None
    return syntax, function, {node.value for node in _targets(syntax, statement)}


def _is_term(syntax: Syntax, function: cst.FunctionDef, name: cst.Name) -> bool:
    return is_term(name.value, _last_value(syntax, function, name.value))


def unread_key(text: str, place: Place) -> Iterator[str]:
    """`out["b"]` for `out["a"]`, where both stand in one dictionary and nobody reads the entry `b`."""
    syntax = of_text(text)
    if syntax is None:
        return
    asked = [(node, key) for node in syntax.all(cst.Subscript) if (key := _key(node)) is not None]
    read = {key.value[1:-1] for _, key in asked}
    for node in syntax.on_line(place, cst.Subscript):
        key = _key(node)
        for made in syntax.all(cst.Dict) if key is not None else ():
            known = [e.key.value[1:-1] for e in made.elements if isinstance(e, cst.DictElement) and _is_text(e.key)]  # type: ignore[attr-defined]
            for other in known if key is not None and key.value[1:-1] in known else ():
                if key is not None and other not in read:
                    yield syntax.replaced((key, key.with_changes(value=f"{key.quote}{other}{key.quote}")))


def _is_text(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.SimpleString)


def _key(node: cst.Subscript) -> cst.SimpleString | None:
    match node.slice:
        case [cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as key))]:
            return key
    return None


def unread_handed_on(text: str, place: Place) -> Iterator[str]:
    """A value that its function has and never reads, as one more argument of a call on the line."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    function = syntax.function(statement) if syntax is not None and statement is not None else None
    if syntax is None or not isinstance(function, cst.FunctionDef):
        return
    for name in _unread(syntax, function, place.line):
        for call in syntax.on_line(place, cst.Call):
            yield _with_argument(syntax, call, cst.Arg(cst.Name(name)))


def named_alike(text: str, place: Place) -> Iterator[str]:
    """A value that a function has and never reads, handed to what takes an argument of that name which is left out.

    The line asks for the argument; whose call it is, the trial tells.
    """
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    asking = syntax.function(statement) if syntax is not None and statement is not None else None
    if syntax is None or not isinstance(asking, cst.FunctionDef):
        return
    asked = {name.value for name in syntax.on_line(place, cst.Name)}
    left_out = [p.name.value for p in asking.params.params if p.default is not None and p.name.value in asked]
    for function in syntax.all(cst.FunctionDef) if left_out else ():
        last = syntax.range(function).end.line
        for name in _unread(syntax, function, last):
            for call in syntax.inside(function.body, cst.Call) if name in left_out else ():
                yield _with_argument(syntax, call, cst.Arg(cst.Name(name), keyword=cst.Name(name), equal=_TIGHT))


def handed_to_its_name(text: str, place: Place) -> Iterator[str]:
    """What the line computes and nobody reads, handed to a call whose function has an argument of that name."""
    made = _computed_at(text, place)
    if made is None:
        return
    syntax, function, own = made
    for name in (n for n in _unread(syntax, function, syntax.range(function).end.line) if n in own):
        asking = {f.name.value for f in syntax.all(cst.FunctionDef) for p in f.params.params if p.name.value == name}
        for call in syntax.inside(function.body, cst.Call):
            if last_name(call.func) in asking and syntax.first(call) > place.line:
                yield _with_argument(syntax, call, cst.Arg(cst.Name(name), keyword=cst.Name(name), equal=_TIGHT))


def state_handed_on(text: str, place: Place) -> Iterator[str]:
    """`h, state = lstm(x, state)` for a call that gives `state` anew and does not take it."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    targets = [node.value for node in _targets(syntax, statement)]
    before = {n.value for n in _targets(syntax, syntax.function(statement)) if syntax.first(n) < place.line}
    for call in syntax.on_line(place, cst.Call):
        for name in targets:
            if name in before and all(syntax.code(argument.value) != name for argument in call.args):
                yield _with_argument(syntax, call, cst.Arg(cst.Name(name)))


def named_arguments(text: str, place: Place, names: Sequence[str]) -> Iterator[str]:
    """`weight=self.weight` for a function of torch's that is called without it; all of the names at once."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        owner = dotted(call.func).rpartition(".")[0]
        if owner in ("F", "nn.functional", "torch.nn.functional"):
            values = [(cst.Name(name), cst.Attribute(cst.Name("self"), cst.Name(name))) for name in names]
            given = [cst.Arg(value, keyword=name, equal=_TIGHT) for name, value in values]
            yield _with_argument(syntax, call, *given)


def _with_argument(syntax: Syntax, call: cst.Call, *added: cst.Arg) -> str:
    """The text with more arguments of a call, before those that are named if they are not."""
    position = len(call.args) if added[0].keyword is not None else 0
    while position < len(call.args) and call.args[position].keyword is None:
        position += 1
    args = [*call.args[:position], *added, *call.args[position:]]
    args = [a if a is args[-1] else a.with_changes(comma=_COMMA if a.comma is _DEFAULT else a.comma) for a in args]
    return syntax.replaced((call, call.with_changes(args=args)))


def _targets(syntax: Syntax, part: cst.CSTNode) -> list[cst.Name]:
    """The names that assignments give a value."""
    assigned = [target.target for target in syntax.inside(part, cst.AssignTarget)]
    return [name for target in assigned for name in syntax.inside(target, cst.Name) if _is_value(syntax, name)]


def _is_read(syntax: Syntax, name: cst.Name) -> bool:
    """Whether a name stands for a variable, and is neither an attribute of something nor a keyword."""
    above = syntax.parent(name)
    if isinstance(above, cst.Attribute):
        return above.attr is not name
    return not (isinstance(above, cst.Arg) and above.keyword is name)


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
