"""The parameters as JSON for the page's table: columns of numbers, and what they have in common told once."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fxaudit.answer.answer import VERDICTS, Answer, ParameterReport
from fxaudit.answer.noise import noise_only
from fxaudit.renderers.html.columns import named, sizes, spans, whole
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

    `names`, `kind`, `gradient`, `change` and `update` are columns in the report's order: the name, an index of `kinds`,
    the norm of the gradient, that of what a step changed and its share of the value. A kind is what parameters have in
    common: the indices of verdict, shape, number of elements, dtype, param groups, states of gradient and change,
    reason, culprit and module type; then the findings' numbers, and the index of the line that froze it and those of
    what happened to it, where something is wrong with it. `titles` says what the boxes are called, `closed` which
    modules those are that have others inside.
    """
    position = {name: number for number, name in enumerate(report.parameters)}
    kinds = _Kinds(report)
    of = [kinds.of(parameter) for parameter in report]
    return {
        "verdicts": [[v, look(v).symbol, look(v).meaning, SEVERITY.index(v)] for v in VERDICTS],
        "strings": list(kinds.strings),
        "kinds": [list(kind) for kind in kinds.known],
        "names": named(list(report.parameters)),
        "kind": whole(of),
        "gradient": sizes(p.gradient.norm for p in report),
        "change": sizes(p.change.norm for p in report),
        "update": sizes(update_ratio(p) for p in report),
        "boxes": {box: spans(_in_spans([position[n] for n in names if n in position])) for box, names in boxes.items()},
        "titles": {box: title for box, title in (titles or {}).items() if box in boxes},
        "closed": dict(closed or {}),
    }


Kind = tuple[int | tuple[int, ...], ...]


class _Kinds:
    """What the parameters of a report have in common, and the strings in it."""

    def __init__(self, report: Answer) -> None:
        self.strings: dict[str, int] = {}
        self.known: dict[Kind, int] = {}
        self.findings = {id(finding): number for number, finding in enumerate(report.findings)}
        self.noise = noise_only(report)
        unwell = (p.name for p in report if p.verdict not in HAPPY)
        self.unwell = frozenset(itertools.islice(unwell, LIVES))
        self.shape = functools.cache(lambda shape: self._index("×".join(map(str, shape)) or "scalar"))
        self.holders = functools.cache(lambda held: self._index(", ".join(f"{h.optimizer}[{h.group}]" for h in held)))
        self.line = functools.cache(lambda line: self._index(f"{place(line)}: {line.code}" if line else ""))

    def _index(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def of(self, parameter: ParameterReport) -> int:
        """The number of the parameter's kind."""
        p, findings = parameter, self.findings
        kind = (
            VERDICTS.index(p.verdict),
            self.shape(p.shape),
            p.numel,
            self._index(p.dtype),
            self.holders(p.held_by),
            self._index("rounding noise" if p.name in self.noise else p.gradient.state),
            self._index(p.change.state),
            self._index(p.reason),
            self.line(p.culprit),
            self._index(p.module_type),
            tuple(findings[id(f)] for f in p.findings if id(f) in findings) if p.findings else (),
            self.line(p.frozen_at),
            tuple(self._index(str(event)) for event in p.life) if p.name in self.unwell else (),
        )
        return self.known.setdefault(kind, len(self.known))


def encoded(data: object) -> str:
    """`data` as JSON that may stand inside a script element: nothing in it can end the element or a line."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _in_spans(numbers: list[int]) -> list[list[int]]:
    """Numbers as [first, one past the last] spans."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number:
            found[-1][1] = number + 1
        else:
            found.append([number, number + 1])
    return found
