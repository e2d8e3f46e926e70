"""What `fxaudit run` says while a long script is recorded: seldom, on a terminal, and never of a short one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fxaudit.cli import main
from fxaudit.run import loop

SCRIPT = """
import torch
from torch import nn

model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(12):
    optimizer.zero_grad()
    model(torch.randn(4, 3)).square().mean().backward()
    optimizer.step()
"""
BACKWARDS = SCRIPT.replace("    optimizer.step()\n", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *options: str) -> list[str]:
    """The lines that fxaudit writes to stderr about its progress."""
    path = tmp_path / "train.py"
    path.write_text(script)
    monkeypatch.setattr("sys.stderr", stream)
    main(["run", "--steps", "4", *options, str(path)])
    return [line for line in stream.getvalue().splitlines() if "recorded" in line]


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is a long one."""
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0.0)


@pytest.mark.usefixtures("always")
def test_a_long_run_names_each_step_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = told(SCRIPT, tmp_path, monkeypatch, Terminal())
    assert lines == [
        "fxaudit: step 1 of 4 recorded",
        "fxaudit: step 2 of 4 recorded",
        "fxaudit: step 3 of 4 recorded",
        "fxaudit: step 4 of 4 recorded",
        "fxaudit: enough was recorded",
    ]


@pytest.mark.usefixtures("always")
def test_a_loop_without_steps_counts_backwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = told(BACKWARDS, tmp_path, monkeypatch, Terminal())
    assert lines[:2] == ["fxaudit: backward 2 recorded", "fxaudit: backward 3 recorded"]


@pytest.mark.usefixtures("always")
def test_nothing_is_said_where_nobody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(SCRIPT, tmp_path, monkeypatch, io.StringIO()) == []
    assert told(SCRIPT, tmp_path, monkeypatch, Terminal(), "--quiet") == []


def test_a_short_run_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 3600.0)
    assert told(SCRIPT, tmp_path, monkeypatch, Terminal()) == []


WAITS = """
import torch
from torch import nn

model = nn.ModuleDict({"body": nn.Linear(3, 2), "extra": nn.Linear(2, 1)})
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(90):
    optimizer.zero_grad()
    hidden = model["body"](torch.randn(4, 3))
    (hidden if step < 70 else model["extra"](hidden)).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.usefixtures("always")
def test_what_is_waited_for_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, stream = tmp_path / "train.py", Terminal()
    path.write_text(WAITS)
    monkeypatch.setattr("sys.stderr", stream)
    main(["run", str(path)])
    lines = stream.getvalue().splitlines()
    assert "fxaudit: step 1 of at most 50 recorded" in lines
    assert "fxaudit: enough was recorded of the rest; waiting for `extra.*` to train" in lines
