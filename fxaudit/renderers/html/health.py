"""How the parameters fare in numbers: what was checked, and each one's gradient and update as a colour."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from fxaudit.answer.answer import Answer, ParameterReport
from fxaudit.answer.noise import noise_only
from fxaudit.renderers.picture.svg import SVG
from fxaudit.renderers.text.wording import counted, inert

__all__ = ["COLORS", "Extreme", "Health", "Strip", "gradient_size", "health_of", "update_ratio"]

CELLS = 400
"""Cells of a strip: of more parameters several in a row share one."""
COLORS = 8
WIDTH, CELL = 1000, 26

Measure = Callable[[ParameterReport], "float | None"]
Cell = float | Literal["noise"] | None

MARKS = {"kz": "exactly zero", "kr": "rounding noise alone", "kn": "none, or not known"}
"""What a cell has for a colour where it has no size."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """The parameter that has the smallest or the largest of something."""

    what: str
    name: str
    row: int
    value: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A measure of all parameters, in the model's order: a picture, and (lower end, upper end) of its colours.

    `marks` are what its cells are but colours: class and meaning.
    """

    title: str
    about: str
    picture: Markup
    low: str
    high: str
    extremes: tuple[Extreme, ...]
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """What was checked in sentences, and the strips."""

    checked: tuple[str, ...]
    strips: tuple[Strip, ...]


def gradient_size(parameter: ParameterReport) -> float | None:
    """The root mean square of the elements of its gradient; None where that is not known or there is none."""
    norm, state = parameter.gradient.norm, parameter.gradient.state
    if state == "zero":
        return 0.0
    return norm / math.sqrt(parameter.numel) if norm is not None and state == "finite" and parameter.numel else None


def update_ratio(parameter: ParameterReport) -> float | None:
    """How much of its value's norm the last step that moved it changed; None where either is not known."""
    change, norm = parameter.change.norm, parameter.norm
    return change / norm if change is not None and norm else None


def health_of(report: Answer) -> Health | None:
    """The numbers of a report; None where nothing was measured."""
    noise = noise_only(report)
    gradient = "root mean square of the elements of each parameter's gradient"
    update = "norm of the last change, by the norm of the value"
    strips = [
        strip
        for strip in (
            _strip(report, "Gradient", gradient, gradient_size, noise),
            _strip(report, "Update", update, update_ratio, set()),
        )
        if strip is not None
    ]
    checked = tuple(_checked(report, len(noise)))
    return Health(checked, tuple(strips)) if strips and checked else None


def _checked(report: Answer, noise: int) -> Iterable[str]:
    steps = max((parameter.steps for parameter in report), default=0)
    if steps:
        yield f"{counted(len(report), 'parameter')} in {counted(steps, 'recorded step')}"
    held = sum(bool(parameter.held_by) for parameter in report)
    if report.optimizers:
        yield f"{counted(len(report.optimizers), 'optimizer')}, {held:,} of {len(report):,} parameters held"
    states = [parameter.gradient.state for parameter in report]
    yield f"finite gradients for {states.count('finite'):,}" + (
        f", of rounding noise alone for {noise:,}" if noise else ""
    )
    if states.count("zero"):
        yield f"gradients of exactly zero for {states.count('zero'):,}"
    if states.count("nonfinite"):
        yield f"gradients that are not finite for {states.count('nonfinite'):,}"
    moved = sum(parameter.change.state == "changed" for parameter in report)
    yield f"values of {moved:,} parameters changed"


def _strip(report: Answer, title: str, about: str, measure: Measure, noise: Collection[str]) -> Strip | None:
    """A measure as a picture; what is mere noise has no colour: the scale is that of what can be learnt from."""
    names = list(report.parameters)
    values: list[Cell] = ["noise" if parameter.name in noise else measure(parameter) for parameter in report]
    rows = [(value, row) for row, value in enumerate(values) if isinstance(value, float) and value]
    if not rows:
        return None
    low, high = min(rows)[0], max(rows)[0]
    extremes = tuple(
        Extreme(what, names[row], row, f"{value:.2g}")
        for what, (value, row) in (("smallest", min(rows)), ("largest", max(rows)))
    )
    cells = _cells(names, values, low, high)
    marks = tuple((kind, meaning) for kind, meaning in MARKS.items() if any(cell.kind == kind for cell in cells))
    return Strip(title, about, _picture(cells, title, low, high), f"{low:.2g}", f"{high:.2g}", extremes, marks)


def color(value: float, low: float, high: float) -> int:
    """The number of the colour of a value: by its logarithm between the smallest and the largest."""
    if high <= low:
        return COLORS - 1
    share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    return min(COLORS - 1, int(share * COLORS))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A cell: its class, and what is said of it."""

    kind: str
    said: str


def _cells(names: Sequence[str], values: Sequence[Cell], low: float, high: float) -> list[_Drawn]:
    per_cell = -(-len(names) // CELLS)
    found = []
    for first in range(0, len(names), per_cell):
        rows = range(first, min(first + per_cell, len(names)))
        # Of several the smallest counts: it is the one that may not learn.
        known = [size for row in rows if isinstance(size := values[row], float)]
        value = min(known, default=None)
        if value is None:
            kind = "kr" if any(values[row] == "noise" for row in rows) else "kn"
        else:
            kind = "kz" if value == 0 else f"k{color(value, low, high)}"
        said = MARKS[kind] if value is None else f"{value:.2g}"
        whose = names[first] if len(rows) == 1 else f"{names[first]} … {names[rows[-1]]}, the smallest"
        found.append(_Drawn(kind, f"{whose}: {said}"))
    return found


def _picture(cells: Sequence[_Drawn], title: str, low: float, high: float) -> Markup:
    width = min(40.0, WIDTH / len(cells))
    parts = [
        f'<rect class="{cell.kind}" x="{number * width:.2f}" y="0" width="{max(1.0, width - 1):.2f}" height="{CELL}">'
        f"<title>{html.escape(inert(cell.said))}</title></rect>"
        for number, cell in enumerate(cells)
    ]
    label = html.escape(f"{title} of the parameters, from {low:.2g} to {high:.2g}")
    full = width * len(cells)
    return Markup(
        f'<svg xmlns="{SVG}" class="strip" viewBox="0 0 {full:.1f} {CELL}" width="{full:.0f}" height="{CELL}" '
        f'preserveAspectRatio="none" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )
