"""A script that dies before its first backward has said nothing about its training."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.report import Report
from fxaudit.run.script import run_script

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


CRASHES = """
import torch
from torch import nn

def batch(step):
    return torch.randn(5, 8 if step < 2 else 9)

def loss_of(model, x):
    return model(x).square().mean()  # the user's own line

model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss_of(model, batch(step)).backward()
    optimizer.step()
"""


def test_a_crash_is_told_first_with_its_step_and_the_users_own_line(tmp_path: Path) -> None:
    from fxaudit.report import Report
    from fxaudit.run.script import run_script

    path = tmp_path / "crash.py"
    path.write_text(CRASHES, encoding="utf-8")
    report = run_script([str(path)])
    assert report.crash is not None and report.crash.source is not None
    assert report.crash.step == 3
    assert report.crash.source.code.endswith("# the user's own line")
    assert report.summary.startswith("Crashed in step 3 at ")
    assert "until then all 4 parameters were updated" in report.summary
    assert "will be updated" not in report.summary
    again = Report.from_json(report.to_json())
    assert again.crash == report.crash
    assert again.summary == report.summary


def test_no_form_of_the_report_shows_a_crash_as_success(tmp_path: Path) -> None:
    from fxaudit.renderers import RENDERERS, render
    from fxaudit.run.script import run_script

    path = tmp_path / "crash.py"
    path.write_text(CRASHES, encoding="utf-8")
    report = run_script([str(path)])
    for renderer in RENDERERS:
        if renderer.name in ("terminal", "html", "markdown", "github", "junit", "sarif"):
            text = str(render(report, renderer.name))
            assert "rashed in step 3" in " ".join(text.split()), renderer.name
            assert "✓" not in text.partition("</h1>")[0], renderer.name
    assert "✓" not in report._repr_html_().partition("</p>")[0]


def test_a_crash_after_the_recording_names_no_step(tmp_path: Path) -> None:
    from fxaudit.run.script import run_script

    path = tmp_path / "crash.py"
    path.write_text(CRASHES.replace("step < 2", "step < 8"), encoding="utf-8")
    report = run_script([str(path)], to_end=True)
    assert report.crash is not None
    assert report.crash.step == 0
    assert report.summary.startswith("Crashed at ")
