"""A module that was to be a copy of the one that is trained, and is that one: what freezes it freezes both."""

from __future__ import annotations

import ast
import re

from fxaudit.judge.questions.freezing import freezing_statement
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.plain import chain_of, readings
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["frozen_as_a_copy"]

COPIES = frozenset("averaged ema momentum ref reference shadow teacher".split())
"""What is called so is a copy that training leaves alone."""


def frozen_as_a_copy(audit: Audit, states: list[ParameterState]) -> tuple[SourceLine, str] | None:
    """(the statement that hands the module on without copying it, the name that it gets there), where a line freezes
    by that name what an optimizer holds by another."""
    tree, statement = freezing_statement(audit, states) or (None, None)
    if tree is None or statement is None or not all(state.held for state in states):
        return None
    loop = next((outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For)), None)
    at, named = (loop, loop.iter) if loop is not None else (statement, statement)
    chains = {chain.text for part in ast.walk(named) if isinstance(part, ast.expr) and (chain := chain_of(part))}
    course = audit.record.course
    for sight in course.at(tree.file, at.lineno):
        for name in sorted(chains & sight.read.keys()):
            seen = sight.read[name]
            for made, target in course.made(seen.token) if seen.kind == "object" and seen.token >= 0 else ():
                bound = readings(course.file_of(made)).statement(made.line)
                owner = tree_of(course.file_of(made))
                names = (target, _handed_on(bound))
                if owner is not None and names[1] and name in names and _is_a_copys(owner, bound, names):
                    return source_at(owner.file, made.line), target
    return None


def _handed_on(statement: ast.stmt | None) -> str:
    """The name whose object the statement gives another name; "" where it does something else."""
    match statement:
        case ast.Assign(value=ast.Name() | ast.Attribute() as value):
            return ast.unparse(value)
    return ""


def _is_a_copys(tree: Tree, statement: ast.stmt | None, names: tuple[str, ...]) -> bool:
    """Whether one of the names, or the class in which they stand, is that of a copy."""
    kind = next((n for n in tree.ancestors(statement) if isinstance(n, ast.ClassDef)), None) if statement else None
    words = re.findall(r"[A-Z]?[a-z]+", " ".join((*names, kind.name if kind is not None else "")))
    return not COPIES.isdisjoint(word.lower() for word in words)
