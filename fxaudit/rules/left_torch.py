"""FXA106."""

from __future__ import annotations

from fxaudit.graph import Cut
from fxaudit.rule import Audit
from fxaudit.rules.cuts import CutRule
from fxaudit.verdict import ParameterState

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
        call = {"__float__": "float()", "__int__": "int()", "__array__": "numpy.asarray()"}.get(op.name, f".{op.name}()")
        tail = " (inferred)" if cut.inferred else ""
        return f"`{call}` turns {audit.names(states)} into plain numbers{tail}"
