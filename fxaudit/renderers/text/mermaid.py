"""The way of a finding's parameters to the loss as a Mermaid flowchart, which GitHub draws.

Labels are data: every character that could mean something to Mermaid or to HTML is written as its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fxaudit.renderers.text.operation_names import step_name
from fxaudit.renderers.text.wording import ENDS, counted, inert, path_stations, zeroing

if TYPE_CHECKING:
    from fxaudit.answer.finding import Finding, PathStep

__all__ = ["mermaid"]

LONGEST = 60
_SPECIAL = re.compile(r"[^\w .,:/]")
_CUT = "stroke:#cf222e,stroke-width:3px"


def mermaid(finding: Finding, parameters: str) -> list[str]:
    """The lines of a flowchart from `parameters` to the loss; none where gradient neither ends on the way nor becomes
    zero."""
    zero = zeroing(finding.path)
    if zero is None and not any(step.kind in ENDS for step in finding.path):
        return []
    nodes, arrows, cuts = [f"p[{_label(parameters)}]"], list[str](), list[int]()
    blamed = ""
    last, dead, is_zero = "p", False, zero is not None
    for number, (text, kind, where, step) in enumerate(_stations(finding)):
        node = f"n{number}"
        nodes.append(f"{node}([{_label(text)}])" if kind == "loss" else f"{node}[{_label(text)}]")
        ends = kind in ENDS and not dead
        text = (
            f"✂ {ENDS[kind]}{where}" if ends else "0" if is_zero else f"{step.norm:.3g}" if step and step.norm else ""
        )
        alive = not dead or bool(step and step.norm)
        arrows.append(
            f"{last} {'==>' if ends else '-->' if alive else '-.->'}{f'|{_label(text)}|' if text else ''} {node}"
        )
        if ends or is_zero:
            cuts.append(len(arrows) - 1)
        if ends or (step is not None and step is zero):
            blamed = blamed or node
        last, dead, is_zero = node, dead or ends, is_zero and step is not zero
    styles = [f"linkStyle {number} {_CUT}" for number in cuts]
    styles.append(f"style {blamed} {_CUT}")
    return ["flowchart TD", *(f"    {line}" for line in (*nodes, *arrows, *styles))]


def _stations(finding: Finding) -> Iterator[tuple[str, str, str, PathStep | None]]:
    """What stands in each box behind the parameters, its kind, where it is in the code, and the station itself."""
    for station in path_stations(finding.path):
        if isinstance(station, int):
            yield f"… {counted(station, 'operation')} …", "operation", "", None
        elif station.kind not in ("optimizer", "parameter"):
            yield step_name(station), station.kind, f", {station.source}" if station.source else "", station


def _label(text: str) -> str:
    shown = inert(text)
    shown = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    return '"' + _SPECIAL.sub(lambda found: f"#{ord(found[0])};", shown) + '"'
