"""Flags that are never put back because what was gone through to switch them off is used up: a generator."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from fxaudit.judge.questions.freezing import freezing_statement
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.course import Course
from fxaudit.program.names import names_read
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree

__all__ = ["UsedUp", "used_up"]

ITERATORS = frozenset({"generator", "filter", "map", "zip", "enumerate", "chain", "islice"})
"""The types of what can be gone through once."""


@dataclass(frozen=True, slots=True)
class UsedUp:
    """The loop that freezes, what it goes through, and the later one that finds nothing left."""

    loop: SourceLine
    name: str
    later: SourceLine


def used_up(audit: Audit, states: list[ParameterState]) -> UsedUp | None:
    """The loop that froze all of the parameters last and used up an iterator, where a later loop of the same function
    goes through that to set the flags again, and never had a round."""
    tree, statement = freezing_statement(audit, states) or (None, None)
    if tree is None or statement is None:
        return None
    loop = next((outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For)), None)
    through = loop.iter if loop is not None else None
    if (
        loop is None
        or not isinstance(through, ast.Name)
        or not _is_used_up(audit.record.course, tree, loop, through.id)
    ):
        return None
    ran = audit.record.ran().of(tree.file)
    scope = tree.function(statement)
    loops = (node for node in tree.statements if isinstance(node, ast.For) and tree.function(node) is scope)
    for later in loops if ran.is_whole else ():
        goes_through_it = later.lineno > loop.lineno and through.id in names_read(ast.Expr(later.iter))
        had_no_round = later.lineno in ran and all(part.lineno not in ran for part in later.body)
        if goes_through_it and had_no_round and _sets_flags(later):
            return UsedUp(source_at(tree.file, loop.lineno), through.id, source_at(tree.file, later.lineno))
    return None


def _is_used_up(course: Course, tree: Tree, loop: ast.For, name: str) -> bool:
    """Whether what the loop goes through was seen to be an iterator."""
    seen = [sight.read[name] for sight in course.at(tree.file, loop.lineno) if name in sight.read]
    return bool(seen) and all(one.kind == "object" and one.value in ITERATORS for one in seen)


def _sets_flags(loop: ast.For) -> bool:
    """Whether the loop sets `requires_grad`."""
    for node in ast.walk(loop):
        match node:
            case ast.Call(func=ast.Attribute(attr="requires_grad_")):
                return True
            case ast.Assign(targets=[ast.Attribute(attr="requires_grad")]):
                return True
    return False
