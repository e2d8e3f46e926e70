"""Where a value comes from, in the text of the user's program: backwards through assignments, arguments and returns."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from fxaudit.program.source import of_text
from fxaudit.program.tree import FunctionNode, Tree, branches_around, tree_of

__all__ = [
    "Origin",
    "first_line",
    "has_rounds",
    "joined_strings",
    "origins",
    "origins_of_test",
    "reads",
    "results",
    "sources",
]

Key = TypeVar("Key")
LIMIT = 40
"""Statements that are followed; what lies further back explains little."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that gives a name, an attribute or an entry its value."""

    file: str
    line: int
    name: str
    value: ast.expr | None
    """None: the function that gives it returns nothing."""
    is_unconditional: bool = True
    is_direct: bool = False
    """Whether the value comes through unchanged; else something is computed from it on the way."""

    @property
    def is_handed_on(self) -> bool:
        """Whether the value only changes its name here."""
        return isinstance(self.value, ast.Name | ast.Attribute)

    @property
    def is_nothing(self) -> bool:
        """Whether it is 0, False, None, empty, or nothing was returned."""
        match self.value:
            case None:
                return True
            case ast.Constant(value=value):
                return not value
            case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
                return True
        return False


def origins(files: Iterable[str], tree: Tree, expression: ast.AST) -> list[Origin]:
    """What gives the names, attributes and entries in `expression` their values, nearest first.

    Names are followed through assignments, loops, the arguments of callers and defaults; attributes through every
    assignment to an attribute of that name, class bodies and options of a command line; entries (`x["key"]`) through
    every entry of that key; calls through what the functions of that name return.
    """
    paths = list(dict.fromkeys([tree.file, *files]))
    found: list[Origin] = []
    seen: set[tuple[str, int, str]] = set()
    queue: deque[tuple[Tree, ast.AST, bool]] = deque([(tree, expression, True)])
    while queue and len(found) < LIMIT:
        current, outer, unchanged = queue.popleft()
        for node in reads(outer):
            for where, origin in _sources(paths, current, node):
                key = (origin.file, origin.line, origin.name)
                if key not in seen:
                    seen.add(key)
                    is_direct = unchanged and node is outer
                    found.append(replace(origin, is_direct=is_direct))
                    if origin.value is not None:
                        queue.append((where, origin.value, is_direct))
    return found


def origins_of_test(files: Iterable[str], file: str, line: int) -> list[Origin]:
    """The same for what the `if`, `while` or `for` at `line` decides by."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    match statement:
        case ast.If(test=test) | ast.While(test=test) | ast.For(iter=test):
            assert tree is not None
            return origins(files, tree, test)
    return []


def has_rounds(files: Iterable[str], file: str, line: int) -> bool:
    """Whether the `for` at `line` goes through a `range` up to a number that is above 0 wherever it is given."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    match statement:
        case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[count])):
            assert tree is not None
            given = [count] if isinstance(count, ast.Constant) else [o.value for o in origins(files, tree, count)]
            return bool(given) and all(
                isinstance(value, ast.Constant) and isinstance(value.value, int) and value.value > 0 for value in given
            )
    return False


def sources(files: Iterable[str], tree: Tree, node: ast.AST) -> list[tuple[Tree, Origin]]:
    """What gives the one name, attribute, entry or call `node` its value, one step back, and the file of each."""
    return list(_sources(list(dict.fromkeys([tree.file, *files])), tree, node))


def results(tree: Tree, function: ast.Lambda | ast.FunctionDef) -> list[Origin]:
    """What a function returns."""
    if isinstance(function, ast.Lambda):
        return [_origin(tree, function.body, "lambda", function.body)]
    return [origin for _, origin in _returns(tree, function)]


def first_line(function: ast.Lambda | ast.FunctionDef) -> int:
    """The line of its first decorator, or its own: what a code object calls its first line."""
    decorators = function.decorator_list if isinstance(function, ast.FunctionDef) else []
    return min([function.lineno, *(decorator.lineno for decorator in decorators)])


def joined_strings(value: ast.AST | None) -> ast.expr | None:
    """The entry of a list that consists of two strings, one a line, with the comma between them missing."""
    if isinstance(value, ast.List | ast.Tuple | ast.Set) and len(value.elts) > 1:
        for entry in value.elts:
            if isinstance(entry, ast.Constant) and isinstance(entry.value, str) and entry.end_lineno != entry.lineno:
                return entry
    return None


def reads(expression: ast.AST) -> Iterator[ast.AST]:
    """What is read in an expression, in reading order; of `a.b` the attribute before the name."""
    queue: deque[ast.AST] = deque([expression])
    while queue:
        node = queue.popleft()
        match node:
            case ast.Lambda():
                continue
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()) | ast.Call():
                yield node
            case ast.Subscript(slice=ast.Constant(value=str())):
                yield node
        queue.extend(ast.iter_child_nodes(node))


def _sources(files: list[str], tree: Tree, node: ast.AST) -> Iterator[tuple[Tree, Origin]]:
    match node:
        case ast.Name(id=name):
            yield from _of_name(files, tree, node, name)
        case ast.Attribute(attr=name) if not _is_callee(tree, node):
            yield from _listed(files, "attributes", name)
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            yield from _listed(files, "entries", key)
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as key), *_]):
            yield from _listed(files, "entries", key)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            yield from _listed(files, "results", name)


def _is_callee(tree: Tree, node: ast.AST) -> bool:
    outer = tree.parents.get(node)
    return isinstance(outer, ast.Call) and outer.func is node


def _of_name(files: list[str], tree: Tree, node: ast.AST, name: str) -> Iterator[tuple[Tree, Origin]]:
    """From the innermost scope that binds the name: its assignments there, or the arguments given for it."""
    own = _index(tree.file)
    scope = tree.function(node)
    while scope is not None:
        bound = [(tree, origin) for origin in own.names.get((scope, name), ())]
        argument = next((a for a in ast.walk(scope.args) if isinstance(a, ast.arg) and a.arg == name), None)
        if argument is not None:
            bound += _arguments(files, tree, scope, argument)
        if bound or argument is not None:
            yield from bound
            return
        scope = tree.function(scope)
    for index in map(_index, dict.fromkeys([tree.file, *files])):
        found = index.names.get((None, name), ())
        if index.tree is not None and found:
            yield from ((index.tree, origin) for origin in found)
            return


def _arguments(files: list[str], tree: Tree, function: FunctionNode, argument: ast.arg) -> list[tuple[Tree, Origin]]:
    """What the callers of `function` give for the argument, and its default."""
    name = getattr(function, "name", "")
    owner = tree.parents.get(function)
    is_method = isinstance(owner, ast.ClassDef)
    if name in ("__init__", "__new__") and isinstance(owner, ast.ClassDef):
        name = owner.name
    places = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    position = places.index(argument.arg) - is_method if argument.arg in places else -1
    found = []
    for index in map(_index, files):
        if index.tree is None:
            continue
        for call in index.calls.get(name, ()):
            given = next((k.value for k in call.keywords if k.arg == argument.arg), None)
            if given is None and 0 <= position < len(call.args):
                given = call.args[position]
            if given is not None and not isinstance(given, ast.Starred):
                found.append((index.tree, _origin(index.tree, given, argument.arg, given)))
    default = _default(function, argument)
    if default is not None:
        found.append((tree, _origin(tree, default, argument.arg, default)))
    return found


def _default(function: FunctionNode, argument: ast.arg) -> ast.expr | None:
    plain = [*function.args.posonlyargs, *function.args.args]
    with_default = plain[len(plain) - len(function.args.defaults) :]
    if argument in with_default:
        return function.args.defaults[with_default.index(argument)]
    if argument in function.args.kwonlyargs:
        return function.args.kw_defaults[function.args.kwonlyargs.index(argument)]
    return None


@dataclass(slots=True)
class _Index:
    """What one file assigns, calls and defines, by name."""

    tree: Tree | None
    names: dict[tuple[FunctionNode | None, str], list[Origin]] = field(default_factory=dict)
    """By the function around the assignment; None for the module."""
    attributes: dict[str, list[Origin]] = field(default_factory=dict)
    entries: dict[str, list[Origin]] = field(default_factory=dict)
    results: dict[str, list[Origin]] = field(default_factory=dict)
    """What the functions of a name return."""
    calls: dict[str, list[ast.Call]] = field(default_factory=dict)


@of_text
def _index(file: str) -> _Index:
    tree = tree_of(file)
    index = _Index(tree)
    for node in tree.nodes if tree is not None else ():
        assert tree is not None
        match node:
            case ast.Assign(targets=targets, value=value):
                _note_assignment(index, tree, node, targets, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value):
                _note_assignment(index, tree, node, [target], value)
            case ast.NamedExpr(target=target, value=value):
                _note_assignment(index, tree, node, [target], value)
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                _note_assignment(index, tree, node, [target], value)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        _note(index.entries, key.value, _origin(tree, value, key.value, value))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                for _, origin in _returns(tree, node):
                    _note(index.results, name, origin)
                    if node.decorator_list:  # a property
                        _note(index.attributes, name, origin)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                _note_call(index, tree, node, name)
    return index


def _note_assignment(index: _Index, tree: Tree, node: ast.AST, targets: list[ast.expr], value: ast.expr) -> None:
    in_class = isinstance(tree.parents.get(node), ast.ClassDef)
    for bound in (part for target in targets for part in _bound(target)):
        match bound:
            case ast.Name(id=name):
                _note(index.names, (tree.function(node), name), _origin(tree, node, name, value))
                if in_class:
                    _note(index.attributes, name, _origin(tree, node, name, value))
            case ast.Attribute(attr=name):
                _note(index.attributes, name, _origin(tree, node, name, value))
            case ast.Subscript(slice=ast.Constant(value=str() as key)):
                _note(index.entries, key, _origin(tree, node, key, value))


def _note_call(index: _Index, tree: Tree, call: ast.Call, name: str) -> None:
    index.calls.setdefault(name, []).append(call)
    if name == "dict":
        for keyword in call.keywords:
            if keyword.arg is not None:
                _note(index.entries, keyword.arg, _origin(tree, keyword.value, keyword.arg, keyword.value))
    elif name == "add_argument":
        default = next((k.value for k in call.keywords if k.arg == "default"), ast.Constant(value="given"))
        for flag in call.args:
            if isinstance(flag, ast.Constant) and isinstance(flag.value, str):
                option = flag.value.lstrip("-").replace("-", "_")
                _note(index.attributes, option, _origin(tree, call, option, default))


def _note(found: dict[Key, list[Origin]], key: Key, origin: Origin) -> None:
    found.setdefault(key, []).append(origin)


def _bound(target: ast.expr) -> Iterator[ast.expr]:
    """The names, attributes and entries that an assignment to `target` binds; of `x[i] = …` it is `x` that changes."""
    match target:
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _bound(part)
        case ast.Starred(value=value):
            yield from _bound(value)
        case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Constant):
            yield from _bound(value)
        case _:
            yield target


def _listed(files: list[str], kind: str, name: str) -> Iterator[tuple[Tree, Origin]]:
    for index in map(_index, files):
        if index.tree is not None:
            found: dict[str, list[Origin]] = getattr(index, kind)
            yield from ((index.tree, origin) for origin in found.get(name, ()))


def _returns(tree: Tree, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[Tree, Origin]]:
    own = [node for node in ast.walk(function) if tree.function(node) is function]
    yields = [node for node in own if isinstance(node, ast.Yield | ast.YieldFrom)]
    returns = [node for node in own if isinstance(node, ast.Return) and node.value is not None]
    given: list[ast.AST] = [*(yields or returns)]
    for node in given:
        value = getattr(node, "value", None) or ast.Constant(value=None)
        yield tree, _origin(tree, node, function.name, value)
    if not given:
        yield tree, Origin(tree.file, function.lineno, function.name, None)


def _origin(tree: Tree, node: ast.AST, name: str, value: ast.expr) -> Origin:
    line: int = getattr(node, "lineno", 0) or getattr(value, "lineno", 0)
    return Origin(tree.file, line, name, value, not branches_around(tree, node))
