"""FXA405."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState

__all__ = ["StepBeforeGradient"]


class StepBeforeGradient(Rule):
    """The optimizer steps when there is no gradient yet.

    `step` comes before `backward`, and what backward brings is cleared before the next step.
    """

    code, name, level = "FXA405", "step-before-gradient", "error"
    needs_a_run = True
    fix = "Order the calls: `zero_grad()`, `backward()`, `step()`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each step that never finds a gradient."""
        groups: dict[int, list[ParameterState]] = {}
        for state in audit.unexplained("blocked"):
            if state.facts and state.arrived != "none" and all(f.gradient in ("none", "zero") for f in state.facts):
                if state.arrived == "zero" and any(f.gradient == "zero" for f in state.facts):
                    continue
                if any(f.gradient == "zero" for f in state.facts):
                    continue
                groups.setdefault(audit.record.events[state.facts[-1].event].stack, []).append(state)
        for stack, states in groups.items():
            backwards = [e for e in audit.graph.backwards if states[0].index in e.arrived]
            yield self.finding(
                audit,
                states,
                f"the step comes when {audit.names(states, 'has', 'have')} no gradient",
                audit.source(stack),
                related=[(audit.source(e.stack), "backward is called here") for e in backwards[-1:]],
            )

    @staticmethod
    def bad() -> Example:
        """A step before its backward."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                loss = model(x).square().mean()
                optimizer.step()  # FXA405
                loss.backward()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """Backward comes first."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                loss = model(x).square().mean()
                loss.backward()
                optimizer.step()

        return Example(train=train)
