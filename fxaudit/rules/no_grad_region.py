"""FXA105."""

from __future__ import annotations

from fxaudit.graph import Cut
from fxaudit.rule import Audit, Example
from fxaudit.rules.cuts import CutRule
from fxaudit.source import SourceLine
from fxaudit.verdict import ParameterState

__all__ = ["NoGradRegion"]


class NoGradRegion(CutRule):
    """The parameter is used only in a region without gradients.

    A `with torch.no_grad():` block, a `@torch.no_grad()` decorator, `set_grad_enabled(False)` or inference mode is open
    while the forward reads the parameter, so what is computed from it is a constant to the loss. The culprit is the
    line that opened the region.
    """

    code, name, level, kind = "FXA105", "no-grad-region", "error", "no_grad"
    fix = "Leave the region before this computation, or remove it from the training path."

    def culprit(self, audit: Audit, cut: Cut) -> SourceLine | None:
        """The line that opened the region; the operation where that was not seen."""
        return audit.source(audit.record.ops[cut.op].region) or audit.op_source(cut.op)

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names what runs without gradients."""
        return f"{audit.names(states, 'is', 'are')} used only where gradients are switched off"

    def related(self, audit: Audit, states: list[ParameterState], cut: Cut) -> list[tuple[SourceLine | None, str]]:
        """The first operation inside the region."""
        name = audit.record.ops[cut.op].name
        return [(audit.op_source(cut.op), f"`{name}` runs inside it"), *super().related(audit, states, cut)]

    @staticmethod
    def bad() -> Example:
        """A backbone that runs without gradients, although the optimizer holds it."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.backbone = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                with torch.no_grad():  # FXA105
                    h = self.backbone(x)
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The backbone runs with gradients."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.backbone = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = self.backbone(x)
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
