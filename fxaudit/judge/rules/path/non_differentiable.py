"""FXA108."""

from __future__ import annotations

import itertools

from fxaudit.judge.cut_rule import CutRule
from fxaudit.judge.graph import Cut
from fxaudit.judge.rule import Audit, Example
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["NonDifferentiable"]


class NonDifferentiable(CutRule):
    """Every path to the loss passes through an operation that has no gradient.

    `argmax`, comparisons, integer casts, `bernoulli`, sorting indices and their like give results that do not change
    smoothly with their input, so torch records nothing for backward.
    """

    code, name, level, kind = "FXA108", "non-differentiable", "error", "non_differentiable"
    fix = "Use a differentiable relaxation: softmax weights, `gumbel_softmax`, or a score-function (`log_prob`) loss."

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names the operation."""
        return (
            f"`{audit.record.ops[cut.op].name}` has no gradient, and {audit.names(states, 'has', 'have')} no other way"
        )

    def related(self, audit: Audit, states: list[ParameterState], cut: Cut) -> list[tuple[SourceLine | None, str]]:
        """Where the result is used as numbers again, on another line, before the other lines."""
        again = _numbers_again(audit, cut)
        made = [(again, "used as numbers again here, without gradient")] if again is not None else []
        return [*made, *super().related(audit, states, cut)]

    @staticmethod
    def bad() -> Example:
        """A gate that is a comparison."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.gate = nn.Linear(4, 4)
                self.body = nn.Linear(4, 4)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                keep = self.gate(x) > 0  # FXA108
                return torch.tanh(self.body(x)).mul(keep)

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The gate is smooth."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.gate = nn.Linear(4, 4)
                self.body = nn.Linear(4, 4)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                keep = torch.sigmoid(self.gate(x))
                return torch.tanh(self.body(x)).mul(keep)

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _numbers_again(audit: Audit, cut: Cut) -> SourceLine | None:
    """The line in which the first floating values are made of the whole numbers or flags of the cut."""
    values, behind = audit.record.values, set(audit.record.ops[cut.op].outputs)
    here = audit.op_source(cut.op)
    for op in itertools.islice(audit.record.ops, cut.op + 1, None):
        if behind.isdisjoint(op.inputs):
            continue
        if any(values[out].floating for out in op.outputs):
            line = audit.op_source(op.index)
            is_elsewhere = line is not None and here is not None and (line.file, line.line) != (here.file, here.line)
            return line if is_elsewhere else None
        behind.update(op.outputs)
    return None
