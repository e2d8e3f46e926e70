"""What is written down where nobody reads it: an entry under a misspelt key, a write into a copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
BASED = """
import json
import os

import torch
from torch import nn

torch.manual_seed(0)
KNOWN = {"probe": "base.json", "tune": "special.json"}


def merged(below, tree):
    out = dict(below)
    for key, value in tree.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) else value
    return out


def load(name):
    with open(name) as file:
        tree = json.load(file)
    base = tree.pop("_base_", None)
    return tree if base is None else merged(load(base), tree)


class Net(nn.Module):
    def __init__(self, frozen_stages=-1, **rest):
        super().__init__()
        self.stages = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
        self.head = nn.Linear(4, 1)
        self.frozen_stages = frozen_stages
        self.freeze()

    def freeze(self):
        FREEZE

    def forward(self, x):
        for stage in self.stages:
            x = torch.tanh(stage(x))
        return self.head(x)


net = Net(**load(KNOWN["CHOSEN"])["model"])
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
FREEZES = {
    "a test": """for i, stage in enumerate(self.stages):
            if i < self.frozen_stages:
                stage.requires_grad_(False)""",
    "a slice": """for stage in self.stages[: max(self.frozen_stages, 0)]:
            stage.requires_grad_(False)""",
    "a range": """for i in range(self.frozen_stages):
            for p in self.stages[i].parameters():
                p.requires_grad = False""",
}


def _based(folder: Path, freeze: str, special: str, base: str, chosen: str = "tune") -> str:
    """The program, with the entries of its two files beside it."""
    begins = '"_base_": "base.json",'
    (folder / "special.json").write_text(f'{{\n{begins}\n"model": {{\n  {special}\n}}\n}}\n', encoding="utf-8")
    (folder / "base.json").write_text(f'{{\n"model": {{\n  {base}\n}}\n}}\n', encoding="utf-8")
    return BASED.replace("FREEZE", FREEZES[freeze]).replace("CHOSEN", chosen) + LOOP


@pytest.mark.parametrize(("freeze", "stages"), [("a test", 2), ("a test", 3), ("a slice", 3), ("a range", 2)])
def test_a_misspelt_entry_does_not_take_the_place_of_what_the_file_begins_with(
    freeze: str, stages: int, tmp_path: Path
) -> None:
    program = _based(tmp_path, freeze, '"freeze_stages": -1', f'"frozen_stages": {stages}')
    report = judged(tmp_path, program)
    assert [n for n, v in verdicts(report).items() if v == "frozen"] == [
        f"stages.{i}.{kind}" for i in range(stages) for kind in ("weight", "bias")
    ]
    (finding,) = report.findings
    assert finding.code == "FXA309" and finding.level == "warning"
    assert finding.culprit is not None and finding.culprit.file.endswith("special.json")
    assert line_of(finding) == '"freeze_stages": -1'
    assert f"is {stages}, as `base.json` says" in finding.message
    assert "what `base.json` says counts" in finding.fix


@pytest.mark.parametrize(
    ("special", "base", "chosen"),
    [
        ('"frozen_stages": -1', '"frozen_stages": 2', "tune"),
        ('"frozen_stages": 2', '"frozen_stages": 0', "tune"),
        ('"freeze_stages": 2', '"frozen_stages": 2', "tune"),
        ('"frozen_stages": 2', '"freeze_stages": 0', "tune"),
        ('"freeze_stages": -1', '"frozen_stages": 2', "probe"),
        ('"frozen_steps": 5', '"frozen_stages": 2', "tune"),
    ],
    ids=["right", "frozen on purpose", "the same value", "of the base", "not read", "another setting"],
)
def test_an_entry_that_changes_nothing_is_not_blamed(special: str, base: str, chosen: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _based(tmp_path, "a test", special, base, chosen))
    assert codes(report) == []


@pytest.mark.slow
@pytest.mark.parametrize(("entry", "share"), [("freeze_stages", 6 / 8), ("frozen_stages", 0)])
def test_plain_training_goes_by_the_base(
    entry: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert left_alone(_based(tmp_path, "a test", f'"{entry}": -1', '"frozen_stages": 3')) == share
