"""FXA902."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.blame import why_never_called
from fxaudit.finding import Finding
from fxaudit.rule import Audit, Example, Rule

__all__ = ["NothingRecorded"]


class NothingRecorded(Rule):
    """No forward and no backward was seen.

    Without them there is nothing to judge by.
    """

    code, name, level = "FXA902", "nothing-recorded", "note"
    fix = "Check that the script trains in this process, and that it gets as far as its loop."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding if neither was seen although the program was watched."""
        if not audit.judge.looped or not audit.judge.saw_nothing:
            return
        if not audit.session.optimizers:
            yield self.finding(audit, [], "no `forward`, no `backward` and no optimizer was seen", None)
        elif audit.session.is_part:
            why = why_never_called(audit.record, "backward")
            culprit = why[0][0] if why else None
            yield self.finding(audit, [], "no `forward`, no `backward` and no step was seen", culprit, related=why[1:])

    @staticmethod
    def bad() -> Example:
        """A cross-validation without folds."""
        import torch
        from torch import nn

        def train() -> None:
            for _ in range(0):
                model, x = nn.Linear(4, 1), torch.randn(8, 4)
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """One fold."""
        import torch
        from torch import nn

        def train() -> None:
            for _ in range(1):
                model, x = nn.Linear(4, 1), torch.randn(8, 4)
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)
