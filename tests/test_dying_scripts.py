"""A script that dies before its first backward has said nothing about its training."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.report import Report
from fxaudit.runner import run_script

SCRIPT = """
import torch
from torch import nn

model = nn.Linear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(5):
    optimizer.zero_grad()
    {body}
raise FileNotFoundError("results.csv")
"""


def run(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT.format(body=body))
    return run_script(["train.py"])


def test_a_forward_that_raises_is_no_missing_backward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = run("model(torch.randn(2, 4)).sum().backward(); optimizer.step()", tmp_path, monkeypatch)
    assert {p.name: (p.verdict, p.reason) for p in report} == {
        "weight": ("unknown", "the script died before its first backward"),
        "bias": ("unknown", "the script died before its first backward"),
    }
    assert report.findings == ()
    assert report.script_exit.startswith("RuntimeError: mat1 and mat2")


def test_steps_without_a_backward_are_judged_although_the_script_dies_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = run("loss = model(torch.randn(2, 3)).sum(); optimizer.step()", tmp_path, monkeypatch)
    assert {p.verdict for p in report} == {"blocked"}
    assert [f.code for f in report.findings] == ["FXA402"]
    assert report.script_exit == "FileNotFoundError: results.csv"
