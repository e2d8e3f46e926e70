"""Where a parameter was frozen. Shared by the rule on frozen parameters and by what a report says of each."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.groups import flags_set
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["decisions_around", "frozen_at", "last_freeze", "settle_frozen"]

CALLERS = 3


def last_freeze(state: ParameterState) -> int:
    """The stack that froze the parameter last; -1 where that was not seen."""
    return next((stack for _, flag, stack in reversed(state.track.freezes) if not flag), -1)


def decisions_around(audit: Audit, stack: int) -> Iterator[Decision]:
    """What the freeze at `stack` and the branches around it decided by, the innermost first, also in the callers."""
    stacks, decisions = audit.record.stacks, Decisions(audit.record.course)
    for frame in stacks.chain(project_stack(stacks, stack))[:CALLERS]:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        inner: ast.AST | None = statement
        given = _flag_given(statement)
        if tree is not None and statement is not None and given is not None:
            decision = decisions.of(tree.file, statement.lineno, given, outcome=False)
            if decision is not None:
                yield decision
        for outer in tree.ancestors(statement) if tree is not None and statement is not None else ():
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
                break
            if isinstance(outer, ast.If) and tree is not None:
                decision = decisions.of(tree.file, outer.lineno, outer.test, outcome=inner in outer.body)
                if decision is not None:
                    yield decision
            inner = outer


def _flag_given(statement: ast.stmt | None) -> ast.expr | None:
    """What a statement sets `requires_grad` to, where that is no constant."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=given):
            pass
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires_grad_"), args=[given])):
            pass
        case _:
            return None
    return None if isinstance(given, ast.Constant) else given


def frozen_at(audit: Audit, state: ParameterState) -> SourceLine | None:
    """The last line that was seen to freeze the parameter, or that made it frozen, as `Embedding.from_pretrained`."""
    froze = next((audit.source(stack) for _, flag, stack in reversed(state.track.freezes) if not flag), None)
    if froze is None and state.held and not state.track.ever_required_grad:
        froze = audit.source(project_stack(audit.record.stacks, state.track.created))
    if froze is None and state.held and state.track.created < 0:  # made before anybody watched
        froze = _only_freeze(audit, state)
    return froze


def settle_frozen(audit: Audit) -> None:
    """Say of every frozen parameter which line of the user's froze it, or made it so, where that was seen."""
    stacks = audit.record.stacks
    lines: dict[int, SourceLine | None] = {}
    for state in audit.having("frozen"):
        track = state.track
        stack = next((stack for _, flag, stack in reversed(track.freezes) if not flag), -1)
        if stack < 0 and not track.ever_required_grad:
            stack = track.created
        if stack < 0:
            continue
        if stack not in lines:
            lines[stack] = audit.source(project_stack(stacks, stack))
        line = state.frozen_at = lines[stack]
        if line is not None:
            state.reason = f"`requires_grad` is False since {os.path.basename(line.file)}:{line.line}"


def _only_freeze(audit: Audit, state: ParameterState) -> SourceLine | None:
    """The one statement that freezes anything, in the file in which the optimizer is built, else in the program."""
    stacks = audit.record.stacks
    built = audit.recording.optimizers[state.held[0][0]].created
    nearest = [stacks.file(project_stack(stacks, built))] if built >= 0 else []
    places = flags_set(nearest, False) or flags_set(audit.project_files, False)
    return source_at(*places[0]) if len(places) == 1 else None
