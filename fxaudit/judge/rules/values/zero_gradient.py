"""FXA501."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import BackwardEvent
from fxaudit.capture.recording import Fact
from fxaudit.judge.questions.zero_origins import ZeroOrigins
from fxaudit.judge.rule import ANOTHER_BATCH, Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["ZeroGradient"]


class ZeroGradient(Rule):
    """The gradient is exactly zero at every step.

    Somewhere on the way back the gradient is multiplied by zero: a loss weight of 0, a zero mask or weight, a softmax
    over one element, a dead or saturated activation, a dropout of everything, a backward that returns zeros. The
    culprit is the line that made the zero; the place where it bites is given beside it.
    """

    code, name, level = "FXA501", "zero-gradient", "error"
    has_neutral_form = True
    needs_a_run = True
    fix = "Look at the operation named here and at the numbers that go into it: with these it lets no gradient pass."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each origin of zeros."""
        origins, why_zero = audit.judge.origins, ZeroOrigins(audit)
        shifts: list[tuple[int, ParameterState]] = []
        groups: dict[
            tuple[str, int, bool],
            tuple[SourceLine | None, list[tuple[SourceLine | None, str]], Fact, list[ParameterState]],
        ] = {}
        concerned = [*audit.unexplained("blocked"), *audit.starved()]
        are_shifts = not any(_is_a_matrix(state) and _is_cancelled(audit, state) for state in concerned)
        for state in concerned:
            if state.arrived != "zero" and not _steps_meet_zero(audit, state):
                continue
            found = origins.of(state.track)
            if found is not None and found.how in ("hook",):
                continue
            if found is not None and are_shifts and _is_cancelled(audit, state):
                shifts.append((found.bites, state))
                continue
            culprit, related, why = why_zero.of(state, found)
            place = (culprit.file, culprit.line) if culprit is not None else ("", 0)
            key = (*place, state.is_starved)
            groups.setdefault(key, (culprit, related, why, []))[3].append(state)
        for bites, state in shifts:
            yield self.finding(
                audit,
                [state],
                f"what the loss gives {audit.names([state])} cancels out: nothing depends on its value",
                audit.op_source(bites),
                level="note",
            )
        for (*_, starved), (culprit, related, why, states) in groups.items():
            yield self.finding(
                audit,
                states,
                f"the gradient of {audit.names(states)} is exactly zero: {why.sentence}",
                culprit,
                related=related,
                level="note" if starved else None,
                fix=ANOTHER_BATCH if starved else why.help,
                fact=why.sentence,
            )

    @staticmethod
    def bad() -> Example:
        """A loss term with weight 0."""
        import torch
        from torch import nn

        body, aux = nn.Linear(4, 1), nn.Linear(4, 1)
        model, x = nn.ModuleDict({"body": body, "aux": aux}), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        alpha = 0.0  # FXA501
        return Example(model, lambda: body(x).square().mean() + alpha * aux(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The term counts."""
        import torch
        from torch import nn

        body, aux = nn.Linear(4, 1), nn.Linear(4, 1)
        model, x = nn.ModuleDict({"body": body, "aux": aux}), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        alpha = 0.3
        return Example(model, lambda: body(x).square().mean() + alpha * aux(x).square().mean(), optimizer)


def _is_cancelled(audit: Audit, state: ParameterState) -> bool:
    """Whether what comes back to the parameter itself, on several ways, cancels out."""
    found = audit.judge.origins.of(state.track)
    return found is not None and found.how == "cancelled" and found.factor_track == state.index


def _is_a_matrix(state: ParameterState) -> bool:
    """Whether it is a weight, which multiplies: of a bias, which only shifts, one dimension is longer than 1."""
    return sum(length > 1 for length in state.track.shape) > 1


def _steps_meet_zero(audit: Audit, state: ParameterState) -> bool:
    """Whether what every step found had arrived as zeros, though other backwards, cleared again, brought more."""
    events = audit.record.events
    brought = [
        event.arrived.get(state.index, ("none", 0.0))[0]
        for fact in state.facts
        if fact.last_backward >= 0 and isinstance(event := events[fact.last_backward], BackwardEvent)
    ]
    return bool(brought) and set(brought) == {"zero"} and all(fact.gradient == "zero" for fact in state.facts)
