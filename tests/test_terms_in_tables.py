"""A term of the loss stands in a table, and the loop over the table passes it by: what decides so is blamed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripts import LOOP, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

SCRIPT = """
import json

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.sides = nn.Linear(4, 4), nn.Linear(4, 1), nn.ModuleList([nn.Linear(4, 1)])

    def forward(self, x):
        h, sides = torch.tanh(self.body(x)), []
        for side in self.sides:
            sides.append(side(h))
        out = self.head(h)
        return {"out": out, "sides": sides}


def beside(sides):
    return sum((side - 1).square().mean() for side in sides)


TABLE


class Criterion:
    def __init__(self, weights):
        self.weights = weights

    def __call__(self, found):
        total = 0.0
        for name, term in TERMS.items():
            weight = self.weights.get(name, 0.0)
            LOOP_OF_TERMS
        return total


def merged(base, extra):
    found = dict(base)
    for key, value in extra.items():
        found[key] = merged(found[key], value) if isinstance(value, dict) and key in found else value
    return found


WEIGHTS
net, criterion = Net(), Criterion(weights)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return criterion(net(torch.randn(8, 4)))
"""
TABLES = {
    "lambdas": 'TERMS = {"main": lambda found: (found["out"] - 1).square().mean(),\n'
    '    "side": lambda found: beside(found["sides"])}',
    "one line": 'TERMS = {"main": lambda found: (found["out"] - 1).square().mean(), '
    '"side": lambda found: beside(found["sides"])}',
    "a registry": "TERMS = {}\n\n\ndef term(name):\n    return lambda made: TERMS.setdefault(name, made)\n\n\n"
    '@term("main")\ndef main_term(found):\n    return (found["out"] - 1).square().mean()\n\n\n'
    '@term("side")\ndef side_term(found):\n    return beside(found["sides"])',
}
LOOPS = {
    "a branch": "if weight > 0:\n                total = total + weight * term(found)",
    "the next round": "if not weight:\n                continue\n            total = total + weight * term(found)",
}
WRITTEN = 'weights = {\n    "main": 1.0,\n    "side": NUMBER,  # blamed\n}'


def script(table: str, loop: str, weights: str) -> str:
    text = SCRIPT.replace("LOOP_OF_TERMS", LOOPS[loop]).replace("TABLE", TABLES[table])
    return text.replace("WEIGHTS", weights) + LOOP


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("loop", LOOPS)
def test_the_weight_that_passes_a_term_by_is_blamed(table: str, loop: str, tmp_path: Path) -> None:
    report = judged(tmp_path, script(table, loop, WRITTEN.replace("NUMBER", "0.0")))
    (finding,) = report.findings
    assert verdicts(report)["sides.0.weight"] == "unreachable"
    assert line_of(finding) == '"side": 0.0,  # blamed'
    assert "`side` is passed by here" in " ".join(related.role for related in finding.related)


@pytest.mark.parametrize("table", TABLES)
def test_a_term_with_a_weight_is_no_matter(table: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, script(table, "a branch", WRITTEN.replace("NUMBER", "0.5"))).findings


@pytest.mark.slow
@pytest.mark.parametrize(("number", "share"), [("0.0", 2 / 6), ("0.5", 0.0)])
def test_plain_training_leaves_alone_what_only_the_term_trains(number: str, share: float) -> None:
    assert left_alone(script("lambdas", "a branch", WRITTEN.replace("NUMBER", number))) == share


READ = """
try:
    import tomllib
except ImportError:
    tomllib = None


def read(file):
    if file.endswith(".toml"):
        return tomllib.loads(open(file).read())
    return json.load(open(file))


weights = merged(read("base.KIND"), read("ours.KIND"))["loss"]
"""


@pytest.mark.parametrize(
    ("ours", "blamed"),
    [
        ({"loss": {"side_outputs": 0.4}}, "side_outputs"),
        ({"loss": {"main": 0.5}}, "side"),
        ({"notes": {"side_outputs": 0.4}}, "side"),
    ],
)
@pytest.mark.parametrize("kind", ["json", "toml"])
def test_the_key_that_nobody_reads_beside_the_one_that_counts(
    kind: str, ours: dict[str, dict[str, float]], blamed: str, tmp_path: Path
) -> None:
    if kind == "toml":
        pytest.importorskip("tomllib")
    for name, content in (("base", {"loss": {"main": 1.0, "side": 0.0}}), ("ours", ours)):
        sections = (
            f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in block.items())
            for section, block in content.items()
        )
        text = json.dumps(content, indent=2) if kind == "json" else "\n".join(sections)
        (tmp_path / f"{name}.{kind}").write_text(text)
    (finding,) = judged(tmp_path, script("lambdas", "a branch", READ.replace("KIND", kind))).findings
    assert line_of(finding).split()[0].strip('":') == blamed
    assert ("Correct the key" in finding.fix) == (blamed == "side_outputs")
