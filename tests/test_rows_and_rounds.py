"""Counts of steps where rounds are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

# -- steps for rounds --------------------------------------------------------------------------------------------------

SPEECH = """
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(0)
frames = torch.randn(6, 10, 4)
listener, speller = nn.Linear(4, 8), nn.Linear(8, 3)
optimizer = torch.optim.SGD([{"params": listener.parameters()}, {"params": speller.parameters()}], lr=0.1)


def plan(wait, per_round, last):
    opening = PRODUCT  # blamed
    END
    FACTOR
    return LambdaLR(optimizer, [late, lambda epoch: 0.9**epoch])


schedule = plan(2, len(frames), 5)


def pass_through():
    for batch in frames:
        loss = speller(torch.tanh(listener(batch))).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        INSIDE


for epoch in range(5):
    pass_through()
    BEHIND
"""
FACTORS = {
    "test": "def late(COUNTER):\n        if COUNTER < opening:\n            return 0.0\n        return 0.5",
    "other way": "def late(COUNTER):\n        if opening <= COUNTER:\n            return 1.0\n        return 0.0",
    "choice": "late = lambda COUNTER: 0.0 if COUNTER < opening else 1.0",
}


def planned(
    product: str = "wait * per_round",
    factor: str = "test",
    counter: str = "epoch",
    *,
    end: str = "pass",
    in_steps: bool = False,
) -> str:
    text = SPEECH.replace("FACTOR", FACTORS[factor]).replace("COUNTER", counter).replace("END", end)
    inside, behind = ("schedule.step()", "pass") if in_steps else ("pass", "schedule.step()")
    return text.replace("PRODUCT", product).replace("INSIDE", inside).replace("BEHIND", behind)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("product", ["wait * per_round", "max(1, per_round * wait)"])
def test_a_start_in_steps_is_blamed_where_rounds_were_multiplied_to_them(
    factor: str, product: str, tmp_path: Path
) -> None:
    report = judged(tmp_path, planned(product, factor))
    (finding,) = report.findings
    assert finding.code == "FXA304"
    assert sorted(set(verdicts(report).values())) == ["blocked", "trained"]
    assert line_of(finding) == f"opening = {product}  # blamed"
    assert "Do not multiply" in (finding.fix or "")


@pytest.mark.parametrize("factor", FACTORS)
def test_a_start_in_rounds_trains(factor: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, planned("wait", factor)).findings


def test_a_schedule_that_is_advanced_in_each_step_may_count_them(tmp_path: Path) -> None:
    assert not judged(tmp_path, planned(in_steps=True)).findings


@pytest.mark.parametrize(
    "otherwise",
    [
        {"counter": "step"},  # the call that advances the schedule is wrong
        {"end": "whole = last * per_round"},  # all of the schedule counts steps
        {"product": "wait * 20"},  # no number of steps in a round
        {"product": "8 * per_round"},  # in rounds it would never come either
    ],
)
def test_what_else_may_be_wrong_is_not_told_of_the_product(otherwise: dict[str, str], tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, planned(**otherwise)).findings  # type: ignore[arg-type]
    assert finding.code == "FXA304"
    assert "# blamed" not in line_of(finding)
    assert "Do not multiply" not in (finding.fix or "")


@pytest.mark.slow
def test_plain_training_leaves_alone_what_waits_for_steps() -> None:
    assert left_alone(planned()) == 0.5
    assert left_alone(planned("wait")) == 0.0
    assert left_alone(planned(in_steps=True)) == 0.0
