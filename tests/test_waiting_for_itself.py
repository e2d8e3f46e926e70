"""A counter that only what stands behind a test would raise: the test that asks for it is blamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

SCRIPT = """
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class State:
    every: int = 2
    batches: int = 0
    updates: int = 0

    @property
    def due(self):
        return {due}  # asked


class Engine:
    def __init__(self, model, optimizer, state):
        self.model, self.optimizer, self.state = model, optimizer, state

    def update(self):
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.state.updates += 1

    def train(self):
        for _ in range(8):
            self.model(torch.randn(8, 4)).square().mean().backward()
            self.state.batches += 1
            if self.state.due:  # tested
                self.update()


net = nn.Linear(4, 1)
Engine(net, torch.optim.SGD(net.parameters(), lr=0.1), State()).train()
"""


@pytest.mark.parametrize("due", ["(self.updates + 1) % self.every == 0", "self.updates > 0"])
def test_the_test_is_blamed(due: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, SCRIPT.format(due=due)).findings
    assert finding.code == "FXA401"
    assert "# asked" in line_of(finding)
    assert "`self.updates` stays 0: only what this keeps from running raises it" in str(finding.fix)
    assert [r.source.code for r in finding.related][:2] == ["if self.state.due:  # tested", "self.state.updates += 1"]


def test_in_the_same_function(tmp_path: Path) -> None:
    program = SCRIPT.format(due="False").replace(
        "if self.state.due:  # tested", "if self.state.updates % 2 == 1:  # asked"
    )
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA401"
    assert "# asked" in line_of(finding)


@pytest.mark.parametrize("due", ["self.batches % self.every == 0", "self.updates % self.every == 0 or self.updates"])
def test_a_counter_that_goes_on_is_not(due: str, tmp_path: Path) -> None:
    assert codes(judged(tmp_path, SCRIPT.format(due=due))) == []


def test_a_period_that_is_too_long_is_blamed_on_its_setting(tmp_path: Path) -> None:
    program = SCRIPT.format(due="self.batches % self.every == 0").replace("every: int = 2", "every: int = 20")
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA401"
    assert line_of(finding) == "every: int = 20"
