"""FXA111."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.blame import return_of
from fxaudit.capture.record import Op
from fxaudit.finding import Finding
from fxaudit.rule import Audit, Rule
from fxaudit.verdict import ParameterState

__all__ = ["CustomFunctionReturnsNone"]


class CustomFunctionReturnsNone(Rule):
    """A custom `autograd.Function` returns no gradient for an input.

    Its `backward` returns None where the gradient of the parameter, or of what is computed from it, belongs.
    """

    code, name, level = "FXA111", "custom-function-returns-none", "error"
    fix = "Return the gradient with respect to that input from `backward`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each custom function whose parameters are reached by the graph but got nothing."""
        groups: dict[str, list[tuple[ParameterState, Op]]] = {}
        for state in audit.unexplained("unreachable"):
            if not state.reached_in:
                continue
            carried = audit.graph.carried([state.index])
            op = next((op for op in audit.graph.ops if op.custom and set(op.inputs) & carried), None)
            if op is not None:
                groups.setdefault(op.detail, []).append((state, op))
        for detail, members in groups.items():
            states = [state for state, _ in members]
            op = members[0][1]
            culprit = return_of(audit.project_files, detail, "backward") or audit.source(op.stack)
            yield self.finding(
                audit,
                states,
                f"`{op.name}.backward` returns no gradient for {audit.names(states)}",
                culprit,
                related=[(audit.source(op.stack), "the function is applied here")],
            )
