"""An embedding of which the program looks up one row on purpose, and that row counts as padding."""

from __future__ import annotations

import ast

from fxaudit.capture import operations
from fxaudit.judge.questions.births import born_at, keyword_born
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.program.given import calls_in
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["NO_PADDING", "padding_of_its_own"]

NO_PADDING = "Make this embedding without `padding_idx`: the row that is looked up is no padding."
Lines = list[tuple[SourceLine | None, str]]


def padding_of_its_own(audit: Audit, index: int) -> tuple[SourceLine, Lines] | None:
    """The line by which the embedding has a padding row, where the indices that the operation looks up are zeros that
    the program itself made: there is nothing in the data to look at. None for any other."""
    op = audit.record.ops[index]
    if not operations.of(op.name).looks_up or op.module < 0 or not _are_made_zeros(audit, op.inputs[0]):
        return None
    stacks = audit.record.stacks
    made = project_stack(stacks, audit.recording.modules[audit.record.calls[op.module].module].created)
    if made < 0:
        return None
    here = audit.source(made)
    birth = keyword_born(audit.record, made, "padding_idx", 0)
    if birth is not None:
        line, stations = born_at(birth)
        return line, [*stations, (here, "the embedding is made here")]
    tree = tree_of(stacks.file(made))
    statement = tree.statement_at(stacks.line(made)) if tree is not None else None
    is_given = any(k.arg == "padding_idx" for call in calls_in(statement) for k in call.keywords)
    return (here, []) if here is not None and is_given and isinstance(statement, ast.Assign) else None


def _are_made_zeros(audit: Audit, vid: int) -> bool:
    """Whether the value was made as zeros, and nothing was written into it."""
    made = audit.record.values[vid].op
    while made >= 0:
        kind = operations.of(audit.record.ops[made].name)
        if kind.fresh == "zeros":
            return True
        inputs = audit.record.ops[made].inputs
        if audit.record.ops[made].mutates or not (kind.view or kind.copies) or not inputs:
            return False
        made = audit.record.values[inputs[0]].op
    return False
