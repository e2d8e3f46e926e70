"""What stays frozen because an option of a configuration file is misspelt, and its default holds."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.judge.questions.freezing import decisions_around, last_freeze
from fxaudit.judge.rule import Audit
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.decisions import Decision

__all__ = ["frozen_by_default"]


def frozen_by_default(audit: Audit) -> Iterator[tuple[Decision, list[ParameterState]]]:
    """The decisions that froze something by the default of an option that a file gives under a misspelt key."""
    groups: dict[int, list[ParameterState]] = {}
    for state in audit.unexplained("frozen"):
        stack = last_freeze(state)
        if stack >= 0:
            groups.setdefault(stack, []).append(state)
    for stack, states in groups.items():
        decision = next(decisions_around(audit, stack), None)
        if decision is not None and decision.birth is not None and decision.birth.kind == "misspelt":
            yield decision, states
