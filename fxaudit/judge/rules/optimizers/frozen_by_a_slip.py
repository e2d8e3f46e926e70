"""FXA310."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.slips import frozen_by_a_slip
from fxaudit.judge.rule import Audit, Example, Rule

__all__ = ["FrozenByASlip"]


class FrozenByASlip(Rule):
    """Parameters are frozen by a line that does not do what it seems to.

    A test is true of every name (`"a" in name or "b"`), a text that means no is taken for a flag (`bool("0")`), a
    shallow copy of a module is frozen, and with it the module itself, or `requires_grad == True` compares where it was
    to set.
    """

    code, name, level = "FXA310", "frozen-by-a-slip", "warning"
    explains = frozenset({"frozen"})
    fix = "Write the line so that it does what was meant."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each such line."""
        for slip, states in frozen_by_a_slip(audit):
            frozen = next((s.frozen_at for s in states if s.frozen_at is not None), None)
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'is', 'are')} frozen: {slip.words}",
                slip.culprit,
                related=[(frozen, "frozen here")],
                fix=slip.fix,
                fact=slip.words,
            )

    @staticmethod
    def bad() -> Example:
        """The second half of a test is a text, and true."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Sequential(), torch.randn(8, 4)
            model.add_module("stem", nn.Linear(4, 4))
            model.add_module("norm", nn.LayerNorm(4))
            model.add_module("head", nn.Linear(4, 1))
            for name, parameter in model.named_parameters():
                if "norm" or "stem" in name:  # FXA310
                    parameter.requires_grad_(False)
            model.get_parameter("head.bias").requires_grad_(True)
            optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.1)
            for _ in range(2):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """Both halves ask."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Sequential(), torch.randn(8, 4)
            model.add_module("stem", nn.Linear(4, 4))
            model.add_module("norm", nn.LayerNorm(4))
            model.add_module("head", nn.Linear(4, 1))
            for name, parameter in model.named_parameters():
                if "stem" in name or "norm" in name:
                    parameter.requires_grad_(False)
            optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.1)
            for _ in range(2):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)
