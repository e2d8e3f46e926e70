"""A script given as text, judged by `fxaudit run` in a forked copy of this process."""

from __future__ import annotations

import gc
import os
import textwrap
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fxaudit.answer.finding import Finding
from fxaudit.report import Report
from fxaudit.run.copy import in_copy

__all__ = ["LOOP", "codes", "judged", "left_alone", "line_of", "verdicts"]


LOOP = """
for epoch in range(4):
    loss = compute()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
"""The training of a script that has an `optimizer` and a `compute()` for the loss."""


def left_alone(text: str) -> float:
    """The share of the parameters that plain training, without fxaudit, leaves bit for bit as they were.

    The script trains in its last loop, `for epoch in …`; what is in the current directory it can read.
    """
    program: dict[str, Any] = {"__name__": "script"}
    before_it, _, loop = text.rpartition("\nfor epoch in ")
    others = [tensor for tensor in gc.get_objects() if type(tensor) is nn.Parameter]
    known = set(map(id, others))
    exec(before_it, program)
    if "compute" in program:
        program["compute"]()  # what is made in the first call is there now
    own = [tensor for tensor in gc.get_objects() if type(tensor) is nn.Parameter and id(tensor) not in known]
    before = [parameter.detach().clone() for parameter in own]
    exec(f"for epoch in {loop}", program)
    return sum(torch.equal(parameter, old) for parameter, old in zip(own, before, strict=True)) / len(own)


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
