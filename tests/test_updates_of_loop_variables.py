"""`t = decay * t + …` in a loop over parameters gives the loop's variable a value, and no parameter one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.answer.finding import Finding
from fxaudit.report import Report
from tests.scripts import codes, judged, line_of

SCRIPT = """
import copy

import torch
from torch import nn

student = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
teacher = copy.deepcopy(student).requires_grad_(False)
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)


@torch.no_grad()
def follow(decay):
    UPDATE


for _ in range(4):
    x = torch.randn(8, 4)
    loss = (student(x) - teacher(x)).square().mean() + student(x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    follow(0.9)
"""
PAIRS = "for t, s in zip(teacher.parameters(), student.parameters()):\n        "
REBOUND = {
    "both at once": PAIRS + "t = decay * t + (1 - decay) * s  # blamed",
    "one alone": (
        "values = list(student.parameters())\n"
        "    for name, t in teacher.named_parameters():\n"
        "        t = t * decay + values.pop(0) * (1 - decay)  # blamed"
    ),
}
WRITTEN = {
    "in place": PAIRS + "t.mul_(decay).add_(s, alpha=1 - decay)",
    "by data": PAIRS + "t.data = decay * t.data + (1 - decay) * s.data",
    "copied afterwards": PAIRS + "old = t\n        t = decay * t + (1 - decay) * s\n        old.copy_(t)",
}


@pytest.mark.parametrize("update", REBOUND.values(), ids=REBOUND)
def test_the_update_is_blamed(tmp_path: Path, update: str) -> None:
    (finding,) = judged(tmp_path, SCRIPT.replace("UPDATE", update)).findings
    assert (finding.code, finding.level) == ("FXA308", "warning")
    assert line_of(finding).endswith("# blamed")
    assert {name.partition(".")[0] for name in finding.parameters} == {"teacher"}


@pytest.mark.parametrize("update", WRITTEN.values(), ids=WRITTEN)
def test_a_value_that_is_written_has_no_finding(tmp_path: Path, update: str) -> None:
    assert codes(judged(tmp_path, SCRIPT.replace("UPDATE", update))) == []


AVERAGED = """
import copy

import torch
from torch import nn

server = nn.Linear(4, 1)


def locally(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()
    return model.state_dict()


for _ in range(2):
    states = [locally(copy.deepcopy(server)) for _ in range(2)]
    mean = {key: torch.stack([state[key] for state in states]).mean(0) for key in states[0]}
    LOADED
"""
LOST = {
    "at once": "server.state_dict().update(mean)  # blamed",
    "by a name": "held = server.state_dict()\n    held.update(mean)  # blamed",
    "each entry": "held = server.state_dict()\n    for key in held:\n        held[key] = mean[key]  # blamed",
}


def loud(report: Report) -> list[Finding]:
    """The findings that are more than notes: the copies of the server are what trains."""
    return [finding for finding in report.findings if finding.level != "note"]


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_what_is_written_into_a_state_and_not_loaded(tmp_path: Path, lost: str) -> None:
    (finding,) = loud(judged(tmp_path, AVERAGED.replace("LOADED", lost)))
    assert finding.code == "FXA308" and line_of(finding).endswith("# blamed")
    assert finding.fix == "Load it: `server.load_state_dict(…)`."


def test_a_state_that_is_loaded(tmp_path: Path) -> None:
    loaded = "held = server.state_dict()\n    held.update(mean)\n    server.load_state_dict(held)"
    assert loud(judged(tmp_path, AVERAGED.replace("LOADED", loaded))) == []
