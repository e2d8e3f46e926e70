"""A script given as text, judged by `fxaudit run` in a forked copy of this process."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

from fxaudit.answer.finding import Finding
from fxaudit.report import Report
from fxaudit.run.copy import in_copy

__all__ = ["codes", "judged", "line_of", "verdicts"]


LOOP = """
for epoch in range(4):
    loss = compute()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
"""The training of a script that has an `optimizer` and a `compute()` for the loss."""


def judged(folder: Path, text: str, **options: Any) -> Report:
    """The report on the script `text`, run in `folder`."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(text), encoding="utf-8")

    def work() -> str:
        from fxaudit.run.script import run_script

        os.chdir(folder)
        return run_script([str(script)], **options).to_json()

    answer, why = in_copy(work, seconds=100.0)
    assert answer is not None, why
    return Report.from_json(answer)


def verdicts(report: Report) -> dict[str, str]:
    """The verdict of each parameter."""
    return {name: parameter.verdict for name, parameter in report.parameters.items()}


def codes(report: Report) -> list[str]:
    """The codes of the findings, in order."""
    return [finding.code for finding in report.findings]


def line_of(finding: Finding) -> str:
    """The text of the line that is blamed."""
    return finding.culprit.code if finding.culprit is not None else ""
