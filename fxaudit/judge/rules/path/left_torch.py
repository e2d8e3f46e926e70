"""FXA106."""

from __future__ import annotations

from fxaudit.judge.cut_rule import CutRule
from fxaudit.judge.graph import Cut
from fxaudit.judge.rule import Audit, Example
from fxaudit.judge.verdict import ParameterState

__all__ = ["LeftTorch"]


class LeftTorch(CutRule):
    """The value leaves torch on its way to the loss.

    `.item()`, `.tolist()`, `.numpy()` or `float()` turn the tensor into numbers; what is computed from numbers knows
    nothing of the parameter.
    """

    code, name, level, kind = "FXA106", "left-torch", "error", "left_torch"
    fix = "Compute with the tensor itself: `torch.exp(t)` instead of `math.exp(float(t))`."

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names the call."""
        op = audit.record.ops[cut.op]
        asked = f"{op.name.strip('_')}()" if op.name.startswith("__") else f".{op.name}()"
        call = {"__array__": "numpy.asarray()", "__index__": "int()"}.get(op.name, asked)
        tail = " (inferred)" if cut.inferred else ""
        if op.detail != "escape":
            return f"`.{op.name}()` hands {audit.names(states)} over to Python as plain numbers"
        return f"`{call}` turns {audit.names(states)} into plain numbers{tail}"

    @staticmethod
    def bad() -> Example:
        """A temperature that becomes a Python number."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.head = nn.Linear(4, 3)
                self.temperature = nn.Parameter(torch.ones(()))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                temperature = self.temperature.item()  # FXA106
                return torch.softmax(self.head(x) / temperature, -1)

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The temperature stays a tensor."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.head = nn.Linear(4, 3)
                self.temperature = nn.Parameter(torch.ones(()))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                temperature = self.temperature
                return torch.softmax(self.head(x) / temperature, -1)

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
