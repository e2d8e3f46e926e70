"""What stays frozen because an option of a configuration file is misspelt, and its default holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.tree import tree_of

__all__ = ["frozen_by_default"]


def frozen_by_default(audit: Audit) -> Iterator[tuple[Decision, list[ParameterState]]]:
    """The decisions that froze something by the default of an option that a file gives under a misspelt key."""
    groups: dict[int, list[ParameterState]] = {}
    for state in audit.unexplained("frozen"):
        stack = next((stack for _, flag, stack in reversed(state.track.freezes) if not flag), -1)
        if stack >= 0:
            groups.setdefault(stack, []).append(state)
    for stack, states in groups.items():
        decision = _decision(audit, stack)
        if decision is not None and decision.birth is not None and decision.birth.kind == "misspelt":
            yield decision, states


def _decision(audit: Audit, stack: int) -> Decision | None:
    """What the branch around the freeze decided by."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, stack)
    tree = tree_of(stacks.file(frame))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    if tree is None or statement is None:
        return None
    inner: ast.AST = statement
    for outer in tree.ancestors(statement):
        if isinstance(outer, ast.If):
            outcome = inner in outer.body
            return Decisions(audit.record.course).of(tree.file, outer.lineno, outer.test, outcome=outcome)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        inner = outer
    return None
