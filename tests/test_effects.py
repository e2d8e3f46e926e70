"""Attempts without effect, and updates by hand: what training really does decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.report import Report
from tests.judged import run

pytestmark = pytest.mark.usefixtures("first_step_paid")

START = """
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(4, 4), nn.Linear(4, 2)
model = nn.Sequential(body, nn.Tanh(), head)
"""
LOOP = """
for step in range(12):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
"""

WITHOUT_EFFECT = {
    "a letter short": """
body.requires_grad_(False)
for p in body.parameters():
    p.require_grad = True  # guilty
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
""",
    "a freeze with a letter too many": """
for p in body.parameters():
    p.requires_grads = False  # guilty
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
""",
    "by setattr": """
body.requires_grad_(False)
for p in body.parameters():
    setattr(p, "require_grad", True)  # guilty
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
""",
    "a key that nobody reads": """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
optimizer.param_groups[0]["learning_rate"] = 0.5  # guilty
""",
    "a thaw behind the last layer, in a helper": """
def thaw(model, first=12):
    for p in model[first:].parameters():  # guilty
        p.requires_grad = True
body.requires_grad_(False)
thaw(model)
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
""",
    "a thaw by names of another model, beside one that works": """
for name, p in model.named_parameters():
    p.requires_grad = False
    if name.startswith("module."):  # guilty
        p.requires_grad = True
for p in head.parameters():
    p.requires_grad = True
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
""",
    "a thaw of what is selected from nothing": """
body.requires_grad_(False)
wanted = [m for n, m in model.named_children() if n in ("layer4", "fc")]
[m.requires_grad_(True) for m in wanted]  # guilty
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
""",
    "a rate in a deep copy": """
import copy
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for group in copy.deepcopy(optimizer.param_groups):
    group["lr"] = 0.5  # guilty
""",
    "a rate in the state dict": """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
optimizer.state_dict()["param_groups"][0]["lr"] *= 2  # guilty
""",
    "a rate in the defaults": """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
optimizer.defaults["lr"] = 0.5  # guilty
""",
    "a rate as an attribute": """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
optimizer.lr = 0.5  # guilty
""",
}
WITH_EFFECT = {
    "nothing is asked for": """
def thaw(n):
    for layer in list(model)[len(model) - n :]:
        layer.requires_grad_(True)
body.requires_grad_(False)
thaw(0)
""",
    "an empty list of names": """
names = []
body.requires_grad_(False)
for name, p in model.named_parameters():
    if any(part in name for part in names):
        p.requires_grad = True
""",
    "a kind that this model has not, beside a thaw": """
model.requires_grad_(False)
for m in model.modules():
    if isinstance(m, (nn.LayerNorm, nn.BatchNorm1d)):
        m.requires_grad_(True)
for p in head.parameters():
    p.requires_grad = True
""",
    "a helper that nobody calls": """
def thaw():
    for p in model[12:].parameters():
        p.requires_grad = True
body.requires_grad_(False)
""",
}


@pytest.mark.parametrize("how", WITH_EFFECT)
def test_a_thaw_that_is_not_asked_for_anything_is_no_alarm(how: str, tmp_path: Path) -> None:
    built = "optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)\n"
    report = reported(WITH_EFFECT[how] + built + LOOP, tmp_path)
    assert [finding for finding in report.findings if finding.level != "note"] == []


def test_a_thaw_after_the_recorded_steps_is_no_alarm(tmp_path: Path) -> None:
    text = """
body.requires_grad_(False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(400):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
    if step == 300:
        for p in body.parameters():
            p.requires_grad = True
for p in model[12:].parameters():
    p.requires_grad = True
"""
    report = reported(text, tmp_path)
    assert [finding for finding in report.findings if finding.code == "FXA308"] == []


FREEZES = {
    "by a loop": ("for p in body.parameters():\n    p.requires_grad = False  # here\n", "0.weight"),
    "by a module": ("body.requires_grad_(False)  # here\n", "0.bias"),
    "by a helper": ("def adapt(m):\n    for p in m.parameters():\n        p.requires_grad_(m is head)  # here\n"
                    "adapt(body)\n", "0.weight"),
    "made so": ("body.weight = nn.Parameter(torch.ones(4, 4), requires_grad=False)  # here\n", "0.weight"),
    "thawed and frozen again": ("body.requires_grad_(False)\nbody.requires_grad_(True)\n"
                                "body.weight.requires_grad = False  # here\n", "0.weight"),
}  # fmt: skip


@pytest.mark.parametrize("how", FREEZES)
def test_of_a_frozen_parameter_the_line_that_froze_it_is_told(how: str, tmp_path: Path) -> None:
    text, name = FREEZES[how]
    built = "optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)\n"
    report = reported(text + built + LOOP, tmp_path)
    parameter = Report.from_json(report.to_json())[name]
    assert parameter.verdict == "frozen"
    assert parameter.frozen_at is not None
    assert parameter.frozen_at.code.endswith("# here")
    assert parameter.reason == f"`requires_grad` is False since train.py:{parameter.frozen_at.line}"
    assert f"train.py:{parameter.frozen_at.line} in " in report.save(tmp_path / "report.html").read_text("utf-8")
    assert [finding for finding in report.findings if finding.level != "note"] == []


def reported(text: str, folder: Path) -> Report:
    path = folder / "train.py"
    path.write_text(START + text, encoding="utf-8")
    return run(path)


@pytest.mark.parametrize("how", WITHOUT_EFFECT)
def test_a_setting_that_nobody_reads_is_a_warning_at_its_line(how: str, tmp_path: Path) -> None:
    report = reported(WITHOUT_EFFECT[how] + LOOP, tmp_path)
    (found,) = [finding for finding in report.findings if finding.level != "note"]
    assert (found.code, found.level) == ("FXA308", "warning")
    assert found.culprit is not None
    assert found.culprit.code.endswith("# guilty")


@pytest.mark.parametrize(
    "setting",
    ["p.require_grad = p.requires_grad", "p.tensor_parallel = True", "p.requires_grad = True", "p.grad_norm = 1.0"],
)
def test_an_attribute_that_says_nothing_else_is_nobodys_business(setting: str, tmp_path: Path) -> None:
    text = f"for p in model.parameters():\n    {setting}\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
    report = reported(text + LOOP, tmp_path)
    assert [finding for finding in report.findings if finding.level != "note"] == []


def test_an_optimizer_whose_parameters_were_all_frozen_after_it_was_built_steps_in_vain(tmp_path: Path) -> None:
    report = reported(
        """
optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
other = torch.optim.Adam(body.parameters(), lr=0.1)
body.requires_grad_(False)  # guilty
for step in range(6):
    optimizer.zero_grad(); other.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step(); other.step()
""",
        tmp_path,
    )
    (found,) = [finding for finding in report.findings if finding.level != "note"]
    assert (found.code, found.level) == ("FXA306", "warning")
    assert found.culprit is not None
    assert found.culprit.code.endswith("# guilty")


BY_HAND = """
for step in range(300):
    model.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    {update}
    print("step", step)
"""


@pytest.mark.parametrize(
    "update",
    [
        "[p.data.add_(p.grad, alpha=-0.1) for p in model.parameters()]",
        "torch._foreach_sub_([p.data for p in model.parameters()], [0.1 * p.grad for p in model.parameters()])",
    ],
)
def test_an_update_by_hand_counts_as_a_step_so_that_the_recording_ends(update: str, tmp_path: Path) -> None:
    report = reported(BY_HAND.format(update=update), tmp_path)
    assert set(report.verdicts()) == {"trained"}
    assert max(parameter.steps for parameter in report) <= 6


WARMING = """
optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
{schedule}
with torch.no_grad():
    for p in head.parameters(): p.fill_(1e4)
for step in range(8):
    optimizer.zero_grad()
    (1e-3 * model(torch.randn(8, 4)).mean()).backward()
    optimizer.step(); {advance}
"""


def test_a_rate_that_is_still_rising_is_a_note_at_its_schedule_and_never_an_error(tmp_path: Path) -> None:
    schedule = "warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 1e-4, total_iters=1000)  # guilty"
    report = reported(WARMING.format(schedule=schedule, advance="warmup.step()"), tmp_path)
    assert report.exit_code == 0
    lost = [finding for finding in report.findings if finding.code == "FXA503"]
    assert [finding.level for finding in lost] == ["note"]
    assert lost[0].culprit is not None
    assert lost[0].culprit.code.endswith("# guilty")
    assert "unknown" in report.verdicts()
    assert "rising" in next(parameter.reason for parameter in report if parameter.verdict == "unknown")


def test_a_rate_that_stays_too_small_is_an_error(tmp_path: Path) -> None:
    report = reported(WARMING.format(schedule="", advance="pass").replace("lr=1e-2", "lr=1e-6"), tmp_path)
    assert {finding.code for finding in report.findings if finding.level == "error"} == {"FXA503"}
    assert "blocked" in report.verdicts()
