"""FXA602."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.expectations import expected_of
from fxaudit.judge.rule import Audit, Example, Rule

__all__ = ["ExpectedToTrain"]


class ExpectedToTrain(Rule):
    """A parameter does not have the verdict that is expected of it.

    Expected to train, it does not; or it is kept from training by something else than expected.
    """

    code, name, level = "FXA602", "expected-to-train", "error"
    fix = "See the finding about the cause, or change the expectation."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each broken pattern and verdict."""
        said = expected_of(audit.expect, (state.name for state in audit.states))
        groups: dict[tuple[str, str, str], list] = {}  # type: ignore[type-arg]
        for state in audit.states:
            pattern, expected = said.get(state.name, ("", state.verdict))
            if state.verdict not in (expected, "trained"):
                groups.setdefault((pattern, expected, state.verdict), []).append(state)
        for (_, expected, verdict), states in groups.items():
            cause = next((f for f in audit.findings if states[0].name in f.parameters), None)
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'is', 'are')} {verdict}, expected to be {expected}",
                cause.culprit if cause is not None else audit.source(states[0].track.created),
            )

    @staticmethod
    def bad() -> Example:
        """A backbone that is expected to train, and is frozen."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        model[0].requires_grad_(False)  # FXA602
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer, expect={"0.*": "trained"})

    @staticmethod
    def good() -> Example:
        """The backbone trains, as expected."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        model[0].requires_grad_(True)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer, expect={"0.*": "trained"})
