"""Another model in the place of the one that an optimizer holds, put there while the recording rested."""

from __future__ import annotations

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.late_models import models_given_later
from fxaudit.program.source import SourceLine

__all__ = ["LOADED", "given_later"]

LOADED = (
    "Load the values into the model that is there, `model.load_state_dict(…)`: the optimizer holds the parameters of "
    "that one."
)
Lines = list[tuple[SourceLine | None, str]]


def given_later(audit: Audit, states: list[ParameterState]) -> tuple[SourceLine, Lines] | None:
    """The one statement that was not recorded and gives the model's variable another object, where what it held before
    is of the same class and was trained."""
    roots = {state.root.index: state.root for state in states if state.root is not None}
    trained = {s.root.type for s in audit.states if s.held and s.root is not None and s.root.index not in roots}
    if len(roots) != 1 or not {root.type for root in roots.values()} <= trained:
        return None
    found = [*models_given_later(audit.project_files, audit.record.ran())]
    if len(found) != 1:
        return None
    (tree, statement), *_ = found
    return source_at(tree.file, statement.lineno), []
