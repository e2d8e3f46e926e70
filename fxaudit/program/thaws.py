"""Statements of the user's program that let parameters train again, and what selects the parameters for them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fxaudit.program.tree import Tree, tree_of
from fxaudit.program.values import reads, sources

__all__ = ["Thaw", "asks_for_nothing", "begins_at", "names_asked_for", "number", "selected_by", "thaws_in_loops"]

EVERYTHING = frozenset({"named_parameters", "parameters", "named_modules", "modules", "named_children", "children"})
Length = Callable[[ast.expr], "int | None"]
Loop = ast.For | ast.ListComp | ast.GeneratorExp | ast.SetComp


@dataclass(frozen=True, slots=True)
class Thaw:
    """A statement that unfreezes what a loop goes through: the outermost loop, and what selects in it."""

    tree: Tree
    node: ast.AST
    loop: Loop
    selection: ast.expr
    """The condition in the loop, where it goes through everything; else what it goes through."""
    is_condition: bool

    @property
    def line(self) -> int:
        """The line of the selection."""
        return self.selection.lineno


def thaws_in_loops(files: Iterable[str]) -> list[Thaw]:
    """The thaws that stand in a loop or comprehension, in reading order."""
    found = []
    for file in files:
        tree = tree_of(file)
        for node in tree.nodes if tree is not None else ():
            if tree is not None and _thaws(node) and (thaw := selected_by(tree, node)) is not None:
                found.append(thaw)
    return found


def _unknown(_: ast.expr) -> int | None:
    return None


def _thaws(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=ast.Constant(value=True)):
            return True
        case ast.Call(func=ast.Attribute(attr="requires_grad_"), args=args, keywords=keywords):
            given = [*args, *(keyword.value for keyword in keywords)] or [ast.Constant(True)]
            return all(isinstance(value, ast.Constant) and value.value is True for value in given)
    return False


def selected_by(tree: Tree, node: ast.AST) -> Thaw | None:
    """What selects the parameters that a statement in a loop unfreezes; None outside of a loop."""
    loop: Loop | None = None
    condition: ast.expr | None = None
    tests: list[ast.expr] = []
    inner = node
    for outer in tree.ancestors(node):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            break
        match outer:
            case ast.If(test=test, body=body) if inner in body:
                tests.append(test)
            case ast.For(body=body) if inner in body:
                loop, condition = outer, condition or next(iter(tests), None)
            case (
                ast.ListComp(generators=[part, *_])
                | ast.GeneratorExp(generators=[part, *_])
                | ast.SetComp(generators=[part, *_])
            ):
                loop, condition = outer, next(iter([*part.ifs, *tests]), None)
        inner = outer
    if loop is None:
        return None
    through = loop.iter if isinstance(loop, ast.For) else loop.generators[0].iter
    if condition is not None and _goes_through_everything(through):
        return Thaw(tree, node, loop, condition, True)
    return Thaw(tree, node, loop, through, False)


def _goes_through_everything(through: ast.expr) -> bool:
    match through:
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in EVERYTHING
        case ast.Call(func=ast.Name(id="list" | "enumerate" | "tuple"), args=[inner, *_]):
            return _goes_through_everything(inner)
    return False


def asks_for_nothing(files: Iterable[str], thaw: Thaw) -> bool:
    """Whether the program itself says that nothing is to be unfrozen: an empty list of names, a count of 0."""
    match thaw.selection:
        case ast.Call(func=ast.Name(id="range"), args=[count]) if number(files, thaw.tree, count) == 0:
            return True
    return any(
        origin.is_nothing
        for node in reads(thaw.selection)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        for _, origin in sources(files, thaw.tree, node)
    )


def names_asked_for(files: Iterable[str], thaw: Thaw) -> list[str]:
    """The texts that a condition looks for in names: `"lora" in name`, `name.startswith("enc")`, `name in ("a", "b")`,
    `any(key in name for key in KEYS)`."""
    found: list[str] = []
    for node in ast.walk(thaw.selection):
        match node:
            case ast.Compare(left=left, ops=[ast.In()], comparators=[right]):
                found += [*_texts(left), *_texts(right)]
            case ast.Call(func=ast.Attribute(attr="startswith" | "endswith"), args=[value]):
                found += _texts(value)
            case ast.Name():
                for _, origin in sources(files, thaw.tree, node):
                    found += _texts(origin.value) if isinstance(origin.value, ast.List | ast.Tuple | ast.Set) else []
    return [text for text in found if text]


def _texts(value: ast.expr) -> list[str]:
    """The texts that are written down in an expression: itself, or the entries of a list."""
    parts = value.elts if isinstance(value, ast.List | ast.Tuple | ast.Set) else [value]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def begins_at(files: Iterable[str], thaw: Thaw, length: Length) -> tuple[int | None, int | None, str]:
    """(where the slice that the loop goes through begins, how much there is, what is sliced); None where unknown.

    A slice that ends at 0 begins where everything ends: it asks for nothing.
    """
    for tree, expression in _through(files, thaw):
        for node in ast.walk(expression):
            match node:
                case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper, step=None)):
                    size = length(value)
                    if upper is not None and number(files, tree, upper, length) == 0:
                        return size, size, ast.unparse(value)
                    begin = number(files, tree, lower, length) if lower is not None else 0
                    return begin, size, ast.unparse(value)
    return None, None, ""


def _through(files: Iterable[str], thaw: Thaw) -> Iterator[tuple[Tree, ast.expr]]:
    """What the loop goes through, and what a variable that stands there was given."""
    yield thaw.tree, thaw.selection
    for node in ast.walk(thaw.selection):
        if isinstance(node, ast.Name):
            for tree, origin in sources(files, thaw.tree, node):
                if origin.value is not None:
                    yield tree, origin.value


def number(
    files: Iterable[str], tree: Tree, expression: ast.expr, length: Length = _unknown, depth: int = 3
) -> int | None:
    """The whole number that an expression certainly is; None where nobody knows."""
    match expression:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            positive = number(files, tree, operand, length, depth)
            return -positive if positive is not None else None
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            return length(inner)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
            one, other = (number(files, tree, side, length, depth) for side in (left, right))
            if one is None or other is None:
                return None
            return one + other if isinstance(sign, ast.Add) else one - other
        case ast.Name() if depth:
            given = sources(files, tree, expression)
            known = {
                number(files, where, origin.value, length, depth - 1) if origin.value is not None else None
                for where, origin in given
            }
            return known.pop() if len(known) == 1 else None
    return None
