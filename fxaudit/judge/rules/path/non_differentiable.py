"""FXA108."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.cut_rule import CutRule
from fxaudit.judge.graph import Cut
from fxaudit.judge.rule import Audit, Example
from fxaudit.judge.trail import project_stack
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["NonDifferentiable"]

SPELT = "Let the numbers by which is chosen count themselves, as in `one_hot(i, n) * probabilities`, or choose softly."


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

    def settled(
        self, audit: Audit, states: list[ParameterState], cut: Cut, culprit: SourceLine | None
    ) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]]:
        """Where ones and zeros, or other constants, take the place of what was chosen, on another line: there the
        numbers that have a gradient were to be used."""
        spelt = _spelt(audit, cut)
        return (spelt, [(culprit, "chosen here, without gradient")]) if spelt is not None else (culprit, [])

    def advice(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """What to do with that line; else to choose otherwise."""
        return SPELT if _spelt(audit, cut) is not None else self.fix

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


def _spelt(audit: Audit, cut: Cut) -> SourceLine | None:
    """The line in which ones and zeros, or other constants, are made of the choice, where that is another one of the
    same function."""
    stacks, made = audit.record.stacks, [*_until_numbers(audit, cut)]
    frames = [project_stack(stacks, op.stack) for op in (audit.record.ops[cut.op], *made[-1:])]
    is_here = len(frames) > 1 and min(frames) >= 0 and stacks.codes[frames[0]] is stacks.codes[frames[1]]
    return _numbers_again(audit, cut) if is_here and any(_spells(audit, op) for op in made) else None


def _numbers_again(audit: Audit, cut: Cut) -> SourceLine | None:
    """The line in which the first floating values are made of the whole numbers or flags of the cut, where that is
    another one."""
    made = [*_until_numbers(audit, cut)]
    line, here = audit.op_source(made[-1].index) if made else None, audit.op_source(cut.op)
    is_elsewhere = line is not None and here is not None and (line.file, line.line) != (here.file, here.line)
    return line if is_elsewhere else None


def _until_numbers(audit: Audit, cut: Cut) -> Iterator[Op]:
    """What the results of the cut go through on the way to the loss, up to the first operation that makes floating
    values of them; nothing where none does."""
    reaching = audit.graph.reaching
    values, behind, found = audit.record.values, set(audit.record.ops[cut.op].outputs), list[Op]()
    for op in itertools.islice(audit.record.ops, cut.op + 1, None):
        if behind.isdisjoint(op.inputs) or reaching.isdisjoint(op.outputs):
            continue
        found.append(op)
        if any(values[out].floating for out in op.outputs):
            yield from found
            return
        behind.update(op.outputs)


def _spells(audit: Audit, op: Op) -> bool:
    """Whether it makes ones and zeros of indices, or constants of a mask."""
    kind = operations.of(op.name)
    are_constant = not any(audit.record.values[vid].requires_grad for vid in op.inputs)
    return kind.spells or (kind.masks and kind.gradient == "flat" and are_constant)
