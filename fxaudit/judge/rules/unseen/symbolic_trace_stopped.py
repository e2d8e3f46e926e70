"""FXA901."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule

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

    @staticmethod
    def bad() -> Example:
        """A branch on a value, and neither inputs nor a loss."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                if x.sum() > 0:  # FXA901
                    x = -x
                return torch.sigmoid(self.head(x))

        return Example(Net())

    @staticmethod
    def good() -> Example:
        """With a loss the forward is recorded, and follows the branch."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                if x.sum() > 0:
                    x = -x
                return torch.sigmoid(self.head(x))

        model, x = Net(), torch.randn(8, 4)
        return Example(model, lambda: model(x).square().mean())
