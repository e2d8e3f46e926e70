"""A part of a model that runs without gradients for some steps, and with them later: that is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

SCRIPT = """
import contextlib

import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.updates = nn.Linear(4, 4), nn.Linear(4, 1), 0

    def forward(self, x):
        tuned = self.updates >= BEGIN
        with REGION:
            h = torch.tanh(self.body(x))
        return self.head(h)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(40):
    net.updates = epoch
    loss = (net(torch.randn(8, 4)) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
REGIONS = {
    "a flag": "torch.set_grad_enabled(tuned and torch.is_grad_enabled())",
    "one of two": "contextlib.nullcontext() if tuned else torch.no_grad()",
}


@pytest.mark.parametrize("region", REGIONS)
def test_gradients_that_come_later_are_waited_for(region: str, tmp_path: Path) -> None:
    report = judged(tmp_path, SCRIPT.replace("REGION", REGIONS[region]).replace("BEGIN", "25"))
    assert set(verdicts(report).values()) == {"trained"}
    assert not report.findings


@pytest.mark.parametrize("region", [*REGIONS.values(), "torch.no_grad()"])
def test_gradients_that_never_come_are_missed(region: str, tmp_path: Path) -> None:
    report = judged(tmp_path, SCRIPT.replace("REGION", region).replace("BEGIN", "400"))
    assert verdicts(report)["body.weight"] == "unreachable"
    assert codes(report) == ["FXA105"]


TURNED = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
net["body"].requires_grad_(False)
optimizer = torch.optim.SGD(net["head"].parameters(), lr=0.1)
for step in range(6):
    if step == 1000:
        net["body"].requires_grad_(True)
    loss = (net["head"](torch.tanh(net["body"](torch.randn(8, 4)))) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_a_loop_of_steps_is_no_selection_of_what_to_unfreeze(tmp_path: Path) -> None:
    assert "FXA308" not in codes(judged(tmp_path, TURNED))
