"""FXA601."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.expectations import expected_of
from fxaudit.judge.rule import Audit, Example, Rule

__all__ = ["ExpectedNotToTrain"]


class ExpectedNotToTrain(Rule):
    """A parameter that is expected not to train does train."""

    code, name, level = "FXA601", "expected-not-to-train", "error"
    fix = "Freeze it with `requires_grad_(False)` before the optimizer is built, or change the expectation."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each broken pattern."""
        trained = list(audit.having("trained"))
        said = expected_of(audit.expect, (state.name for state in trained))
        groups: dict[tuple[str, str], list] = {}  # type: ignore[type-arg]
        for state in trained:
            pattern, verdict = said.get(state.name, ("", "trained"))
            if verdict != "trained":
                groups.setdefault((pattern, verdict), []).append(state)
        for (_, verdict), states in groups.items():
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'trains', 'train')}, expected to be {verdict}",
                audit.source(states[0].track.created),
            )

    @staticmethod
    def bad() -> Example:
        """A backbone that is expected to be frozen, and is not."""
        import torch
        from torch import nn

        backbone = nn.Linear(4, 4)  # FXA601
        model, x = nn.Sequential(backbone, nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer, expect={"0.*": "frozen"})

    @staticmethod
    def good() -> Example:
        """The backbone is frozen, as expected."""
        import torch
        from torch import nn

        backbone = nn.Linear(4, 4).requires_grad_(False)
        model, x = nn.Sequential(backbone, nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer, expect={"0.*": "frozen"})
