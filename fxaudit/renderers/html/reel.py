"""The recorded steps as numbers: of each param group the rate, the norm of its gradients and that of its change."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fxaudit.answer.answer import Answer, Movement
from fxaudit.renderers.picture.canvas import Bands, group_name
from fxaudit.renderers.picture.svg import SVG
from fxaudit.renderers.text.wording import inert

__all__ = ["Reel", "StepRow", "reel_of"]

GROUPS = 8
"""Param groups that are shown: the first ones."""
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 380, 130, 58, 24, 30, 20

LEAST = 1.25
"""The range of a chart goes from its lower end to at least so many times that."""

Measure = Callable[[Movement], float | None]
MEASURES: tuple[tuple[str, Measure], ...] = (
    ("learning rate", lambda moved: moved.rate),
    ("norm of the gradients", lambda moved: moved.norm),
    ("norm of the change", lambda moved: moved.change),
)


@dataclass(frozen=True, slots=True)
class StepRow:
    """What one step did to one group, as text."""

    step: int
    letter: str
    band: int
    group: str
    rate: str
    norm: str
    change: str
    changed: str
    is_still: bool


@dataclass(frozen=True, slots=True)
class Reel:
    """The charts, the rows of all steps, and how many groups there are besides."""

    charts: Markup
    rows: tuple[StepRow, ...]
    steps: int
    more: int


def reel_of(report: Answer) -> Reel | None:
    """The numbers of the recorded steps; None where there are none."""
    known = dict.fromkeys((m.optimizer, m.group) for step in report.steps for m in step.movements)
    bands = Bands.from_report(report)
    groups = [key for key in bands.of if key in known]
    shown = groups[:GROUPS]
    if not shown:
        return None
    letters = {key: bands.of[key][0] for key in shown}
    numbers = {key: number for number, key in enumerate(bands.of)}
    # The rate has a column of its own: the group is not named by the last one.
    named = {key: group_name(*key, report.optimizers, rated=False) for key in shown}
    rows = tuple(
        _row(step, moved, letters, named, numbers[moved.optimizer, moved.group])
        for step, report_of in enumerate(report.steps, 1)
        for moved in report_of.movements
        if (moved.optimizer, moved.group) in letters
    )
    charts = "".join(_chart(report, title, measure, letters) for title, measure in MEASURES)
    return Reel(Markup(charts), rows, len(report.steps), len(groups) - len(shown))


def _row(
    step: int, moved: Movement, letters: dict[tuple[str, int], str], named: dict[tuple[str, int], str], number: int
) -> StepRow:
    group = (moved.optimizer, moved.group)
    return StepRow(
        step,
        letters[group],
        number % 6,
        named[group],
        _said(moved.rate),
        _said(moved.norm),
        _said(moved.change),
        f"{moved.changed:,} of {moved.parameters:,}",
        not moved.changed,
    )


def _said(number: float | None) -> str:
    return "–" if number is None else f"{number:.3g}"


def _chart(report: Answer, title: str, measure: Measure, letters: dict[tuple[str, int], str]) -> str:
    lines: dict[str, list[tuple[int, float]]] = {letter: [] for letter in letters.values()}
    for step, of in enumerate(report.steps):
        for moved in of.movements:
            value = measure(moved)
            if (moved.optimizer, moved.group) in letters and value is not None:
                lines[letters[moved.optimizer, moved.group]].append((step, value))
    scale = _Scale([value for line in lines.values() for _, value in line], len(report.steps))
    label = html.escape(f"{title} over {len(report.steps)} recorded steps, {scale.said}")
    parts = [f'<text x="{LEFT}" y="14" class="t">{html.escape(title)}</text>']
    parts += [f'<text x="{LEFT - 6}" y="{scale.y(v) + 4:.1f}" class="a">{_said(v)}</text>' for v in scale.ticks]
    parts += [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{scale.y(v):.1f}" y2="{scale.y(v):.1f}" class="rule"/>'
        for v in scale.ticks
    ]
    at = scale.x(0)
    parts.append(f'<line class="cursor" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 4}" y2="{HEIGHT - BOTTOM + 4}"/>')
    taken: list[float] = []
    for number, (letter, line) in enumerate(lines.items()):
        parts += _line(number, letter, line, scale, taken)
    ends = ((0, "1"), (len(report.steps) - 1, str(len(report.steps))))
    parts += [
        f'<text x="{scale.x(step):.1f}" y="{HEIGHT - 4}" class="m">{text}</text>' for step, text in dict(ends).items()
    ]
    return (
        f'<svg xmlns="{SVG}" class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{inert(label)}" data-left="{scale.x(0):.1f}" data-step="{scale.step:.3f}">'
        f"{''.join(parts)}</svg>"
    )


def _line(number: int, letter: str, line: Sequence[tuple[int, float]], scale: _Scale, taken: list[float]) -> list[str]:
    points = [(scale.x(step), scale.y(value)) for step, value in line]
    if not points:
        return []
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>' for x, y in points)
    x, y = points[-1]
    below = y
    while any(abs(below - other) < 11 for other in taken):
        below += 11
    taken.append(below)
    return [
        f'<g class="series d{number % 4}"><polyline points="{way}"/>{dots}'
        f'<text x="{x + 7:.1f}" y="{below + 4:.1f}">{html.escape(letter)}</text></g>'
    ]


class _Scale:
    """Where steps and values stand: values by their logarithm, zeros at the bottom."""

    def __init__(self, values: Sequence[float], steps: int) -> None:
        positive = [value for value in values if value > 0]
        self.low, self.high = (min(positive), max(positive)) if positive else (0.0, 0.0)
        self.has_zero = any(value <= 0 for value in values)
        self.step = (WIDTH - LEFT - RIGHT) / max(1, steps - 1)
        ends = {_said(value): value for value in (self.low, self.high) if value}
        self.ticks = sorted({*([0.0] if self.has_zero or not positive else []), *ends.values()})
        # What hardly varies is drawn flat: the noise of a clipped norm is no valley.
        self.range = max(math.log(self.high) - math.log(self.low), math.log(LEAST)) if positive else 1.0
        self.said = f"from {_said(min(values))} to {_said(max(values))}" if values else "not known"

    def x(self, step: int) -> float:
        """Where a step stands."""
        return LEFT + self.step * step

    def y(self, value: float) -> float:
        """Where a value stands."""
        bottom, top = HEIGHT - BOTTOM, TOP
        if value <= 0:
            return bottom
        floor = bottom - 18 if self.has_zero else bottom
        middle = (math.log(self.low) + math.log(self.high)) / 2
        share = 0.5 + (math.log(value) - middle) / self.range
        return floor - share * (floor - top)
