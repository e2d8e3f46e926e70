"""FXA110."""

from __future__ import annotations

from fxaudit.judge.cut_rule import CutRule
from fxaudit.judge.graph import Cut
from fxaudit.judge.questions.births import born_at, keyword_born
from fxaudit.judge.rule import Audit, Example
from fxaudit.judge.trail import project_stack
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.birth import Birth
from fxaudit.program.repairs import non_reentrant
from fxaudit.program.source import SourceLine

__all__ = ["CheckpointInputs"]


class CheckpointInputs(CutRule):
    """A reentrant checkpoint gets inputs of which none requires grad.

    `torch.utils.checkpoint.checkpoint(..., use_reentrant=True)` runs its function without gradients and recomputes it
    in backward, but only if one of its inputs requires grad. Otherwise everything inside receives nothing.
    """

    code, name, level, kind = "FXA110", "checkpoint-inputs", "error", "checkpoint"
    has_neutral_form = True
    fix = "Pass `use_reentrant=False` to `checkpoint`."

    def settled(
        self, audit: Audit, states: list[ParameterState], cut: Cut, culprit: SourceLine | None
    ) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]]:
        """Where `use_reentrant` was set, if that is elsewhere."""
        born = self._set_elsewhere(audit, cut)
        if born is None:
            return culprit, []
        line, stations = born_at(born)
        return line, [(culprit, "the checkpoint is taken here"), *stations]

    def _set_elsewhere(self, audit: Audit, cut: Cut) -> Birth | None:
        stacks = audit.record.stacks
        born = keyword_born(audit.record, project_stack(stacks, audit.record.ops[cut.op].stack), "use_reentrant", True)
        return born if born is not None and born.is_a_setting else None

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names what is inside."""
        return f"no input of the reentrant checkpoint requires grad, so {audit.names(states, 'gets', 'get')} none"

    def edit(self, audit: Audit, cut: Cut) -> str:
        """The call without reentry."""
        if self._set_elsewhere(audit, cut) is not None:
            return ""
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
