"""`t = decay * t + …` in a loop over parameters gives the loop's variable a value, and no parameter one."""

from __future__ import annotations

from pathlib import Path

import pytest

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
