"""FXA601."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from fxaudit.finding import Finding
from fxaudit.rule import Audit, Rule

__all__ = ["ExpectedFrozen"]


class ExpectedFrozen(Rule):
    """A parameter that is expected not to train does train."""

    code, name, level = "FXA601", "expected-not-to-train", "error"
    fix = "Freeze it with `requires_grad_(False)` before the optimizer is built, or change the expectation."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each broken pattern."""
        for pattern, verdict in audit.expect.items():
            states = [
                s for s in audit.having("trained") if verdict != "trained" and fnmatch.fnmatchcase(s.name, pattern)
            ]
            if states:
                yield self.finding(
                    audit,
                    states,
                    f"{audit.names(states)} is expected to be {verdict}, but trains",
                    audit.source(states[0].track.created),
                )
