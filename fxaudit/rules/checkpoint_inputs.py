"""FXA110."""

from __future__ import annotations

from fxaudit.graph import Cut
from fxaudit.rule import Audit
from fxaudit.rules.cuts import CutRule
from fxaudit.verdict import ParameterState

__all__ = ["CheckpointInputs"]


class CheckpointInputs(CutRule):
    """A reentrant checkpoint gets inputs of which none requires grad.

    `torch.utils.checkpoint.checkpoint(..., use_reentrant=True)` runs its function without gradients and recomputes it in
    backward, but only if one of its inputs requires grad. Otherwise everything inside receives nothing.
    """

    code, name, level, kind = "FXA110", "checkpoint-inputs", "error", "checkpoint"
    fix = "Pass `use_reentrant=False` to `checkpoint`."

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names what is inside."""
        return f"no input of the reentrant checkpoint requires grad, so {audit.names(states)} gets none"
