"""Statements that give the variable of a loop over parameters a new value, where the parameter was to get it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fxaudit.program.ran import Ran
from fxaudit.program.source import of_text
from fxaudit.program.tree import Tree, tree_of

__all__ = ["Rebinding", "rebindings"]

LISTING = frozenset({"parameters", "named_parameters", "buffers"})


@dataclass(frozen=True, slots=True)
class Rebinding:
    """`t = decay * t + (1 - decay) * s`, for each `t` of `teacher.parameters()`."""

    file: str
    line: int
    variable: str
    owner: str
    """What the parameters belong to, by its last name: `teacher` of `self.teacher.parameters()`."""


def rebindings(files: Iterable[str], ran: Ran) -> Iterator[Rebinding]:
    """Those that ran, where nothing reads the new value: neither in the loop nor behind it."""
    return (found for file in files for found in _in_file(file) if found.line in ran.of(file))


@of_text
def _in_file(file: str) -> tuple[Rebinding, ...]:
    tree = tree_of(file)
    found: list[Rebinding] = []
    for loop in (node for node in (tree.statements if tree is not None else ()) if isinstance(node, ast.For)):
        given = dict(_given(loop.target, loop.iter))
        for node in (part for part in loop.body if isinstance(part, ast.Assign)):
            name = node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
            is_update = name in given and isinstance(node.value, ast.BinOp) and name in _names(node.value)
            if tree is not None and is_update and not _is_read(tree, loop, node, name):
                found.append(Rebinding(file, node.lineno, name, given[name]))
    return tuple(found)


def _given(target: ast.expr, through: ast.expr) -> Iterator[tuple[str, str]]:
    """(variable, whose parameters it goes through)."""
    match target, through:
        case (
            ast.Tuple(elts=targets),
            ast.Call(func=ast.Name(id="zip"), args=parts),
        ) if len(targets) == len(parts):
            for one, part in zip(targets, parts, strict=True):
                yield from _given(one, part)
        case ast.Name(id=name), ast.Call(func=ast.Attribute(value=owner, attr=listing)) if listing in LISTING:
            yield name, getattr(owner, "attr", getattr(owner, "id", ""))
        case ast.Tuple(elts=[_, ast.Name(id=name)]), ast.Call(func=ast.Attribute(value=owner, attr="named_parameters")):
            yield name, getattr(owner, "attr", getattr(owner, "id", ""))


def _is_read(tree: Tree, loop: ast.For, node: ast.Assign, name: str) -> bool:
    """Whether the name is read after the statement, in the function in which the loop stands."""
    scope = tree.function(loop) or tree.root
    reads = (n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))
    end = loop.end_lineno or loop.lineno
    within = node.end_lineno or node.lineno
    return any(within < read.lineno <= end for read in reads)


def _names(value: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
