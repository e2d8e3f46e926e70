"""A part of a model that runs without gradients for some steps, and with them later: that is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, left_alone, verdicts

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


@pytest.mark.slow
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(("begin", "share"), [("25", 0.0), ("400", 2 / 4)])
def test_plain_training_comes_to_all_of_it_or_to_the_head_alone(region: str, begin: str, share: float) -> None:
    assert left_alone(SCRIPT.replace("REGION", REGIONS[region]).replace("BEGIN", begin)) == share


TURNED = """
import torch
from torch import nn

torch.manual_seed(0)
config = {"steps": 12, "tuned_after": 1000}


def probe(encoder, head):
    encoder.requires_grad_(False)
    model = nn.Sequential(encoder, head)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for step in range(config["steps"]):
        if step == config["tuned_after"]:
            encoder.requires_grad_(True)
        loss = (model(torch.randn(8, 4)) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        return model(torch.randn(8, 4)).mean().item()


probe(nn.Linear(4, 4), nn.Linear(4, 1))
"""


def test_a_loop_of_steps_is_no_selection_of_what_to_unfreeze(tmp_path: Path) -> None:
    assert "FXA308" not in codes(judged(tmp_path, TURNED))
