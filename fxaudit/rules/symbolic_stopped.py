"""FXA901."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.finding import Finding
from fxaudit.rule import Audit, Rule

__all__ = ["SymbolicTraceStopped"]


class SymbolicTraceStopped(Rule):
    """The symbolic trace stopped before the end of the forward.

    Control flow that depends on a tensor cannot be followed without data.
    """

    code, name, level = "FXA901", "symbolic-trace-stopped", "note"
    fix = "Give `audit` inputs or a loss, so that the forward can be recorded instead."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding if the trace stopped."""
        status, reason, source = audit.symbolic
        if status == "stopped":
            yield self.finding(audit, [], f"the symbolic trace stopped: {reason}"[:90], source)
