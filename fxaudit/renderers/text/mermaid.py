"""The way of a finding's parameters to the loss as a Mermaid flowchart, which GitHub draws.

Labels are data: every character that could mean something to Mermaid or to HTML is written as its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fxaudit.renderers.text.operation_names import step_name
from fxaudit.renderers.text.wording import ENDS, counted, inert, path_stations

if TYPE_CHECKING:
    from fxaudit.answer.finding import Finding

__all__ = ["mermaid"]

LONGEST = 60
_SPECIAL = re.compile(r"[^\w .,:/]")
_CUT = "stroke:#cf222e,stroke-width:3px"


def mermaid(finding: Finding, parameters: str) -> list[str]:
    """The lines of a flowchart from `parameters` to the loss; none where gradient ends nowhere on the way."""
    if not any(step.kind in ENDS for step in finding.path):
        return []
    nodes, arrows, cuts = [f"p[{_label(parameters)}]"], list[str](), list[int]()
    last, dead = "p", False
    for number, (text, kind, where) in enumerate(_stations(finding)):
        node = f"n{number}"
        nodes.append(f"{node}([{_label(text)}])" if kind == "loss" else f"{node}[{_label(text)}]")
        ends = kind in ENDS and not dead
        said = f"|{_label(f'✂ {ENDS[kind]}' + where)}|" if ends else ""
        arrows.append(f"{last} {'-.->' if dead else '==>' if ends else '-->'}{said} {node}")
        if ends:
            cuts.append(len(arrows) - 1)
        last, dead = node, dead or ends
    styles = [f"linkStyle {number} {_CUT}" for number in cuts]
    styles.append(f"style {'n' + str(cuts[0])} {_CUT}")
    return ["flowchart TD", *(f"    {line}" for line in (*nodes, *arrows, *styles))]


def _stations(finding: Finding) -> Iterator[tuple[str, str, str]]:
    """What stands in each box behind the parameters, its kind, and where it is in the code."""
    for station in path_stations(finding.path):
        if isinstance(station, int):
            yield f"… {counted(station, 'operation')} …", "operation", ""
        elif station.kind not in ("optimizer", "parameter"):
            yield step_name(station), station.kind, f", {station.source}" if station.source else ""


def _label(text: str) -> str:
    shown = inert(text)
    shown = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    return '"' + _SPECIAL.sub(lambda found: f"#{ord(found[0])};", shown) + '"'
