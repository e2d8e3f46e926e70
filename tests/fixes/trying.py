"""Scripts given as text, mended; the trials run in forked copies of the test's own process."""

from __future__ import annotations

import json
import os
import runpy
import textwrap
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from fxaudit.answer.finding import Patch
from fxaudit.run.copy import in_copy
from fxaudit.run.mending import Mended, Texts, mend
from fxaudit.run.trial import Trials, report_on
from tests.scripts import judged

__all__ = ["InForks", "best", "mended", "unchanged"]

HEAD = """
import math
import torch
from torch import nn
import torch.nn.functional as F
torch.manual_seed(0)
x, y = torch.randn(8, 4), torch.randn(8, 1)
"""


class InForks(Trials):
    """The trials without a process that imports torch anew."""

    def _asked(self, request: str) -> dict[str, Any]:
        asked = json.loads(request)
        begun = time.monotonic()
        report, why = in_copy(lambda: report_on(asked), asked["seconds"])
        late = report is None and time.monotonic() - begun > asked["seconds"] - 0.5
        return {"report": report, "why": f"it did not end within {asked['seconds']:.0f} seconds" if late else why}


def mended(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Mended:
    """The script `text` after its report and its trials; the file stays as it was."""
    monkeypatch.chdir(folder)
    whole = HEAD + textwrap.dedent(text)
    report = judged(folder, whole)
    with InForks([str(folder / "script.py")]) as trials:
        found = mend(report, trials, Texts(time.time() + 1))
    assert (folder / "script.py").read_text("utf-8") == whole
    return found


def best(found: Mended) -> Patch:
    """The patch of the first finding that has one."""
    return next(finding.patch for finding in found.report.findings if finding.patch is not None)


def unchanged(path: Path) -> list[str]:
    """The parameters of `model` that a plain run of the script leaves as they were when `START` was taken."""

    def work() -> str:
        warnings.simplefilter("ignore")
        os.chdir(path.parent)
        ran = runpy.run_path(str(path))
        after = dict(ran["model"].named_parameters())
        return json.dumps([name for name, value in ran["START"].items() if torch.equal(value, after[name].detach())])

    answer, why = in_copy(work, seconds=60.0)
    assert answer is not None, why
    names: list[str] = json.loads(answer)
    return names
