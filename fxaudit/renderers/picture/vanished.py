"""Gradients that are exactly zero: which operation makes them so, as far as the findings say it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from fxaudit.answer.answer import ParameterReport
from fxaudit.answer.finding import Finding
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.path import Stop

__all__ = ["all_zero", "norm_of", "zero_lines", "zero_until"]


def all_zero(parameters: Iterable[ParameterReport]) -> bool:
    """Whether gradient reaches some of them, and was exactly zero at all of those."""
    states = {parameter.gradient.state for parameter in parameters if parameter.requires_grad}
    return "zero" in states and states <= {"zero", "none"}


def norm_of(parameters: Iterable[ParameterReport]) -> float | None:
    """The 2-norm of all their gradients together; None where one of them is not known."""
    norms = [parameter.gradient.norm for parameter in parameters if parameter.gradient.state == "finite"]
    known = [norm for norm in norms if norm is not None]
    return math.hypot(*known) if known and len(known) == len(norms) else None


def zero_lines(finding: Finding) -> list[SourceLine]:
    """The lines at which the gradient may have become zero, the likeliest first."""
    return [line for line in (finding.culprit, *(related.source for related in finding.related)) if line is not None]


def zero_until(stops: Sequence[Stop], finding: Finding | None) -> int:
    """How many arrows, from the parameter on, carry a gradient that is exactly zero: up to the operation to blame.

    Of several operations on its line the finding names one; else it is the first, before which all is zero.
    """
    for line in zero_lines(finding) if finding is not None else ():
        there = [
            number
            for number, stop in enumerate(stops)
            if stop.step.source is not None and (stop.step.source.file, stop.step.source.line) == (line.file, line.line)
        ]
        if there:
            named = set(re.findall(r"`([^`]+)`", finding.message if finding is not None else ""))
            return 1 + next((number for number in there if stops[number].step.label in named), there[0])
    return 1 if stops else 0
