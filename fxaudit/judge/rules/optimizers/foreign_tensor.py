"""FXA303."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule

__all__ = ["ForeignTensor"]


class ForeignTensor(Rule):
    """An optimizer holds a tensor that no model has and no loss reaches.

    Stepping it changes nothing that matters. It was made beside the model, or belongs to a model that is no longer
    used.
    """

    code, name, level = "FXA303", "foreign-tensor", "error"
    fix = "Build the optimizer from the parameters of the model that computes the loss."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each optimizer that holds such tensors."""
        for info in audit.recording.optimizers:
            states = [s for s in audit.unexplained("stale") if any(index == info.index for index, _ in s.held)]
            if not states:
                continue
            made = states[0].track.created
            excluded = audit.having("excluded")
            yield self.finding(
                audit,
                states,
                f"`{info.type}` holds {audit.names(states)}, which no model has and no loss reaches",
                audit.source(info.created),
                related=[(audit.source(made), "the tensor is made here")],
                level="error" if excluded else "warning",
            )

    @staticmethod
    def bad() -> Example:
        """A temperature that the optimizer holds and the loss does without."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 1), torch.randn(8, 4)
        temperature = nn.Parameter(torch.ones(()))
        optimizer = torch.optim.SGD([*model.parameters(), temperature], lr=0.1)  # FXA303
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The loss uses the temperature."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 1), torch.randn(8, 4)
        temperature = nn.Parameter(torch.ones(()))
        optimizer = torch.optim.SGD([*model.parameters(), temperature], lr=0.1)
        return Example(model, lambda: (model(x) / temperature).square().mean(), optimizer)
