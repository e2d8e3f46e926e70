"""`--no-freeze` that stores True as `freeze`: the option is blamed for what it freezes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.program.slips import inverted_option
from fxaudit.program.tree import tree_of
from tests.scripts import codes, judged, line_of, verdicts

SCRIPT = """
import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--no-freeze", dest="freeze", {rest})  # blamed
args, _ = parser.parse_known_args({given})
net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
if args.freeze:
    net[0].requires_grad_(False)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    net(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize("rest", ['default=True, action="store_true"', 'action="store_true"'])
def test_an_option_that_does_the_opposite_is_blamed(rest: str, tmp_path: Path) -> None:
    report = judged(tmp_path, SCRIPT.format(rest=rest, given='["--no-freeze"]'))
    (finding,) = report.findings
    assert finding.code == "FXA310"
    assert "# blamed" in line_of(finding)
    assert "`--no-freeze` is `store_true`, and leaves `freeze` on where it is given" in finding.message
    assert finding.fix == 'Write `action="store_false"`.'


@pytest.mark.parametrize(
    ("rest", "given", "verdict"),
    [
        ('action="store_false"', '["--no-freeze"]', "trained"),
        ('action="store_false"', "[]", "frozen"),
        ('action="store_true"', "[]", "trained"),
    ],
)
def test_an_option_that_does_what_it_says_is_not(rest: str, given: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, SCRIPT.format(rest=rest, given=given))
    assert codes(report) == []
    assert verdicts(report)["0.weight"] == verdict


@pytest.mark.parametrize(
    ("option", "is_told"),
    [
        ('"--no-freeze", dest="freeze", action="store_true"', True),
        ('"--skip-aux", dest="aux", action="store_true"', True),
        ('"--freeze", action="store_false"', True),
        ('"--freeze", dest="freeze", action="store_true"', False),
        ('"--no-freeze", action="store_true"', False),
        ('"--no-freeze", dest="thaw", action="store_true"', False),
        ('"--no-freeze", action="store_false"', False),
    ],
)
def test_which_options_deny(option: str, is_told: bool, tmp_path: Path) -> None:
    file = tmp_path / "options.py"
    file.write_text(f"parser.add_argument({option})\n", encoding="utf-8")
    tree = tree_of(str(file))
    assert tree is not None
    assert (inverted_option(tree.statements[0]) is not None) is is_told
