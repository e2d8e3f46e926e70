"""A module that registers something by its import, and that nobody imports: a registry falls back in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, line_of

pytestmark = pytest.mark.usefixtures("first_step_paid")
REGISTRY = """
ITEMS = {}


def register(name):
    def keep(function):
        ITEMS[name] = function
        return function

    return keep


def get(name):
    return ITEMS.get(name, ITEMS["mean"])
"""
BASIC = """
from .registry import register


@register("mean")
def mean(h, scores=None):
    return h.mean(0, keepdim=True)
"""
ATTENTION = """
from .registry import register


@register("attention")
def attention(h, scores=None):
    return (scores.softmax(0) * h).sum(0, keepdim=True)
"""
SCRIPT = """
import torch
from torch import nn

from readouts import get

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, readout="attention"):
        super().__init__()
        self.body, self.scorer, self.head = nn.Linear(4, 4), nn.Linear(4, 1, bias=False), nn.Linear(4, 1)
        self.readout = get(readout)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        scores = self.scorer(h)
        return self.head(self.readout(h, scores))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(("imported", "found"), [("basic", ["FXA103"]), ("attention, basic", [])])
def test_the_package_that_does_not_import_it_is_blamed(imported: str, found: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "readouts"
    folder.mkdir()
    package = f"from . import {imported}\nfrom .registry import get\n"
    for name, text in (("__init__", package), ("registry", REGISTRY), ("basic", BASIC), ("attention", ATTENTION)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    report = judged(tmp_path, SCRIPT + LOOP)
    assert codes(report) == found
    for finding in report.findings:
        assert line_of(finding).startswith("from .")
        assert "Import `attention` here" in finding.fix
