"""Values that a torch call refused, where the program caught what it raised and went on without them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from fxaudit.capture.recording import RefusedCall
from fxaudit.judge.graph import UnusedValue
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.handing import hands_on
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import tree_of

__all__ = ["Swallowed", "swallowed"]


@dataclass(frozen=True, slots=True)
class Swallowed:
    """The call that raised, as the program wrote it, and the handler that went on."""

    line: SourceLine
    handler: SourceLine
    call: str
    error: str


def swallowed(audit: Audit, end: UnusedValue) -> Swallowed | None:
    """The call that refused the value, or what was computed from it, if a handler of the program's caught the error."""
    made = audit.graph.downstream([end.value])
    for refused in audit.record.refused:
        if end.value in refused.inputs or not made.isdisjoint(refused.inputs):
            found = _caught(audit, refused)
            if found is not None:
                return found
    return None


def _caught(audit: Audit, refused: RefusedCall) -> Swallowed | None:
    stacks = audit.record.stacks
    chain = [frame for frame in stacks.chain(refused.stack) if not is_library(stacks.file(frame))]
    handler: SourceLine | None = None
    for number, frame in enumerate(chain):
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        inner: ast.AST | None = statement
        for outer in tree.ancestors(statement) if tree is not None and statement is not None else ():
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
                break
            if isinstance(outer, ast.Try) and inner in outer.body and handler is None:
                ran = audit.record.ran().of(stacks.file(frame))
                caught = [h for h in outer.handlers if any(line in ran for line in _lines(h))]
                handler = source_at(stacks.file(frame), caught[0].lineno) if caught else None
            inner = outer
        if handler is None:
            continue
        written = chain[0]
        for other in chain[: number + 2]:  # a guard that only calls what it is given is right
            at = tree_of(stacks.file(other))
            own = at.statement_at(stacks.line(other)) if at is not None else None
            scope = at.function(own) if at is not None and own is not None else None
            written = other
            if own is None or not isinstance(scope, ast.FunctionDef) or not hands_on(scope, own):
                break
        line = audit.source(written)
        return Swallowed(line, handler, refused.name, refused.error) if line is not None else None
    return None


def _lines(handler: ast.ExceptHandler) -> range:
    """The lines of the body of a handler: that one of them ran shows that it caught something."""
    return range(handler.body[0].lineno, (handler.end_lineno or handler.body[-1].lineno) + 1)
