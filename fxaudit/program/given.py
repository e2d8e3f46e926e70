"""What statements and calls give: the value of a target, an argument, an entry, an option's default."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from fxaudit.program.evaluation import evaluated
from fxaudit.program.plain import chain_of
from fxaudit.program.tree import Tree, tree_of

__all__ = [
    "argument_of",
    "calls_in",
    "crossed_with",
    "default_of",
    "entries_named",
    "function_at",
    "given_to",
    "imported_from",
    "is_any_text_true",
    "is_display",
    "key_asked_for",
    "keys_of",
    "last_name",
    "option_default",
    "passed",
    "passed_in",
    "position_of",
    "put_into",
    "unpacks",
]


def function_at(tree: Tree, line: int) -> ast.AST | None:
    """The function that begins, with its decorators, on the line."""
    for node in tree.parents:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == line:
                return node
    return None


def argument_of(function: ast.AST, name: str) -> ast.arg | None:
    """The argument of that name, if the function has one."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return next((argument for argument in every if argument.arg == name), None)


def passed(
    call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, *, is_method: bool
) -> ast.expr | None:
    """What the call gives for the argument, by keyword or by position; None where it gives nothing."""
    by_keyword = next((k.value for k in call.keywords if k.arg == name), None)
    if by_keyword is not None:
        return by_keyword
    places = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    # `Function.apply(x)` calls `forward(ctx, x)`.
    is_applied = function.name == "forward" and isinstance(call.func, ast.Attribute) and call.func.attr == "apply"
    if is_applied or (is_method and places[:1] in (["self"], ["cls"])):
        places = places[1:]
    if name in places and places.index(name) < len(call.args):
        given = call.args[: places.index(name) + 1]
        return None if any(isinstance(g, ast.Starred) for g in given) else given[-1]
    return None


def crossed_with(
    call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, *, is_method: bool
) -> str:
    """The other argument of the function that is given what is called as this one is, while this one is given what is
    called as that is; "" where none is."""
    given = passed(call, function, name, is_method=is_method)
    other = last_name(given) if given is not None else ""
    if not other or other == name:
        return ""
    instead = passed(call, function, other, is_method=is_method)
    return other if instead is not None and last_name(instead) == name else ""


def last_name(node: ast.expr) -> str:
    """The name by which an expression is known: `keep` of `options.keep` and of `options["keep"]`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def unpacks(call: ast.Call) -> bool:
    """Whether the call unpacks a dictionary or a list into its arguments."""
    return any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args)


def default_of(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    """The default of the argument."""
    plain = [*function.args.posonlyargs, *function.args.args]
    with_default = plain[len(plain) - len(function.args.defaults) :]
    pairs = [(a.arg, d) for a, d in zip(with_default, function.args.defaults, strict=True)]
    pairs += [(a.arg, d) for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d]
    return dict(pairs).get(name)


def calls_in(statement: ast.stmt | None) -> Iterator[ast.Call]:
    """The calls in a statement."""
    if statement is not None:
        yield from (node for node in ast.walk(statement) if isinstance(node, ast.Call))


def given_to(statement: ast.stmt | None, target: str) -> ast.expr | None:
    """The expression that the statement binds the target to."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for one in targets:
                if isinstance(one, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
                    if len(one.elts) == len(value.elts):
                        for part, given in zip(one.elts, value.elts, strict=True):
                            if _text(part) == target:
                                return given
                elif _text(one) == target:
                    return value
        case ast.AnnAssign(target=one, value=ast.expr() as value) if _text(one) == target:
            return value
        case ast.AugAssign(target=one, value=value) if _text(one) == target:
            return value
    return None


def put_into(statement: ast.stmt, container: str) -> Iterator[ast.expr]:
    """What the statement puts into the container: as a key, or as a member."""
    for node in ast.walk(statement):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="append" | "add" | "setdefault"), args=[given, *_]):
                if ast.unparse(owner) == container:
                    yield given
            case ast.Subscript(value=owner, slice=key, ctx=ast.Store()) if ast.unparse(owner) == container:
                yield key


def _text(target: ast.expr) -> str:
    chain = chain_of(target)
    return chain.text if chain is not None else ""


def entries_named(given: ast.expr, name: str) -> Iterator[ast.expr]:
    """The values that a display, or a call with keywords, gives for the name or key."""
    match given:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and str(key.value) == name:
                    yield value
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            if name.lstrip("-").isdigit() and -len(parts) <= int(name) < len(parts):
                yield parts[int(name)]
        case ast.Call(args=args, keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg == name)
            for argument in args:
                if isinstance(argument, ast.Dict):
                    yield from entries_named(argument, name)


def key_asked_for(node: ast.expr) -> str:
    """The key of an entry that an expression reads, whatever holds it: `section["depth"]`, `parser.get("a", "depth")`;
    "" for none."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Call(func=ast.Attribute(attr="get"), args=[*_, ast.Constant(value=str(key))], keywords=[]):
            return key
    return ""


def imported_from(file: str, name: str) -> tuple[str, str] | None:
    """(module, name there) from which the file imports the name."""
    tree, whole = tree_of(file), ""
    for statement in tree.statements if tree is not None else ():
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return statement.module or "", alias.name
                if alias.name == "*":
                    whole = statement.module or ""
    return (whole, name) if whole else None


def option_default(call: ast.Call) -> object:
    """What an option is where the command line does not give it; `NOT_KNOWN` where that is computed."""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if "default" in keywords:
        return evaluated(keywords["default"], {})
    action = keywords.get("action")
    named = action.value if isinstance(action, ast.Constant) else ""
    if named == "store_true" or "is_flag" in keywords:
        return False
    return True if named == "store_false" else None


def is_any_text_true(call: ast.Call) -> bool:
    """Whether an option takes what the command line gives it by `type=bool`: "False" is true."""
    return any(k.arg == "type" and isinstance(k.value, ast.Name) and k.value.id == "bool" for k in call.keywords)


def is_display(node: ast.AST) -> TypeGuard[ast.expr]:
    """Whether it is a dictionary as it is written: `{"a": 1}`, or `dict(a=1)`."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "dict"
    return isinstance(node, ast.Dict)


def keys_of(display: ast.expr) -> Iterator[str]:
    """The keys that are written in a display."""
    match display:
        case ast.Dict(keys=keys):
            yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))
        case ast.Call(args=args, keywords=keywords):
            yield from (keyword.arg for keyword in keywords if keyword.arg is not None)
            for argument in args:
                if isinstance(argument, ast.Dict):
                    yield from keys_of(argument)


def passed_in(statement: ast.stmt | None) -> Iterator[ast.expr]:
    """Everything that the calls in a statement are given."""
    for call in calls_in(statement):
        yield from (*call.args, *(keyword.value for keyword in call.keywords))


def position_of(target: ast.expr, name: str) -> int:
    """The place of a name among the targets of a loop; 0 where it is the only one."""
    if isinstance(target, ast.Tuple | ast.List):
        for position, part in enumerate(target.elts):
            if name == ast.unparse(part) or name in {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}:
                return position
    return 0
