"""A module that was to be a copy of the one that is trained, and is that one: what freezes it freezes both."""

from __future__ import annotations

import ast
import re

from fxaudit.judge.questions.freezing import last_freeze
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.plain import chain_of, readings
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["frozen_as_a_copy"]

COPIES = frozenset("anchor averaged ema key momentum old ref reference shadow slow target teacher".split())
"""What is called so is a copy that training leaves alone."""


def frozen_as_a_copy(audit: Audit, states: list[ParameterState]) -> tuple[SourceLine, str] | None:
    """(the statement that hands the module on without copying it, the name that it gets there), where a line freezes
    by that name what an optimizer holds by another."""
    frames = {project_stack(audit.record.stacks, last_freeze(state)) for state in states}
    frame = frames.pop() if len(frames) == 1 else -1
    tree = tree_of(audit.record.stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(audit.record.stacks.line(frame)) if tree is not None else None
    if tree is None or statement is None or not all(state.held for state in states):
        return None
    loops = [outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For)]
    course = audit.record.course
    for part in [part for node in (*loops[:1], statement) for part in ast.walk(_header(node))]:
        chain = chain_of(part) if isinstance(part, ast.Name | ast.Attribute) else None
        for sight in course.at(tree.file, loops[0].lineno if loops else statement.lineno) if chain is not None else ():
            seen = sight.read.get(chain.text) if chain is not None else None
            if chain is None or seen is None or seen.kind != "object" or seen.token < 0:
                continue
            for made, target in course.made(seen.token):
                bound = readings(course.file_of(made)).statement(made.line)
                owner = tree_of(course.file_of(made))
                names = (target, _handed_on(bound))
                if owner is not None and names[1] and chain.text in names and _is_a_copys(owner, bound, names):
                    return source_at(owner.file, made.line), target
    return None


def _header(node: ast.stmt) -> ast.AST:
    return node.iter if isinstance(node, ast.For) else node


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
