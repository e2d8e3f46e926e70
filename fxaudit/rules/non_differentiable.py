"""FXA108."""

from __future__ import annotations

from fxaudit.graph import Cut
from fxaudit.rule import Audit
from fxaudit.rules.cuts import CutRule
from fxaudit.verdict import ParameterState

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
        return f"`{audit.record.ops[cut.op].name}` has no gradient, and {audit.names(states)} has no other way"
