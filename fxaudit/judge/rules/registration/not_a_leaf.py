"""FXA206."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.containers import filled_at, owner_of
from fxaudit.judge.rule import Audit, Example, Rule

__all__ = ["NotALeaf"]


class NotALeaf(Rule):
    """An attribute that looks like a Parameter is the result of an operation on one.

    `nn.Parameter(...).to(device)`, `.clone()` or `.expand(...)` give a plain tensor: the Parameter it was computed from
    is registered nowhere, and `model.parameters()` lists neither.
    """

    code, name, level = "FXA206", "not-a-leaf", "error"
    fix = "Register the Parameter itself; apply the operation in forward, or to the tensor inside `nn.Parameter(...)`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each attribute computed from an unregistered Parameter."""
        for state in audit.unexplained("unregistered"):
            keeper = owner_of(audit, state)
            if keeper is None or not keeper.kept.derived:
                continue
            assigned, _, _ = filled_at(audit, state)
            yield self.finding(
                audit,
                [state],
                f"`{state.name}` is computed from a Parameter, and is none itself",
                audit.source(state.track.created) or assigned,
                related=[(assigned, "assigned here")],
            )

    @staticmethod
    def bad() -> Example:
        """A Parameter that is scaled after it was made."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.prompt = nn.Parameter(torch.randn(4)) * 0.02  # FXA206
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.sigmoid(self.head(x + self.prompt))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The tensor is scaled before it becomes a Parameter."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.prompt = nn.Parameter(torch.randn(4) * 0.02)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.sigmoid(self.head(x + self.prompt))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
