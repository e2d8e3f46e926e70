"""When enough was seen, and what finding that out costs."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fxaudit.capture.recording import Op
from fxaudit.judge.graph import _users_after
from fxaudit.report import Report

BY_HAND = """
import torch
from torch import nn
torch.manual_seed(0)
model, lr = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)), 0.1
SETUP
for batch in range(120):
    model.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    UPDATE
    print("batch", batch, flush=True)
"""


def audited(script: str, folder: Path) -> tuple[int, Report]:
    (folder / "train.py").write_text(script, encoding="utf-8")
    command = [sys.executable, "-m", "fxaudit", "run", "-o", "report.json", "train.py"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    return ended.stdout.count("batch "), Report.from_json((folder / "report.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "update",
    [
        "for p in model.parameters(): p.data.add_(p.grad, alpha=-lr)",
        "with torch.no_grad(): [p.sub_(lr * p.grad) for p in model.parameters()]",
    ],
)
@pytest.mark.slow
def test_an_update_by_hand_counts_as_a_step(update: str, tmp_path: Path) -> None:
    batches, report = audited(BY_HAND.replace("UPDATE", update).replace("SETUP", ""), tmp_path)
    assert {p.verdict for p in report} == {"trained"}
    assert batches <= 5


@pytest.mark.slow
def test_a_part_that_the_hand_leaves_out_is_looked_at_as_long_as_an_optimizers(tmp_path: Path) -> None:
    update = "for p in model[0].parameters(): p.data.add_(p.grad, alpha=-lr)"
    batches, report = audited(BY_HAND.replace("UPDATE", update).replace("SETUP", ""), tmp_path)
    assert report["0.weight"].verdict == "trained"
    assert report["2.weight"].verdict != "trained"
    assert batches <= 51


class Counting(list[Op]):
    looked_at = 0

    def __getitem__(self, index: Any) -> Any:
        self.looked_at += 1
        return super().__getitem__(index)


def test_the_use_of_a_python_number_is_looked_up_not_searched_for() -> None:
    ops = Counting(Op(index, "mul", 0, -1, "forward", (index,)) for index in range(20_000))
    escape = Op(15_000, "item", 0, -1, "forward", (3,), detail="escape")
    assert [op.index for op in _users_after(escape, ops, 20_000, lambda _: True)] == [15_001, 15_002, 15_003, 15_004]
    assert ops.looked_at < 40


INNER_LOOP = """
import copy, torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
x = torch.rand(10, 1)
for batch in range(30):
    optimizer.zero_grad()
    for task in range(20):
        learner = copy.deepcopy(model)
        inner = torch.optim.SGD(learner.parameters(), lr=0.01)
        for _ in range(4):
            inner.zero_grad()
            (learner(x) - task * x).square().mean().backward()
            inner.step()
        for mine, its in zip(model.parameters(), learner.parameters()):
            mine.grad = its.grad if mine.grad is None else mine.grad + its.grad
    optimizer.step()
    print("batch", batch, flush=True)
"""


@pytest.mark.slow
def test_an_optimizer_built_for_each_inner_task_is_no_fit_of_its_own(tmp_path: Path) -> None:
    batches, report = audited(INNER_LOOP, tmp_path)
    assert report.ok, report.findings
    assert {p.verdict for p in report} == {"trained"}
    assert batches <= 5
    assert len(report.parameters) <= 4 * 12  # of twenty learners a round, only the latest are kept alive


def test_what_stays_alive_and_is_looked_at_does_not_grow_with_the_inner_tasks(tmp_path: Path) -> None:
    from fxaudit.run.loop import Observation

    seen = []
    observation = Observation()
    with observation.watching() as session:
        model = nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            for _ in range(20):
                learner = copy.deepcopy(model)
                inner = torch.optim.SGD(learner.parameters(), lr=0.1)
                learner(torch.ones(1, 2)).sum().backward()
                inner.step()
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
            seen.append((len(session.roots()), len(list(session.live_tracks()))))
    assert seen[0] == seen[1]
