"""FXA201."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.program.tree import tree_of

__all__ = ["SlotReassigned"]


class SlotReassigned(Rule):
    """Forward assigns a tensor to a Parameter's slot.

    The optimizer goes on with the old Parameter, which forward does not use any more. PyTorch refuses the assignment
    with a TypeError; older code got past it.
    """

    code, name, level = "FXA201", "slot-reassigned", "error"
    fix = "Keep the result in a local variable and pass it to the functional form, such as `F.linear(x, weight)`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line that assigns to a slot."""
        groups: dict[int, list[int]] = {}
        for assignment in audit.recording.assignments:
            groups.setdefault(assignment.stack, []).append(assignment.track)
        for stack, tracks in groups.items():
            states = [s for s in audit.unexplained("replaced") if s.index in tracks]
            if not states:
                continue
            culprit = audit.source(stack)
            yield self.finding(
                audit,
                states,
                f"forward puts another tensor in the place of {audit.names(states)}",
                culprit,
                fix=_fix(audit, stack, states[0].name) or None,
            )

    @staticmethod
    def bad() -> Example:
        """A weight that forward normalises in its own slot."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weight: torch.Tensor = nn.Parameter(torch.randn(1, 4))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                self.weight = nn.functional.normalize(self.weight)  # FXA201
                return nn.functional.linear(x, self.weight)

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The normalised weight is a local variable."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weight: torch.Tensor = nn.Parameter(torch.randn(1, 4))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                weight = nn.functional.normalize(self.weight)
                return nn.functional.linear(x, weight)

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).mean(), optimizer)


def _fix(audit: Audit, stack: int, name: str) -> str:
    """Clamping wants to be done after the step, in place; anything else in a local variable."""
    file, line = audit.record.stacks.file(stack), audit.record.stacks.line(stack)
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    text = tree.text(statement) if tree and statement is not None else ""
    if "clamp" in text or "clip" in text:
        return (
            f"Clamp in place after the optimizer's step: `with torch.no_grad(): model.{name}.clamp_(…)`, "
            "or clamp into a local variable."
        )
    return ""
