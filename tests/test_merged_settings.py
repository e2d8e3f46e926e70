"""A configuration file that is merged over the one that begins with it: the merge is blamed for what is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

SCRIPT = """
import json
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).parent


def load(name):
    tree = json.loads((HERE / name).read_text())
    base = tree.pop("_base_", None)
    if base is not None:
        {merge}
    return tree


options = load("special.json")
net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
for part in list(net)[: options["frozen"]]:
    part.requires_grad_(False)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=options["lr"])
for _ in range(3):
    optimizer.zero_grad()
    net(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
"""
OVERRULED = {
    "the later one": "tree = {**tree, **load(base)}  # blamed",
    "an update": "tree.update(load(base))  # blamed",
    "in a statement of its own": "below = load(base)\n        tree = tree | below  # blamed",
}
RIGHT = "tree = {**load(base), **tree}"


def written(folder: Path, special: int, base: int) -> None:
    (folder / "special.json").write_text(f'{{\n"_base_": "base.json",\n"frozen": {special}\n}}\n', encoding="utf-8")
    (folder / "base.json").write_text(f'{{\n"frozen": {base},\n"lr": 0.1\n}}\n', encoding="utf-8")


@pytest.mark.parametrize("merge", OVERRULED.values(), ids=OVERRULED)
def test_the_merge_is_blamed(merge: str, tmp_path: Path) -> None:
    written(tmp_path, special=0, base=1)
    report = judged(tmp_path, SCRIPT.format(merge=merge))
    assert verdicts(report)["0.weight"] == "frozen"
    (finding,) = report.findings
    assert finding.code == "FXA310"
    assert "# blamed" in line_of(finding)
    assert "`base.json` is merged over `special.json`, where `frozen` is 0" in finding.message
    assert str(finding.fix).startswith("Merge the other way round")


@pytest.mark.parametrize(
    ("merge", "special", "base"), [(RIGHT, 1, 0), (RIGHT, 0, 1), (OVERRULED["the later one"], 1, 1)]
)
def test_what_the_special_file_says_is_meant(merge: str, special: int, base: int, tmp_path: Path) -> None:
    written(tmp_path, special, base)
    report = judged(tmp_path, SCRIPT.format(merge=merge))
    assert codes(report) == []
    assert verdicts(report)["0.weight"] == ("frozen" if special else "trained")


def test_two_files_that_do_not_know_each_other(tmp_path: Path) -> None:
    written(tmp_path, special=0, base=1)
    (tmp_path / "special.json").write_text('{\n"frozen": 0\n}\n', encoding="utf-8")
    script = SCRIPT.format(merge=OVERRULED["the later one"]).replace('tree.pop("_base_", None)', "None")
    report = judged(
        tmp_path,
        script.replace('options = load("special.json")', 'options = {**load("special.json"), **load("base.json")}'),
    )
    assert codes(report) == []
    assert verdicts(report)["0.weight"] == "frozen"


SHALLOW = """
import json

import torch
from torch import nn

options = json.load(open("base.json"))
special = json.load(open("special.json"))
options.update(special)  # blamed
net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=options["optimizer"].get("lr", 0.0))
for _ in range(3):
    optimizer.zero_grad()
    net(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
"""


def test_a_block_that_takes_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text('{\n"optimizer": {\n  "lr": 0.1,\n  "decay": 0\n}\n}\n', encoding="utf-8")
    (tmp_path / "special.json").write_text('{\n"optimizer": {\n  "decay": 1\n}\n}\n', encoding="utf-8")
    (finding,) = judged(tmp_path, SHALLOW).findings
    assert finding.code == "FXA304" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Merge the blocks of the two files key by key")
    roles = [related.role for related in finding.related]
    assert roles[:2] == ["`lr` stands here", "this `optimizer` takes the place of that block"]
    deep = SHALLOW.replace("options.update(special)", 'options["optimizer"].update(special["optimizer"])')
    assert codes(judged(tmp_path, deep)) == []
