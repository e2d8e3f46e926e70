"""The report as a JSON file, which every other form can be made from later."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fxaudit.report import Report

__all__ = ["render"]


def render(report: Report) -> str:
    """The report as JSON text; `fxaudit/schema.json` describes it."""
    return report.to_json(indent=1) + "\n"
