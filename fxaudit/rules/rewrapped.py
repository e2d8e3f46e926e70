"""FXA107."""

from __future__ import annotations

from fxaudit.graph import Cut
from fxaudit.rule import Audit
from fxaudit.rules.cuts import CutRule
from fxaudit.verdict import ParameterState

__all__ = ["RewrappedTensor"]


class RewrappedTensor(CutRule):
    """The value is wrapped anew, which makes a leaf without history.

    `torch.tensor(t)`, `nn.Parameter(t)` and `requires_grad_()` on a detached tensor copy the numbers and forget where
    they came from. The copy may even require grad; its gradient stays with the copy.
    """

    code, name, level, kind = "FXA107", "rewrapped", "error", "rewrapped"
    fix = "Use the tensor as it is; to combine several, use `torch.stack` or `torch.cat`."

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names the call."""
        op = audit.record.ops[cut.op]
        call = {"Parameter": "nn.Parameter(…)", "tensor": "torch.tensor(…)"}.get(op.name, op.name)
        return f"`{call}` makes a new leaf and forgets {audit.names(states)}"
