"""Statements of the user's program that may put old values back into parameters, in a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from fxaudit.program.ran import Ran
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = ["is_handed_on", "may_be_put_back", "sites"]

WRITING = frozenset({"copy_", "lerp_", "mul_", "set_"})
"""The methods that give a tensor other numbers in place."""
OTHERS = ("opt", "sched", "scaler", "ema")
"""What else has a `load_state_dict`, by parts of its name."""
CALLERS = 3
"""So many functions are gone outwards from a statement to find a loop."""


def may_be_put_back(files: Sequence[str], ran: Ran) -> bool:
    """Whether the program has, in a loop, or in a function that one calls, a statement that may put old values into
    parameters, and that is not among what ran."""
    return next(sites(files, ran), None) is not None


def sites(files: Sequence[str], ran: Ran) -> Iterator[tuple[Tree, ast.stmt | ast.expr]]:
    """The statements, or calls, of that kind."""
    for file in files:
        tree = tree_of(file)
        for node in _writes(tree) if tree is not None else ():
            if tree is not None and node.lineno not in ran.of(file) and _is_repeated(files, tree, node, CALLERS):
                yield tree, node


def is_handed_on(tree: Tree, statement: ast.stmt) -> bool:
    """Whether what the statement writes into is something that its function was given: who calls it decides."""
    scope = tree.function(statement)
    if not isinstance(scope, ast.FunctionDef):
        return False
    arguments = {a.arg for a in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)} - {"self", "cls"}
    roots = _written(statement)
    for loop in (outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For)):
        targets = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
        if roots & targets:
            roots |= {node.id for node in ast.walk(loop.iter) if isinstance(node, ast.Name)}
    return bool(roots & arguments)


def _written(statement: ast.stmt) -> set[str]:
    """The names of what the statement writes into, where no member of it is chosen."""
    match statement:
        case ast.Assign(targets=[ast.Attribute() as written]):
            owner: ast.expr = written
        case ast.Expr(value=ast.Call(func=ast.Attribute() as written)):
            owner = written
        case _:
            return set()
    while isinstance(owner, ast.Attribute | ast.Call):
        owner = owner.value if isinstance(owner, ast.Attribute) else owner.func
    return {owner.id} if isinstance(owner, ast.Name) else set()


def _writes(tree: Tree) -> Iterator[ast.stmt | ast.expr]:
    for node in tree.nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="load_state_dict")):
                name = ast.unparse(owner).rpartition(".")[2].lower()
                if not any(part in name for part in OTHERS):
                    yield node
            case ast.Call(func=ast.Attribute(attr=name)) if name in WRITING and _goes_through_parameters(tree, node):
                yield node
            case ast.Assign(targets=[ast.Attribute(attr="data")]) if _goes_through_parameters(tree, node):
                yield node


def _goes_through_parameters(tree: Tree, node: ast.AST) -> bool:
    loops = [outer for outer in tree.ancestors(node) if isinstance(outer, ast.For)]
    return any("param" in ast.unparse(loop.iter) or "state_dict" in ast.unparse(loop.iter) for loop in loops)


def _is_repeated(files: Sequence[str], tree: Tree, node: ast.AST, callers: int) -> bool:
    """Whether a loop goes round the statement, that over the parameters themselves left out, or round a call of its
    function."""
    for outer in tree.ancestors(node):
        if isinstance(outer, ast.While) or (isinstance(outer, ast.For) and "param" not in ast.unparse(outer.iter)):
            return True
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            sites = call_sites(files, outer.name) if callers else []
            return any(_is_repeated(files, other, call, callers - 1) for other, call in sites)
    return False
