"""FXA202."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState

__all__ = ["ValueOverwritten"]


class ValueOverwritten(Rule):
    """Forward overwrites the parameter's value, and what the optimizer changed is lost.

    The new value does not depend on the old one (`copy_`, `normal_`, `.data = …`, `reset_parameters()`), or keeps
    nothing of what a step changes (signs, hard rounding). Clamping, masks and max-norm keep it, and are not this.
    """

    code, name, level = "FXA202", "value-overwritten", "error"
    fix = "Compute the new value into a local variable and leave the parameter's own value alone."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line that writes."""
        groups: dict[int, list[ParameterState]] = {}
        for state in audit.unexplained("replaced"):
            if state.mechanism == "overwritten" and state.writers:
                groups.setdefault(state.writers[-1].stack, []).append(state)
        for stack, states in groups.items():
            op = states[0].writers[-1]
            yield self.finding(
                audit,
                states,
                f"forward overwrites {audit.names(states)} with `{op.name}` each time it runs",
                audit.source(stack),
                level="error" if audit.is_held(states) else "note",
            )

    @staticmethod
    def bad() -> Example:
        """A projection that is drawn anew in each forward."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.project = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                self.project.reset_parameters()  # FXA202
                return torch.sigmoid(self.head(self.project(x)))

        def train() -> None:
            model, x = Net(), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The projection is drawn once."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.project = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.sigmoid(self.head(self.project(x)))

        def train() -> None:
            model, x = Net(), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)
