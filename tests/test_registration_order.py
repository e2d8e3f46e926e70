"""A function that gives a model other parameters, and is called behind the optimizer, is blamed on that call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

PROGRAM = """
import warnings

import torch
from torch import nn
from torch.nn.utils import parametrizations, weight_norm

warnings.simplefilter("ignore")
torch.manual_seed(0)


def change(model):
    for child in model.children():
        if isinstance(child, nn.Linear):
            CHANGE  # within


net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
BEFORE
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
BEHIND
for epoch in range(4):
    loss = (net(torch.randn(8, 4)) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
CHANGES = [
    "weight_norm(child)",
    "parametrizations.weight_norm(child)",
    "child.weight = nn.Parameter(child.weight * 0.5)",
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_call_is_blamed_that_comes_too_late(tmp_path: Path, change: str) -> None:
    program = PROGRAM.replace("CHANGE", change)
    late = program.replace("BEFORE", "pass").replace("BEHIND", "change(net)  # blamed")
    (finding,) = judged(tmp_path, late).findings
    assert finding.code == "FXA204" and line_of(finding).endswith("# blamed")
    assert not codes(judged(tmp_path, program.replace("BEFORE", "change(net)").replace("BEHIND", "pass")))


def test_a_function_that_is_given_the_optimizer_has_to_tell_it(tmp_path: Path) -> None:
    program = PROGRAM.replace("CHANGE", CHANGES[-1]).replace("def change(model)", "def change(model, optimizer)")
    late = program.replace("BEFORE", "pass").replace("BEHIND", "change(net, optimizer)  # blamed")
    (finding,) = judged(tmp_path, late).findings
    assert finding.code == "FXA204" and line_of(finding).endswith("# within")
