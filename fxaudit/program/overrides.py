"""Methods that run in the place of another class's method, and do not call it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fxaudit.program.tree import Tree, tree_of

__all__ = ["Hidden", "Override", "hidden_by_order", "overrides_of"]

Class = tuple[Tree, ast.ClassDef]


@dataclass(frozen=True, slots=True)
class Override:
    """A method that an object of a class has from elsewhere than from the base that was asked for."""

    tree: Tree
    owner: ast.ClassDef
    method: ast.FunctionDef

    @property
    def line(self) -> int:
        """The line to edit so that it calls the method whose place it takes: where it begins what it returns from
        nothing, or else where it begins itself."""
        returned = {
            node.value.id
            for node in ast.walk(self.method)
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Name)
        }
        for statement in self.method.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in returned and _is_empty(value):
                    return statement.lineno
        return self.method.lineno


def overrides_of(files: Sequence[str], owner: str, name: str) -> Iterator[Override]:
    """The methods called `name` that take the place of the one of the class `owner`, in classes that are derived from
    it: a subclass's own, or that of a base which comes first. One that mentions `super()` or the class is none."""
    classes = _classes(files)
    seen: set[ast.AST] = set()
    for _, node in classes.values():
        line = _lineage(classes, node.name)
        if owner not in line[1:]:
            continue
        for kind in line[: line.index(owner)]:
            found = _method(classes, kind, name)
            if found is None:
                continue
            tree, where, method = found
            if method not in seen and not _calls_further(method, owner):
                yield Override(tree, where, method)
            seen.add(method)
            break


@dataclass(frozen=True, slots=True)
class Hidden:
    """A method that another base of a class hides, only because that base stands before its own."""

    tree: Tree
    node: ast.ClassDef
    """The class that lists both bases."""
    owner: str
    method: ast.FunctionDef
    """The method that is hidden, and its class."""
    before: str
    """The class whose method runs."""

    @property
    def line(self) -> int:
        """The line that lists the bases."""
        return self.node.lineno


def hidden_by_order(files: Sequence[str], kind: str, name: str) -> Iterator[Hidden]:
    """The methods called `name` that objects of the class `kind` have not, because the class of the one that they have
    stands before theirs among the bases of a class, of which neither is derived from the other."""
    classes = _classes(files)
    line = _lineage(classes, kind)
    having = [one for one in line if _method(classes, one, name) is not None]
    running = _method(classes, having[0], name) if having else None
    if running is None or _calls_further(running[2], having[0]):
        return
    for later in having[1:]:
        first, found = having[0], _method(classes, later, name)
        if found is None or first in _lineage(classes, later) or later in _lineage(classes, first):
            continue
        for lister in reversed(line):
            tree, node = classes.get(lister, (None, None))
            bases = [_lineage(classes, base) for base in _base_names(node)] if node is not None else []
            ones = [number for number, below in enumerate(bases) if first in below]
            others = [number for number, below in enumerate(bases) if later in below]
            if tree is not None and node is not None and ones and others and ones[-1] < others[0]:
                yield Hidden(tree, node, later, found[2], first)
                break


def _base_names(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(b).rpartition(".")[2] for b in node.bases if isinstance(b, ast.Name | ast.Attribute)]


def _classes(files: Sequence[str]) -> dict[str, Class]:
    trees = [tree for tree in map(tree_of, files) if tree is not None]
    return {node.name: (tree, node) for tree in trees for node in tree.nodes if isinstance(node, ast.ClassDef)}


def _lineage(classes: dict[str, Class], name: str, below: tuple[str, ...] = ()) -> list[str]:
    """The class and all that it is derived from in the program, in the order in which Python asks them: a class comes
    behind all that are derived from it."""
    found = [name]
    if name not in classes or name in below:
        return found
    for base in _base_names(classes[name][1]):
        for kind in _lineage(classes, base, (*below, name)):
            if kind in found:
                found.remove(kind)
            found.append(kind)
    return found


def _method(classes: dict[str, Class], kind: str, name: str) -> tuple[Tree, ast.ClassDef, ast.FunctionDef] | None:
    if kind not in classes:
        return None
    tree, node = classes[kind]
    members = [member for member in node.body if isinstance(member, ast.FunctionDef) and member.name == name]
    return (tree, node, members[-1]) if members else None


def _calls_further(method: ast.FunctionDef, owner: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id in ("super", owner) for node in ast.walk(method) if node is not method
    )


def _is_empty(value: ast.expr) -> bool:
    """Whether it is an empty container, or 0."""
    match value:
        case ast.Dict(keys=[]) | ast.List(elts=[]) | ast.Constant(value=0 | 0.0):
            return True
        case ast.Call(func=ast.Name(id="dict" | "list"), args=[], keywords=[]):
            return True
    return False
