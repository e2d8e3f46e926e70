"""FXA107."""

from __future__ import annotations

from fxaudit.judge.cut_rule import CutRule
from fxaudit.judge.graph import Cut
from fxaudit.judge.rule import Audit, Example
from fxaudit.judge.verdict import ParameterState

__all__ = ["Rewrapped"]


class Rewrapped(CutRule):
    """The value is wrapped anew, which makes a leaf without history.

    `torch.tensor(t)`, `nn.Parameter(t)` and `requires_grad_()` on a detached tensor copy the numbers and forget where
    they came from. The copy may even require grad; its gradient stays with the copy.
    """

    code, name, level, kind = "FXA107", "rewrapped", "error", "rewrapped"
    has_neutral_form = True
    fix = "Use the tensor as it is; to combine several, use `torch.stack` or `torch.cat`."

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names the call."""
        op = audit.record.ops[cut.op]
        call = {"Parameter": "nn.Parameter(…)", "tensor": "torch.tensor(…)"}.get(op.name, op.name)
        return f"`{call}` makes a new leaf and forgets {audit.names(states)}"

    @staticmethod
    def bad() -> Example:
        """A hidden state made a leaf, so that its gradient can be looked at."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.encoder = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = self.encoder(x).detach().requires_grad_()  # FXA107
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """`retain_grad` does it without cutting."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.encoder = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = self.encoder(x)
                h.retain_grad()
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
