"""FXA110."""

from __future__ import annotations

from fxaudit.judge.cut_rule import CutRule
from fxaudit.judge.graph import Cut
from fxaudit.judge.rule import Audit, Example
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.repairs import non_reentrant

__all__ = ["CheckpointInputs"]


class CheckpointInputs(CutRule):
    """A reentrant checkpoint gets inputs of which none requires grad.

    `torch.utils.checkpoint.checkpoint(..., use_reentrant=True)` runs its function without gradients and recomputes it
    in backward, but only if one of its inputs requires grad. Otherwise everything inside receives nothing.
    """

    code, name, level, kind = "FXA110", "checkpoint-inputs", "error", "checkpoint"
    has_neutral_form = True
    fix = "Pass `use_reentrant=False` to `checkpoint`."

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names what is inside."""
        return f"no input of the reentrant checkpoint requires grad, so {audit.names(states, 'gets', 'get')} none"

    def edit(self, audit: Audit, cut: Cut) -> str:
        """The call without reentry."""
        return non_reentrant(self.culprit(audit, cut))

    @staticmethod
    def bad() -> Example:
        """The first block is checkpointed, and its input is data."""
        import torch
        from torch import nn
        from torch.utils.checkpoint import checkpoint

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.block = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = checkpoint(self.block, x, use_reentrant=True)  # FXA110
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """Without reentry the inputs do not matter."""
        import torch
        from torch import nn
        from torch.utils.checkpoint import checkpoint

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.block = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = checkpoint(self.block, x, use_reentrant=False)
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
