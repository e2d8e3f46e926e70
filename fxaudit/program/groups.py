"""Statements of the user's program that change param groups, or let parameters train, by assignment."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence

from fxaudit.program.source import actual_path
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = [
    "flags_given",
    "flags_set",
    "group_changes",
    "groups_listed",
    "late_thaws",
    "local_updates",
    "params_chosen",
    "thaws_through",
]

TAKING = frozenset({"pop", "remove", "clear"})
RESTRAINING: dict[str, Callable[[float], bool]] = {
    "eps": lambda number: number > 1e-2,
    "max_iter": lambda number: number < 1,
    "max_eval": lambda number: number < 1,
    "tolerance_grad": lambda number: number > 1e-2,
    "tolerance_change": lambda number: number > 1e-2,
    "dampening": lambda number: number >= 1,
}
"""Option of an optimizer → whether a number given for it leaves little of a step, or nothing."""
GIVING = frozenset({"append", "insert", "extend"})


def group_changes(files: Iterable[str]) -> list[tuple[str, int]]:
    """(file, line) of the statements that take something out of `.param_groups`, in reading order."""
    return [(file, node.lineno) for file, node in _statements(files) if _takes(node)]


def late_thaws(files: Iterable[str]) -> list[tuple[str, int]]:
    """(file, line) of the statements that set a `requires_grad` to anything but False, or add to `.param_groups`."""
    return [(file, node.lineno) for file, node in _statements(files) if _gives(node)]


def thaws_through(files: Iterable[str]) -> list[tuple[Tree, ast.Call]]:
    """The calls of functions that set `requires_grad` to what they are given, where that is not False."""
    paths = list(files)
    setters = {
        (scope.name, value.id): scope
        for tree in map(tree_of, paths)
        for node in (tree.statements if tree is not None else ())
        if tree is not None and (value := _given_flag(node)) is not None
        if isinstance(scope := tree.function(node), ast.FunctionDef) and value.id in _arguments(scope)
    }
    found = []
    for (name, argument), scope in setters.items():
        for tree, call in call_sites(paths, name):
            given = _passed_for(call, scope, argument)
            if given is not None and not (isinstance(given, ast.Constant) and not given.value):
                found.append((tree, call))
    return found


def _given_flag(node: ast.stmt) -> ast.Name | None:
    match node:
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=ast.Name() as value):
            return value
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires_grad_"), args=[ast.Name() as value])):
            return value
    return None


def _arguments(scope: ast.FunctionDef) -> list[str]:
    return [a.arg for a in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)]


def _passed_for(call: ast.Call, scope: ast.FunctionDef, argument: str) -> ast.expr | None:
    """What the call gives for the argument; None where that is its default."""
    for keyword in call.keywords:
        if keyword.arg == argument:
            return keyword.value
    names = _arguments(scope)
    position = names.index(argument) - (names[:1] == ["self"] and isinstance(call.func, ast.Attribute))
    return call.args[position] if 0 <= position < len(call.args) else None


def groups_listed(file: str, line: int) -> list[ast.expr]:
    """The `params` of the groups that the statement at `line` lists for an optimizer, one after the other.

    The list stands in the statement, or is bound to a name in the same function.
    """
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return []
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    bound = [
        node.value
        for node in ast.walk(tree.function(statement) or tree.root)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in names for t in node.targets)
    ]
    for node in (*ast.walk(statement), *bound):
        if isinstance(node, ast.List) and node.elts:
            found = [value for entry in node.elts if (value := _params_of(entry)) is not None]
            if len(found) == len(node.elts):
                return found
    return []


def _params_of(group: ast.expr) -> ast.expr | None:
    match group:
        case ast.Dict(keys=keys, values=values):
            entries = zip(keys, values, strict=True)
            return next((v for key, v in entries if isinstance(key, ast.Constant) and key.value == "params"), None)
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            return next((keyword.value for keyword in keywords if keyword.arg == "params"), None)
    return None


def restraints_given(file: str, line: int, numbers: Callable[[Tree, int, ast.expr], Sequence[float]]) -> list[str]:
    """The options by which the call of an optimizer at `line` makes its steps small or none.

    `numbers` tells what an expression, in the statement of the tree that begins at a line, was seen to be.
    """
    tree = tree_of(actual_path(file))
    statement = tree.statement_at(line) if tree is not None else None
    calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)] if statement is not None else []
    found = []
    for keyword in (k for call in calls for k in call.keywords if k.arg in RESTRAINING):
        known = [keyword.value.value] if isinstance(keyword.value, ast.Constant) else ()
        if tree is not None and statement is not None and not known:
            known = [*numbers(tree, statement.lineno, keyword.value)]
        if any(isinstance(number, int | float) and RESTRAINING[str(keyword.arg)](number) for number in known):
            found.append(str(keyword.arg))
    return found


def params_chosen(file: str, line: int) -> int | None:
    """The line that chooses what the statement at `line` gives an optimizer, where it only gives a name of it on.

    The name is bound once in the function, to what takes parameters out of a model.
    """
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return None
    given = {name for node in ast.walk(statement) if isinstance(node, ast.Call) for name in _params_named(node)}
    bound = [
        node
        for node in ast.walk(tree.function(statement) or tree.root)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and not given.isdisjoint(_bound_names(node))
    ]
    if len(given) == 1 and len(bound) == 1 and bound[0].value is not None and _takes_parameters(bound[0].value):
        return bound[0].lineno
    return None


def _params_named(call: ast.Call) -> Iterator[str]:
    for value in (*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "params")):
        if isinstance(value, ast.Name):
            yield value.id


def _bound_names(node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _takes_parameters(value: ast.expr) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr in ("parameters", "named_parameters") for n in ast.walk(value))


def flags_set(files: Iterable[str], flag: bool) -> list[tuple[str, int]]:
    """(file, line) of the statements that set a `requires_grad` to `flag`."""
    return [(file, node.lineno) for file, node in _statements(files) if _sets_flag(node, flag)]


def flags_given(files: Iterable[str]) -> list[tuple[str, int]]:
    """(file, line) of the statements that give a `requires_grad` any value."""
    return [(file, node.lineno) for file, node in _statements(files) if _gives_flag(node)]


def _gives_flag(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")]):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires_grad_"))):
            return True
    return False


def _sets_flag(node: ast.stmt, flag: bool) -> bool:
    match node:
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=ast.Constant(value=bool(value))):
            return value is flag
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires_grad_"), args=args, keywords=keywords)):
            given = [*args, *(keyword.value for keyword in keywords)] or [ast.Constant(True)]
            return any(isinstance(value, ast.Constant) and value.value is flag for value in given)
    return False


def local_updates(files: Iterable[str]) -> list[tuple[str, int]]:
    """(file, line) of the statements such as `p = p - lr * p.grad`, which give a variable a new value, and the
    parameter none."""
    return [(file, node.lineno) for file, node in _statements(files) if _rebinds_with_gradient(node)]


def _rebinds_with_gradient(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp() as value):
            return any(
                isinstance(part, ast.Attribute)
                and part.attr == "grad"
                and isinstance(part.value, ast.Name)
                and part.value.id == name
                for part in ast.walk(value)
            )
    return False


def _statements(files: Iterable[str]) -> Iterator[tuple[str, ast.stmt]]:
    for file in files:
        tree = tree_of(file)
        for node in tree.nodes if tree is not None else ():
            if isinstance(node, ast.Assign | ast.AugAssign | ast.Delete | ast.Expr):
                yield file, node


def _takes(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(targets=targets) if any(_is_groups(target) for target in targets):
            return True
        case ast.Delete(targets=targets):
            return any(isinstance(target, ast.Subscript) and _is_groups(target.value) for target in targets)
    return _calls_on_groups(node, TAKING)


def _gives(node: ast.stmt) -> bool:
    match node:
        case ast.AugAssign(target=target):
            return _is_groups(target)
        case ast.Assign(targets=targets, value=value):
            flags = any(isinstance(target, ast.Attribute) and target.attr == "requires_grad" for target in targets)
            return flags and not (isinstance(value, ast.Constant) and value.value is False)
    return _calls_on_groups(node, GIVING)


def _calls_on_groups(node: ast.AST, methods: frozenset[str]) -> bool:
    return any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in methods
        and _is_groups(call.func.value)
        for call in ast.walk(node)
    )


def _is_groups(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "param_groups"
