"""A container that all objects of a class share: what one keeps in it is lost when another puts its own there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
TAPS = """
import torch
from torch import nn

torch.manual_seed(0)


class Tap:
    BODY

    def __init__(self, moduleARGUMENT):
        SET
        module.register_forward_hook(self.keep)

    def keep(self, module, given, output):
        self.kept["hint"] = output


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.side, self.head = nn.Linear(4, 4), nn.Linear(4, 3), nn.Linear(4, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        self.side(h)
        return self.head(h)


teacher, net = Net().requires_grad_(False), Net()
theirs, own = Tap(teacher.side), Tap(net.side)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    out = net(x)
    teacher(x)
    return (out - 1).square().mean() + (own.kept["hint"] - theirs.kept["hint"]).square().mean()
"""
WAYS = {
    "in the class": ("kept = {}  # blamed", "", ""),
    "as a default": ("pass", ", kept={}", "self.kept = kept"),
    "its own": ("pass", "", "self.kept = {}"),
    "its own after all": ("kept = {}", "", "self.kept = {}"),
}


def _program(way: str) -> str:
    body, argument, kept = WAYS[way]
    return TAPS.replace("BODY", body).replace("ARGUMENT", argument).replace("SET", kept) + LOOP


@pytest.mark.parametrize("way", WAYS)
def test_what_another_object_puts_in_the_same_place_is_lost(way: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _program(way))
    is_own = way.startswith("its own")
    assert codes(report) == ([] if is_own else ["FXA103"])
    sides = {verdict for name, verdict in verdicts(report).items() if "side" in name and "teacher" not in name}
    assert sides == ({"trained"} if is_own else {"unreachable"})
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed") or "kept={}" in line_of(finding)
        assert "a container of its own" in finding.fix
        assert 'self.kept["hint"] = output' in [related.source.code for related in finding.related if related.source]


@pytest.mark.slow
def test_plain_training_loses_what_is_shared() -> None:
    shares = {way: left_alone(_program(way)) for way in WAYS}
    assert shares["in the class"] == shares["as a default"] > shares["its own"] == shares["its own after all"]
