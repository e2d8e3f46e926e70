"""Where a function that nobody calls by its name is given to what should call it: an event, a registry, a table."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fxaudit.program.spelling import letters_apart, shares_words
from fxaudit.program.tree import FunctionNode, Tree, call_sites, tree_of

__all__ = ["Registration", "Shadowed", "registration_of", "shadowed", "stores_by_name"]

WRAPPING = frozenset({"wraps", "lru_cache", "cache", "no_grad", "enable_grad", "set_grad_enabled", "inference_mode"})
"""Decorators that hand the function back to its name: who calls it has to name it."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The line that gives the function away, and the name under which it does."""

    file: str
    line: int
    key: str
    """As a text, or as it is written; empty where there is none."""
    asked: tuple[str, int, str] | None = None
    """(file, line, name) of a name nearly like it that stands elsewhere."""

    @property
    def role(self) -> str:
        """What the line is."""
        return f"it is registered here, under `{self.key}`, and never called" if self.key else "nobody calls it"


def registration_of(files: Sequence[str], tree: Tree, scope: FunctionNode) -> Registration | None:
    """Where the function, or the class whose method it is, is registered by a decorator, as an argument beside a name,
    or as an entry; a method also by its own name, if one nearly like it is asked for. None where that cannot be told,
    or what it is registered under is asked for elsewhere."""
    owner = tree.parents.get(scope)
    name = getattr(scope, "name", "")
    found = [*_by_decorator(tree, scope)]
    if isinstance(owner, ast.ClassDef):
        found += _by_decorator(tree, owner)
    elif name:
        found += [entry for file in files for entry in _by_mention(tree_of(file), name)]
    if not found and isinstance(owner, ast.ClassDef) and name:
        found += _by_mention(tree, name)
    if not found and isinstance(owner, ast.ClassDef) and not isinstance(scope, ast.Lambda):
        return _by_its_name(files, tree, scope)
    if len(found) != 1:
        return None
    where, node, key = found[0]
    texts = [*_texts(files)]
    if key and any(text == key and (file, line) != (where.file, node.lineno) for file, line, text in texts):
        return None
    near = [entry for entry in texts if key and entry[2] != key and _are_near(entry[2], key)]
    near = near or [entry for entry in texts if key and entry[2] != key and shares_words(entry[2], key)]
    return Registration(where.file, node.lineno, key, near[0] if near else None)


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A function or class that is registered under a name, and another that is registered under it, too."""

    first_tree: Tree
    first: ast.FunctionDef | ast.ClassDef
    tree: Tree
    """That of the second."""
    second: ast.FunctionDef | ast.ClassDef
    key: str
    line: int
    """Where the second is registered."""


def shadowed(files: Sequence[str]) -> Iterator[Shadowed]:
    """What is registered by a decorator under a name that is taken again; which of two files comes first is unknown."""
    known: dict[tuple[str, str], list[tuple[Tree, ast.FunctionDef | ast.ClassDef]]] = {}
    for tree in map(tree_of, files):
        for node in tree.statements if tree is not None else ():
            if tree is None or not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=func, args=[ast.Constant(value=str() as key)], keywords=[]):
                        others = known.setdefault((ast.unparse(func), key), [])
                        for other, first in others:
                            if first.name != node.name:
                                yield Shadowed(other, first, tree, node, key, decorator.lineno)
                                if other is not tree:
                                    again = _registered_at(first, key)
                                    yield Shadowed(tree, node, other, first, key, again)
                        others.append((tree, node))


def _registered_at(node: ast.FunctionDef | ast.ClassDef, key: str) -> int:
    calls = (d for d in node.decorator_list if isinstance(d, ast.Call) and _key(d.args) == key)
    return next((call.lineno for call in calls), node.lineno)


def stores_by_name(files: Sequence[str], function: str) -> bool:
    """Whether a function of that name in the files, the decorator of a registry, puts what it gets under a name in a
    table, so that a second one takes the place of the first."""
    for tree in map(tree_of, files):
        for node in tree.statements if tree is not None else ():
            if isinstance(node, ast.FunctionDef) and node.name == function:
                stores = (part for part in ast.walk(node) if isinstance(part, ast.Assign))
                if any(isinstance(target, ast.Subscript) for store in stores for target in store.targets):
                    return True
    return False


def _by_its_name(
    files: Sequence[str], tree: Tree, scope: ast.FunctionDef | ast.AsyncFunctionDef
) -> Registration | None:
    name = scope.name
    texts = [*_texts(files)]
    near = [entry for entry in texts if _are_near(entry[2], name)]
    is_asked = any(text == name for _, _, text in texts) or bool(call_sites(files, name))
    return Registration(tree.file, scope.lineno, "", near[0]) if near and not is_asked else None


def _are_near(one: str, other: str) -> bool:
    return letters_apart(one, other) is not None or letters_apart(other, one) is not None


def _by_decorator(tree: Tree, scope: FunctionNode | ast.ClassDef) -> Iterator[tuple[Tree, ast.expr, str]]:
    for decorator in getattr(scope, "decorator_list", ()):
        if isinstance(decorator, ast.Call) and decorator.args and _called(decorator) not in WRAPPING:
            key = _key(decorator.args)
            if key:
                yield tree, decorator, key


def _by_mention(tree: Tree | None, name: str) -> Iterator[tuple[Tree, ast.expr, str]]:
    if tree is None:
        return
    for node in tree.parents:
        match node:
            case ast.Call(args=args) if any(_names(value, name) for value in args) and _key(args):
                yield tree, node, _key(args)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if key is not None and _names(value, name) and _key([key]):
                        yield tree, key, _key([key])


def _key(values: Sequence[ast.expr]) -> str:
    """The first text, or dotted name such as `Events.STARTED`, among the values."""
    for value in values:
        match value:
            case ast.Constant(value=str(text)):
                return text
            case ast.Attribute(value=ast.Name(id=owner), attr=attr) if owner[:1].isupper():
                return f"{owner}.{attr}"
    return ""


def _names(value: ast.expr, name: str) -> bool:
    match value:
        case ast.Name(id=found) | ast.Attribute(attr=found):
            return found == name
    return False


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _texts(files: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """(file, line, text) of the texts that are given as arguments, compared, looked up or listed; and dotted names."""
    for file in files:
        tree = tree_of(file)
        for node, parent in tree.parents.items() if tree is not None else ():
            match node:
                case ast.Constant(value=str(text)) if not isinstance(parent, ast.Expr):
                    yield file, node.lineno, text
                case ast.Attribute(value=ast.Name(id=owner), attr=attr) if owner[:1].isupper():
                    yield file, node.lineno, f"{owner}.{attr}"
