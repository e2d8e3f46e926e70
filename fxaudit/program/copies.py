"""Statements of the user's program that write into a copy of an optimizer's param groups, which no optimizer reads."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from fxaudit.program.source import of_text
from fxaudit.program.tree import FunctionNode, Tree, tree_of

__all__ = ["CopiedWrite", "copied_writes"]

LOOKING = frozenset({"len", "enumerate", "zip", "range", "reversed", "iter", "items", "keys", "values"})
"""Calls that give a copy to nobody who keeps or shows it."""


@dataclass(frozen=True, slots=True)
class CopiedWrite:
    """A write of `key` into a copy, and the expression that made the copy."""

    tree: Tree
    statement: ast.stmt
    key: str
    copy: ast.expr


@dataclass(frozen=True, slots=True)
class _Thing:
    """What an expression stands for: a copied `group`, a list of copied `groups`, a copied `state` that holds such a
    list, or an optimizer's `own` group."""

    kind: Literal["group", "groups", "state", "own"]
    made: ast.expr


def copied_writes(files: Iterable[str]) -> list[CopiedWrite]:
    """The writes to copied groups that are given to nobody: not returned, not passed on, not kept elsewhere."""
    return [write for file in files for write in _written_in(file)]


@of_text
def _written_in(file: str) -> tuple[CopiedWrite, ...]:
    tree = tree_of(file)
    if tree is None or not any(_names_groups(node) for node in tree.nodes):
        return ()
    functions = (n for n in tree.nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return tuple(write for scope in (None, *functions) for write in _Scope(tree, scope).writes())


class _Scope:
    """A function, or the module, with what its names stand for."""

    def __init__(self, tree: Tree, scope: FunctionNode | None) -> None:
        self.tree = tree
        self.nodes = [n for n in ast.walk(scope or tree.root) if n is not scope and tree.function(n) is scope]
        self.inside = scope or tree.root
        self.things: dict[str, _Thing] = {}
        bindings = [binding for node in self.nodes for binding in _bindings(node)]
        for _ in range(3):  # `groups = …`, `for g in groups`, `mine = g`
            for name, value, is_entry in bindings:
                thing = self.entry_of(value) if is_entry else self.thing(value)
                if thing is not None:
                    self.things.setdefault(name, thing)
        for name, value, is_entry in bindings:  # a name that may stand for something else stands for nothing
            thing = self.entry_of(value) if is_entry else self.thing(value)
            if thing is None or (name in self.things and thing.kind != self.things[name].kind):
                self.things.pop(name, None)

    def writes(self) -> Iterator[CopiedWrite]:
        """The writes into copies of which nobody hears."""
        for node in self.nodes:
            for key, value in _entries_written(node):
                thing = self.thing(value)
                if thing is None or thing.kind != "group" or not isinstance(node, ast.stmt):
                    continue
                kin = [name for name, other in self.things.items() if other.made is thing.made]
                if not any(self._is_given_away(name, node) for name in kin):
                    yield CopiedWrite(self.tree, node, key, thing.made)

    def thing(self, value: ast.AST) -> _Thing | None:
        """What an expression stands for; None where it is nothing of the kind."""
        match value:
            case ast.Name(id=name):
                return self.things.get(name)
            case ast.Call(func=ast.Attribute(attr="state_dict"), args=[]):
                return _Thing("state", value)
            case ast.Subscript(value=inner, slice=ast.Constant(value="param_groups")):
                state = self.thing(inner)
                return _Thing("groups", state.made) if state is not None and state.kind == "state" else None
            case ast.Subscript(value=inner):
                return self.entry_of(inner)
            case ast.Call(func=ast.Attribute(attr="deepcopy") | ast.Name(id="deepcopy"), args=[inner, *_]):
                return _Thing("groups", value) if _is_groups(inner) else self._copied(value, inner)
            case ast.Call(func=ast.Attribute(value=inner, attr="copy"), args=[]):
                return self._copied(value, inner)
            case ast.Call(func=ast.Name(id="dict") | ast.Attribute(attr="copy"), args=[inner, *_]):
                return self._copied(value, inner)
            case ast.Dict(keys=[None, *_], values=[inner, *_]):
                return self._copied(value, inner)
            case ast.ListComp(elt=made, generators=[ast.comprehension(target=ast.Name(id=name), iter=inner)]):
                return _Thing("groups", value) if _is_groups(inner) and _is_copied(made, name) else None
        return None

    def entry_of(self, value: ast.AST) -> _Thing | None:
        """What an entry of the expression is, if it is a list of groups."""
        if _is_groups(value):
            return _Thing("own", value) if isinstance(value, ast.expr) else None
        thing = self.thing(value)
        return _Thing("group", thing.made) if thing is not None and thing.kind == "groups" else None

    def _copied(self, made: ast.expr, inner: ast.expr) -> _Thing | None:
        thing = self.thing(inner)
        return _Thing("group", made) if thing is not None and thing.kind in ("own", "group") else None

    def _is_given_away(self, name: str, written: ast.stmt) -> bool:
        """Whether somebody gets the copy, or reads an entry of it elsewhere than where it is written."""
        reads = (
            node
            for node in ast.walk(self.inside)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        )
        return any(self.tree.statement(node) is not written and not self._stays(node) for node in reads)

    def _stays(self, node: ast.Name) -> bool:
        """Whether a copy that is read here only goes through a loop, gets another name, or is written to."""
        inner: ast.AST = node
        outer = self.tree.parents.get(node)
        while isinstance(outer, ast.Subscript) and outer.value is inner and isinstance(outer.ctx, ast.Load):
            if isinstance(outer.slice, ast.Constant) and outer.slice.value not in ("param_groups", *range(9)):
                return False
            inner, outer = outer, self.tree.parents.get(outer)
        match outer:
            case ast.Subscript(value=value):
                return value is inner
            case ast.For(iter=value) | ast.comprehension(iter=value):
                return value is inner
            case ast.Attribute(attr=name):
                return name == "update"
            case ast.Assign(targets=[ast.Name()], value=value):
                return value is inner
            case ast.Call(func=ast.Name(id=name)):
                return name in LOOKING
        return False


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr, bool]]:
    """(name, value, whether the name is bound to the entries of the value) of each binding that a node makes."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value, False
        case ast.For(target=ast.Name(id=name), iter=value):
            yield name, value, True
        case ast.For(
            target=ast.Tuple(elts=[_, ast.Name(id=name)]),
            iter=ast.Call(func=ast.Name(id="enumerate"), args=[value, *_]),
        ):
            yield name, value, True
        case ast.For(target=ast.Tuple(elts=parts), iter=ast.Call(func=ast.Name(id="zip"), args=values)):
            for part, value in zip(parts, values, strict=False):
                if isinstance(part, ast.Name):
                    yield part.id, value, True


def _is_copied(made: ast.expr, name: str) -> bool:
    """Whether an expression copies the group that `name` stands for."""
    match made:
        case ast.Call(
            func=ast.Name(id="dict" | "deepcopy") | ast.Attribute(attr="copy" | "deepcopy"), args=[inner, *_]
        ):
            return isinstance(inner, ast.Name) and inner.id == name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="copy"), args=[]):
            return owner == name
        case ast.Dict(keys=[None, *_], values=[ast.Name(id=owner), *_]):
            return owner == name
    return False


def _names_groups(node: ast.AST) -> bool:
    """Whether it mentions param groups: the attribute, or the entry of a state."""
    return _is_groups(node) or (isinstance(node, ast.Constant) and node.value == "param_groups")


def _is_groups(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "param_groups"


def _entries_written(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(key, what it is written into) of the entries that a statement writes."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=value, slice=ast.Constant(value=str(key)))]):
            yield key, value
        case ast.AugAssign(target=ast.Subscript(value=value, slice=ast.Constant(value=str(key)))):
            yield key, value
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=value, attr="update"), keywords=[first, *_])):
            if first.arg:
                yield first.arg, value
