"""The parameters as JSON for the page's table: columns of indices into one list of strings."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fxaudit.answer.answer import VERDICTS, Answer, ParameterReport
from fxaudit.answer.noise import noise_only
from fxaudit.renderers.html.health import update_ratio
from fxaudit.renderers.picture.palette import HAPPY, SEVERITY, look
from fxaudit.renderers.text.wording import place

__all__ = ["encoded", "table_data"]

LIVES = 2000
"""Parameters whose lives are told; those that share a cause share most of theirs."""


def table_data(
    report: Answer,
    boxes: Mapping[str, Sequence[str]],
    titles: Mapping[str, str] | None = None,
    closed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What the table shows, small enough for 100,000 rows, and which rows each box of a picture stands for.

    `rows` holds one list per parameter, in the report's order: name, then the indices of verdict, shape, number of
    elements, dtype, param groups, gradient, change, reason, culprit and module type; then the findings' numbers, and
    the index of the line that froze it and those of what happened to it, where something is wrong with it; then the
    norm of the gradient and the share of its value that a step changed, None where not known. `titles` says what the
    boxes are called, `closed` which modules those are that have others inside.
    """
    strings: dict[str, int] = {}

    def index(text: str) -> int:
        return strings.setdefault(text, len(strings))

    shape_of = functools.cache(lambda shape: index("×".join(map(str, shape)) or "scalar"))
    holders_of = functools.cache(lambda held: index(", ".join(f"{h.optimizer}[{h.group}]" for h in held)))
    finding_numbers = {id(finding): number for number, finding in enumerate(report.findings)}
    noise = noise_only(report)
    unwell = {p.name for p in itertools.islice((p for p in report if p.verdict not in HAPPY), LIVES)}
    position = {name: number for number, name in enumerate(report.parameters)}
    rows = [
        [
            p.name,
            VERDICTS.index(p.verdict),
            shape_of(p.shape),
            p.numel,
            index(p.dtype),
            holders_of(p.held_by),
            index(_gradient(p, p.name in noise)),
            index(_change(p)),
            index(p.reason),
            index(f"{place(p.culprit)}: {p.culprit.code}" if p.culprit else ""),
            index(p.module_type),
            [finding_numbers[id(f)] for f in p.findings if id(f) in finding_numbers] if p.findings else [],
            index(f"{place(p.frozen_at)}: {p.frozen_at.code}" if p.frozen_at else ""),
            [index(str(event)) for event in p.life] if p.name in unwell else [],
            _brief(p.gradient.norm),
            _brief(update_ratio(p)),
        ]
        for p in report
    ]
    return {
        "verdicts": [[v, look(v).symbol, look(v).meaning, SEVERITY.index(v)] for v in VERDICTS],
        "strings": list(strings),
        "rows": rows,
        "boxes": {box: _spans([position[n] for n in names if n in position]) for box, names in boxes.items()},
        "titles": {box: title for box, title in (titles or {}).items() if box in boxes},
        "closed": dict(closed or {}),
    }


def encoded(data: object) -> str:
    """`data` as JSON that may stand inside a script element: nothing in it can end the element or a line."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _brief(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.3g}")


def _spans(numbers: list[int]) -> list[list[int]]:
    """Numbers as [first, one past the last] spans."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number:
            spans[-1][1] = number + 1
        else:
            spans.append([number, number + 1])
    return spans


def _gradient(parameter: ParameterReport, is_noise: bool) -> str:
    norm = parameter.gradient.norm
    said = "rounding noise" if is_noise else parameter.gradient.state
    return f"{said}, norm {norm:.3g}" if norm else said


def _change(parameter: ParameterReport) -> str:
    norm = parameter.change.norm
    return f"{parameter.change.state} by {norm:.3g}" if norm else parameter.change.state
