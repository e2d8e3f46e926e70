"""FXA505."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule

__all__ = ["RoundingNoise"]


class RoundingNoise(Rule):
    """The gradient is rounding noise.

    Mathematically it is zero (a bias before a batch norm, a key bias under softmax), and what arrives is what rounding
    leaves: no element is more than a few units in the last place of what was summed up for it. Harmless; adaptive
    optimizers blow it up to steps of full size.
    """

    code, name, level = "FXA505", "rounding-noise", "note"
    explains = frozenset()
    needs_a_run = True
    fix = "Drop the parameter (`bias=False`) if you care; nothing depends on it."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for all trained parameters with such gradients."""
        states = [s for s in audit.having("trained", "unknown") if s.arrived == "finite" and s.track.is_rounding_noise]
        if states:
            yield self.finding(
                audit,
                states,
                f"the gradient of {audit.names(states)} is rounding noise",
                audit.source(states[0].track.created),
            )

    @staticmethod
    def bad() -> Example:
        """A bias in front of a batch norm, which subtracts it again."""
        import torch
        from torch import nn

        torch.manual_seed(0)
        inner = nn.Linear(4, 4)  # FXA505
        model, x = nn.Sequential(inner, nn.BatchNorm1d(4), nn.Linear(4, 1)), torch.randn(64, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """No bias in front of the batch norm."""
        import torch
        from torch import nn

        torch.manual_seed(0)
        inner = nn.Linear(4, 4, bias=False)
        model, x = nn.Sequential(inner, nn.BatchNorm1d(4), nn.Linear(4, 1)), torch.randn(64, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
