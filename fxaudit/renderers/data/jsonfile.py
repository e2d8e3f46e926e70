"""The report as a JSON file, which every other form can be made from later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxaudit.answer.document import to_text

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer

__all__ = ["render"]


def render(report: Answer) -> str:
    """The report as JSON text, a list of plain values on one line; `fxaudit/schema.json` describes it."""
    lines: list[str] = []
    # No string ends with a bracket here, a quote or a comma follows it: such a line opens a list.
    opened = -1
    for line in to_text(report, indent=1).split("\n"):
        stripped = line.strip()
        if stripped.startswith("]") and opened >= 0:
            joined = " ".join(item.strip() for item in lines[opened + 1 :])
            lines[opened:] = [f"{lines[opened]}{joined}{stripped}"]
            opened = -1
            continue
        lines.append(line)
        if line.endswith("["):
            opened = len(lines) - 1
        elif line.endswith("{") or stripped.startswith(("}", "]")):
            opened = -1
    return "\n".join(lines) + "\n"
