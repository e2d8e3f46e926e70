"""What stays frozen because an option of a configuration file is misspelt, and its default holds, or what the file says
with which that one begins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from fxaudit.judge.questions.freezing import counted_around, decisions_around, last_freeze
from fxaudit.judge.rule import Audit
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.decisions import Decision

__all__ = ["frozen_by_default"]


def frozen_by_default(audit: Audit) -> Iterator[tuple[Decision, list[ParameterState]]]:
    """The decisions, and the numbers up to which a loop goes, that froze something by the default of an option, or by
    the entry of another file, where a file gives it under a misspelt key."""
    groups: dict[int, list[ParameterState]] = {}
    for state in audit.unexplained("frozen"):
        stack = last_freeze(state)
        if stack >= 0:
            groups.setdefault(stack, []).append(state)
    for stack, states in groups.items():
        found = itertools.chain(itertools.islice(decisions_around(audit, stack), 1), counted_around(audit, stack))
        misspelt = (one for one in found if one.birth is not None and one.birth.kind == "misspelt")
        decision = next(misspelt, None)
        if decision is not None:
            yield decision, states
