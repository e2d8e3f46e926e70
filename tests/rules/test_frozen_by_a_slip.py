"""FXA310 names a line only where that line is what freezes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged

SCRIPT = """
import copy
import torch
from torch import nn

student, teacher = nn.Linear(4, 1), nn.Linear(4, 1)
{freezing}
optimizer = torch.optim.SGD([p for p in student.parameters() if p.requires_grad] or [torch.zeros(1)], lr=0.1)
for _ in range(3):
    x = torch.ones(8, 4)
    optimizer.zero_grad()
    loss = (student(x) - teacher(x)).square().mean()
    if loss.requires_grad:
        loss.backward()
    optimizer.step()
"""

MEANT = {
    "a comparison that has nothing to do with the freeze": """
def flags(module):
    for p in module.parameters():
        p.requires_grad == True


flags(student)
for p in teacher.parameters():
    p.requires_grad = False
""",
    "a comparison of something else in the same function": """
def flags(module):
    module.bias.requires_grad == True


teacher.weight.requires_grad_(False)
teacher.bias.requires_grad_(False)
flags(student)
""",
    "a comparison before the freeze": """
def flags(module):
    for p in module.parameters():
        p.requires_grad == True


flags(teacher)
teacher.requires_grad_(False)
""",
    "a shallow copy of a list": """
parameters = copy.copy(list(teacher.parameters()))
for p in parameters:
    p.requires_grad = False
""",
    "a deep copy": """
teacher = copy.deepcopy(student)
teacher.requires_grad_(False)
""",
    "a flag that the text asks for": """
if bool("yes"):
    teacher.requires_grad_(False)
""",
}


@pytest.mark.parametrize("freezing", MEANT.values(), ids=MEANT)
def test_what_is_frozen_on_purpose_is_no_slip(freezing: str, tmp_path: Path) -> None:
    report = judged(tmp_path, SCRIPT.format(freezing=freezing))
    assert [finding.message for finding in report.findings if finding.code == "FXA310"] == []
    assert {known.verdict for known in report if known.name.startswith("teacher")} == {"frozen"}


def test_a_comparison_behind_the_freeze_is_one(tmp_path: Path) -> None:
    freezing = """
for p in student.parameters():
    p.requires_grad = False
    p.requires_grad == True  # the slip
teacher.requires_grad_(False)
"""
    text = SCRIPT.format(freezing=freezing)
    report = judged(tmp_path, text)
    [finding] = [finding for finding in report.findings if finding.code == "FXA310"]
    assert {name.partition(".")[0] for name in finding.parameters} == {"student"}
    assert finding.culprit is not None
    assert text.splitlines()[finding.culprit.line - 1].endswith("# the slip")


def test_a_helper_that_compares_what_was_frozen_elsewhere_is_one(tmp_path: Path) -> None:
    freezing = """
def thaw(module):
    for p in module.parameters():
        p.requires_grad == True  # the slip


student.requires_grad_(False)
teacher.requires_grad_(False)
thaw(student)
"""
    text = SCRIPT.format(freezing=freezing)
    report = judged(tmp_path, text)
    [finding] = [finding for finding in report.findings if finding.code == "FXA310"]
    assert {name.partition(".")[0] for name in finding.parameters} == {"student"}
    assert finding.culprit is not None
    assert text.splitlines()[finding.culprit.line - 1].endswith("# the slip")
