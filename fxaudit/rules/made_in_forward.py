"""FXA203."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.finding import Finding
from fxaudit.rule import Audit, Rule
from fxaudit.verdict import ParameterState

__all__ = ["MadeInForward"]


class MadeInForward(Rule):
    """A Parameter or module is made anew in each forward.

    It starts from fresh random numbers every time and no optimizer ever holds it.
    """

    code, name, level = "FXA203", "made-in-forward", "error"
    fix = "Make the module in `__init__` (use `nn.LazyLinear` and its kin where the size is not known)."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line that makes parameters during a forward."""
        groups: dict[int, list[ParameterState]] = {}
        calls = audit.record.stacks
        call_stacks = {call.stack for call in audit.record.calls}
        for state in audit.unexplained("replaced", "unregistered"):
            created = state.track.created
            inside = state.mechanism == "remade" or bool(call_stacks & set(calls.chain(created)[1:]))
            if created >= 0 and inside:
                groups.setdefault(created, []).append(state)
        merged: dict[tuple[str, int], tuple[int, list[ParameterState]]] = {}
        for stack, states in groups.items():
            key = (calls.file(stack), calls.line(stack))
            merged.setdefault(key, (stack, []))[1].extend(states)
        for stack, states in merged.values():
            yield self.finding(
                audit, states, f"{audit.names(states)} is made anew in each forward", audit.source(stack)
            )
