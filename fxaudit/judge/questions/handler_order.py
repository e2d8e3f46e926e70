"""Handlers that one line of the program calls one after the other, in an order that is set elsewhere."""

from __future__ import annotations

import ast

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["order_of_handlers"]


def order_of_handlers(audit: Audit, earlier: int, later: int) -> SourceLine | None:
    """Where the order is set of the two handlers in which the frames `earlier` and `later` lie, if the same statement
    called both: the number that they are sorted by, or their place in a list."""
    stacks = audit.record.stacks
    first, second = stacks.chain(earlier), stacks.chain(later)
    places = {(stacks.codes[frame], stacks.line(frame), stacks.parents[frame]): i for i, frame in enumerate(second)}
    for number, frame in enumerate(first):
        other = places.get((stacks.codes[frame], stacks.line(frame), stacks.parents[frame]))
        if other is None or not number or not other:
            continue
        kinds = [stacks.function(chain[i - 1]).rpartition(".")[0] for chain, i in ((first, number), (second, other))]
        if not all(kinds) or kinds[0] == kinds[1]:
            return None
        trees = [tree for tree in map(tree_of, audit.project_files) if tree is not None]
        return _sorted_by(trees, kinds[0]) or _listed(trees, kinds[0], kinds[1])
    return None


def _sorted_by(trees: list[Tree], kind: str) -> SourceLine | None:
    """The line in the class that gives the attribute its value by which the handlers are sorted."""
    keys = {name for tree in trees for call in tree.calls for name in _keys(call)}
    for tree in trees:
        for node in (n for n in tree.nodes if isinstance(n, ast.ClassDef) and n.name == kind):
            for member in node.body:
                match member:
                    case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if (
                        name in keys
                    ):
                        return source_at(tree.file, member.lineno)
    return None


def _keys(call: ast.Call) -> list[str]:
    """The attributes in `sorted(…, key=lambda h: h.priority)`, and in `handlers.sort(key=attrgetter("priority"))`."""
    if getattr(call.func, "attr", getattr(call.func, "id", "")) not in ("sorted", "sort"):
        return []
    given = [keyword.value for keyword in call.keywords if keyword.arg == "key"]
    parts = [node for value in given for node in ast.walk(value)]
    names = [node.attr for node in parts if isinstance(node, ast.Attribute)]
    return [*names, *(n.value for n in parts if isinstance(n, ast.Constant) and isinstance(n.value, str))]


def _listed(trees: list[Tree], kind: str, other: str) -> SourceLine | None:
    """The place of the handler in a list that has the other one, too."""
    for tree in trees:
        for node in (n for n in tree.nodes if isinstance(n, ast.List | ast.Tuple)):
            lines = {
                getattr(made.func, "attr", getattr(made.func, "id", "")): made.lineno
                for made in node.elts
                if isinstance(made, ast.Call)
            }
            if kind in lines and other in lines:
                return source_at(tree.file, lines[kind])
    return None
