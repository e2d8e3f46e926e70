"""Beside a run, the trace of the structure says of what no recorded step used whether another way would use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.answer.answer import SymbolicReport
from fxaudit.run import consulted
from tests.scripts import judged

LOG: list[Any] = []


class Chosen(nn.Module):
    """Uses its second layer for long batches, by a name that the source does not tell."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        LOG.append(x)
        hidden = self.first(x)
        for _ in range(x.shape[0] - 3):
            hidden = getattr(self, "sec" + "ond")(hidden)  # the other way
        return hidden


def audited(model: nn.Module) -> fxaudit.Report:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return fxaudit.audit(model, lambda: model(torch.ones(3, 4)).square().sum(), optimizer)


def finding_of(report: fxaudit.Report, name: str) -> Any:
    return next(finding for finding in report.findings if name in finding.parameters)


def test_what_another_batch_would_use_has_the_line_that_uses_it() -> None:
    LOG.clear()
    report = audited(Chosen())
    assert report.symbolic.status == "traced"
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    (other,) = [one for one in finding_of(report, "second.weight").related if "another way" in one.role]
    assert lines[other.source.line - 1].endswith("# the other way")
    assert not [one for one in finding_of(report, "third.weight").related if "another way" in one.role]
    assert not [one for one in LOG if type(one) is not torch.Tensor], "the trace ran in this process"
    (same,) = [one for one in report["second.weight"].findings if one.code == "FXA101"]
    assert same == finding_of(report, "second.weight")


def test_a_run_that_leaves_nothing_open_is_not_traced_and_says_so() -> None:
    report = audited(nn.Sequential(nn.Linear(4, 4)))
    assert report.symbolic == SymbolicReport("skipped", "what ran settles every parameter")
    assert "symbolic trace" not in str(report)
    assert fxaudit.Report.from_json(report.to_json()).symbolic == report.symbolic


def test_a_script_is_traced_too(tmp_path: Path) -> None:
    report = judged(
        tmp_path,
        """
import torch
from torch import nn


class Chosen(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        print("forward")
        hidden = self.first(x)
        for _ in range(x.shape[0] - 3):
            hidden = getattr(self, "sec" + "ond")(hidden)  # the other way
        return hidden


model = Chosen()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(3, 4)).square().sum().backward()
    optimizer.step()
""",
    )
    assert report.symbolic.status == "traced"
    assert [one.source.line for one in finding_of(report, "second.weight").related if "another way" in one.role] == [15]


def test_a_model_too_large_or_a_process_that_cannot_be_copied_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consulted, "MAX_MODULES", 2)
    report = audited(Chosen())
    assert (report.symbolic.status, "4 modules" in report.symbolic.reason) == ("skipped", True)
    monkeypatch.setattr(consulted, "MAX_MODULES", 2000)
    monkeypatch.setattr(consulted, "can_fork", lambda: False)
    report = audited(Chosen())
    assert "cannot be copied" in report.symbolic.reason
    assert "The symbolic trace was skipped: the process cannot be copied" in str(report)
