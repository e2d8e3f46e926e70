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


MASKED = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
ids, picks = torch.tensor([0, 2, 4, 5, 7]), torch.tensor([1, 3])


def mark(part, value=True):
    part[picks] = value


shown = START  # made
net, side = nn.Linear(4, 4), nn.Linear(4, 3)
optimizer = torch.optim.SGD([*net.parameters(), *side.parameters()], lr=0.1)
WRITE


def compute():
    h = net(torch.randn(8, 4))
    error = side(h).square().mean(-1)
    return (h - 1).square().mean() + USE
"""
MASK = "torch.zeros(8, dtype=torch.bool)"
PRODUCT = "(error * shown).sum()"
LOST = {
    "an index after an index": "shown[ids][picks] = True  # blamed",
    "a list": "shown[[1, 2, 3]][0] = True  # blamed",
    "a part of a part": "shown[2:][picks].view(-1).fill_(True)  # blamed",
    "a selection": "shown.index_select(0, ids).fill_(True)  # blamed",
    "a copy": "shown.clone()[ids] = True  # blamed",
    "a name": "part = shown[ids]\npart[picks] = True  # blamed",
    "a function": "mark(shown[ids])  # blamed",
}
USES = {
    "a factor": (MASK, "shown[ids][picks] = True  # blamed", PRODUCT),
    "a choice": (MASK, "shown[ids][picks] = True  # blamed", "torch.where(shown, error, 0.0).sum()"),
    "a selection": (MASK, "shown[ids][picks] = True  # blamed", "error[shown].sum()"),
    "the others": (
        "torch.ones(8, dtype=torch.bool)",
        "shown[ids][picks] = False  # blamed",
        "(error * ~shown).sum()",
    ),
    "targets": (
        "torch.full((8,), -100)",
        "shown[ids][picks] = 2  # blamed",
        "F.cross_entropy(side(h), shown, reduction='sum')",
    ),
}
KEPT_WRITES = {
    "one index": "shown[ids[picks]] = True",
    "an index after a slice": "shown[2:][picks] = True",
    "a slice": "mark(shown[1:6])",
    "put back": "part = shown[ids]\npart[picks] = True\nshown[ids] = part",
    "both": "shown[ids][picks] = True\nshown[picks] = True",
}
OTHERWISE = {
    "the same": "shown[ids][picks] = False",
    "the same by a function": "mark(shown[ids], False)",
    "read": "part = shown[ids]\npart[picks] = True\nnumber = part.sum().item()",
}


def _masked(start: str, write: str, use: str) -> str:
    return MASKED.replace("START", start).replace("WRITE", write).replace("USE", use) + LOOP


@pytest.mark.parametrize(
    ("start", "write", "use"),
    [*((MASK, write, PRODUCT) for write in LOST.values()), *USES.values()],
    ids=[*LOST, *(f"used as {use}" for use in USES)],
)
def test_a_write_into_a_copy_of_a_mask_is_blamed(start: str, write: str, use: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _masked(start, write, use))
    assert {n: v for n, v in verdicts(report).items() if "side" in n} == dict.fromkeys(
        ("side.weight", "side.bias"), "blocked"
    )
    (finding,) = report.findings
    assert finding.code == "FXA501" and line_of(finding).endswith("# blamed")
    assert "goes into a copy" in finding.message and "makes a copy" in finding.fix


@pytest.mark.parametrize("write", KEPT_WRITES.values(), ids=KEPT_WRITES)
def test_a_write_that_reaches_the_mask_is_right(write: str, tmp_path: Path) -> None:
    assert codes(judged(tmp_path, _masked(MASK, write, PRODUCT))) == []


@pytest.mark.parametrize("write", OTHERWISE.values(), ids=OTHERWISE)
def test_a_mask_that_nobody_meant_to_write_is_blamed_itself(write: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _masked(MASK, write, PRODUCT)).findings
    assert line_of(finding).endswith("# made")


BY_HAND = """
import torch
from torch import nn

torch.manual_seed(0)


class Lazy(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                rows = p.grad.nonzero()[:, 0].unique()
                UPDATE


table, net = nn.Embedding(8, 3), nn.Linear(3, 1)
optimizer = Lazy([*table.parameters(), *net.parameters()], lr=0.1)


def compute():
    return (net(table(torch.arange(5))) - 1).square().mean()
"""
UPDATES = {
    "p[rows].sub_(group['lr'] * p.grad[rows])  # blamed": True,
    "p.index_select(0, rows).sub_(group['lr'] * p.grad[rows])  # blamed": True,
    "p[rows] -= group['lr'] * p.grad[rows]": False,
    "p[: len(p)].sub_(group['lr'] * p.grad)": False,
}


@pytest.mark.parametrize(("update", "is_lost"), UPDATES.items())
def test_an_update_of_a_part_that_is_a_copy_is_blamed(update: str, is_lost: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, BY_HAND.replace("UPDATE", update) + LOOP)
    assert codes(report) == (["FXA407"] if is_lost else [])
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed") and "writes into a copy" in finding.message


@pytest.mark.slow
def test_plain_training_loses_what_is_written_into_a_copy() -> None:
    assert {left_alone(_masked(MASK, write, PRODUCT)) for write in LOST.values()} == {2 / 4}
    assert {left_alone(_masked(*way)) for way in USES.values()} == {2 / 4}
    assert {left_alone(_masked(MASK, write, PRODUCT)) for write in KEPT_WRITES.values()} == {0}
    for update, is_lost in UPDATES.items():
        assert left_alone(BY_HAND.replace("UPDATE", update) + LOOP) == (1 if is_lost else 0)
