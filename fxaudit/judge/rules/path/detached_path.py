"""FXA104."""

from __future__ import annotations

from fxaudit.judge.cut_rule import CutRule
from fxaudit.judge.graph import Cut
from fxaudit.judge.questions.read_back import ADVICE, ROLE, read_back
from fxaudit.judge.questions.right_for_others import INSTEAD, right_for_others
from fxaudit.judge.questions.swapped import swapped_arguments
from fxaudit.judge.rule import Audit, Example
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.repairs import without_detach
from fxaudit.program.source import SourceLine

__all__ = ["DetachedPath"]


class DetachedPath(CutRule):
    """Every path from the parameter to the loss passes through a detached tensor.

    The forward reads the parameter, so nothing fails and the loss may still fall, but the parameter receives no
    gradient and keeps its initial value for the whole training.
    """

    code, name, level, kind = "FXA104", "detached-path", "error", "detached"
    has_neutral_form = True
    fix = "Delete the detach, or freeze the parameter with `requires_grad_(False)` if you meant it."

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names the call."""
        op = audit.record.ops[cut.op]
        call = (
            ".data" if op.name == "data" else f".{op.name.rstrip('_')}()" if op.name != "data.__set__" else ".data = …"
        )
        return f"`{call}` cuts {audit.names(states)} off from the loss"

    def settled(
        self, audit: Audit, states: list[ParameterState], cut: Cut, culprit: SourceLine | None
    ) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]]:
        """The call that gives a function its arguments in the wrong order, where the function rightly detaches one; or
        where what was put aside is read in the place of the value; or the call of a helper that is for reports."""
        op = audit.record.ops[cut.op]
        swapped = swapped_arguments(audit, op)
        if swapped is not None:
            return swapped, [(culprit, "this is detached, and the other argument was meant: they may be swapped")]
        read = read_back(audit, op)
        if read is not None:
            return read, [(culprit, ROLE)]
        used = right_for_others(audit, op)
        if used is None:
            return culprit, []
        return used[0], [(culprit, "gradient ends here"), (used[1], "called here for a report, rightly")]

    def advice(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """To swap arguments, to use the value itself, or to delete the call."""
        op = audit.record.ops[cut.op]
        if swapped_arguments(audit, op) is not None:
            return "Give the arguments in the other order: the function detaches this one."
        if read_back(audit, op) is not None:
            return ADVICE
        return self.fix if right_for_others(audit, op) is None else INSTEAD

    def edit(self, audit: Audit, cut: Cut) -> str:
        """The line without the call, where that is to edit."""
        op = audit.record.ops[cut.op]
        elsewhere = (swapped_arguments, read_back, right_for_others)
        return (
            "" if any(asked(audit, op) is not None for asked in elsewhere) else without_detach(self.culprit(audit, cut))
        )

    @staticmethod
    def bad() -> Example:
        """A hidden state that is detached in passing."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.encoder = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = self.encoder(x).detach()  # FXA104
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The hidden state keeps its history."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.encoder = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = self.encoder(x)
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
