"""A copy, an option, a type or a reading that turns what is meant into its opposite."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.report import Report
from tests.scripts import codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import copy

import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(32, 4), torch.randn(32, 1)
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def train(optimizer, steps=1):
    for _ in range(steps):
        loss = (net(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()
"""
FILLING = """
target = copy.deepcopy(net).requires_grad_(False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
memory = []


def sync(into, source):
    with torch.no_grad():
        for a, b in zip(into.parameters(), source.parameters()):
            a.data.copy_(b.data)

for epoch in range(9):
    TOP
    for turn in range(4):
        memory.append(turn)
        if len(memory) > 9:
            train(optimizer)
    END
"""
LOAD = "net.load_state_dict(target.state_dict())  # blamed"
HELPER = "sync(net, target)  # blamed"
PERIODIC = "if epoch % 2 == 0: net.load_state_dict(target.state_dict())  # blamed"
COPIES = {
    "a load": ("pass", LOAD),
    "a helper": ("pass", HELPER),
    "a load in every second round": (PERIODIC, "pass"),
}
RIGHT = {
    "a target that follows": ("pass", "target.load_state_dict(net.state_dict())"),
    "a server that follows": (
        "net.load_state_dict(target.state_dict())",
        "target.load_state_dict({k: (v + net.state_dict()[k]) / 2 for k, v in target.state_dict().items()})",
    ),
    "an average that is taken over": (
        "pass",
        "sync(target, net); net.load_state_dict(target.state_dict())",
    ),
}


def _of_the_net(report: Report) -> set[str]:
    return {verdict for name, verdict in verdicts(report).items() if not name.startswith("target")}


def filled(top: str, end: str) -> str:
    return HEAD + FILLING.replace("TOP", top).replace("END", end)


@pytest.mark.parametrize("name", COPIES)
def test_a_network_that_nobody_trains_copied_in_while_the_memory_still_fills(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, filled(*COPIES[name]))
    assert _of_the_net(report) == {"replaced"}
    loud = [finding for finding in report.findings if finding.level != "note"]
    assert [finding.code for finding in loud] == ["FXA408"]
    assert line_of(loud[0]).endswith("# blamed"), str(loud[0].culprit)


@pytest.mark.parametrize("name", RIGHT)
def test_a_copy_that_follows_is_no_finding(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, filled(*RIGHT[name]))
    assert "FXA408" not in codes(report)
    assert _of_the_net(report) == {"trained"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "share"), [("a load", 1.0), ("a helper", 1.0)])
def test_plain_training_is_undone_by_the_copy(name: str, share: float) -> None:
    assert left_alone(filled(*COPIES[name])) == share


# -- what gives its items once, counted before the optimizer gets it ---------------------------------------------------

COUNTED = """
import itertools

BODY, HEAD = net[0], net[2]
body = MADE  # blamed
count = sum(p.numel() for p in body)  # counted
optimizer = torch.optim.SGD([{"params": body}, {"params": HEAD.parameters()}], lr=0.05)
for epoch in range(4):
    train(optimizer)
"""
LAZY = {
    "filter": "filter(lambda p: p.requires_grad, BODY.parameters())",
    "map": "map(lambda entry: entry[1], BODY.named_parameters())",
    "chain": "itertools.chain([BODY.weight], [BODY.bias])",
}


@pytest.mark.parametrize("name", LAZY)
def test_a_filter_that_is_counted_first_is_to_be_a_list(name: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + COUNTED.replace("MADE", LAZY[name])).findings
    assert finding.code == "FXA301" and line_of(finding).endswith("# blamed")
    assert any(related.source.code.endswith("# counted") for related in finding.related)
    kept = COUNTED.replace("MADE", f"list({LAZY[name]})")
    assert judged(tmp_path, HEAD + kept).findings == ()


def test_who_counts_what_a_module_gives_stays_the_one_to_blame(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + COUNTED.replace("MADE", "BODY.parameters()")).findings
    assert finding.code == "FXA301" and line_of(finding).endswith("# counted")


@pytest.mark.slow
def test_plain_training_leaves_what_was_counted_alone() -> None:
    assert left_alone(HEAD + COUNTED.replace("MADE", LAZY["filter"])) == 0.5
    assert left_alone(HEAD + COUNTED.replace("MADE", f"list({LAZY['filter']})")) == 0.0


# -- a fraction that is given for a whole number -----------------------------------------------------------------------

FIELDS = """
import dataclasses


@dataclasses.dataclass
class Options:
    lr: float = 0.05
    mult: KIND = 1  # blamed


def read(options, line):
    key, text = (part.strip() for part in line.split("="))
    kinds = {field.name: field.type for field in dataclasses.fields(options)}
    number = float(text)
    setattr(options, key, int(number) if kinds[key] is int else number)


options = Options()
with open("options.cfg") as lines:
    for line in lines:
        read(options, line)
"""
DEFAULTS = """
OPTIONS = {
    "lr": 0.05,
    "mult": FIRST,  # blamed
}


def put(options, text):
    key, _, given = text.partition("=")
    options.update({key: type(options[key])(float(given))})


put(OPTIONS, "mult=GIVEN")


class Box:
    def __init__(self, entries):
        self.__dict__.update(entries)


options = Box(OPTIONS)
"""
PARSED = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", default=0.05)
parser.add_argument("--mult", default=FIRST)  # blamed
options = parser.parse_args([])
with open("options.cfg") as lines:
    for line in lines:
        key, text = line.split("=")
        setattr(options, key.strip(), type(getattr(options, key.strip()))(float(text)))
"""
SCALED = """
optimizer = torch.optim.SGD(
    [{"params": net[0].parameters(), "lr": options.lr * options.mult}, {"params": net[2].parameters()}], lr=0.05
)
for epoch in range(4):
    train(optimizer)
"""
TYPED = {
    "a field": FIELDS.replace("KIND", "int"),
    "a default": DEFAULTS.replace("FIRST", "1"),
    "an option": PARSED.replace("FIRST", "1"),
}
FLOATS = {
    "a field": FIELDS.replace("KIND", "float"),
    "a default": DEFAULTS.replace("FIRST", "1.0"),
    "an option": PARSED.replace("FIRST", "1.0"),
}


def _scaled(folder: Path, text: str, given: str) -> str:
    (folder / "options.cfg").write_text(f"lr = 0.05\nmult = {given}\n")
    return HEAD + text.replace("GIVEN", given) + SCALED


@pytest.mark.parametrize("name", TYPED)
def test_a_fraction_given_for_a_whole_number_leads_to_what_makes_it_one(name: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _scaled(tmp_path, TYPED[name], "0.1")).findings
    assert finding.code == "FXA304" and line_of(finding).endswith("# blamed")
    assert "`float`" in finding.fix


@pytest.mark.parametrize("name", FLOATS)
def test_a_fraction_given_for_a_number_is_no_finding(name: str, tmp_path: Path) -> None:
    assert judged(tmp_path, _scaled(tmp_path, FLOATS[name], "0.1")).findings == ()


@pytest.mark.parametrize("name", TYPED)
def test_a_zero_given_for_a_whole_number_is_not_rounded(name: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _scaled(tmp_path, TYPED[name], "0")).findings
    assert finding.code == "FXA304" and "`float`" not in finding.fix


@pytest.mark.slow
@pytest.mark.parametrize(("first", "share"), [("1", 0.5), ("1.0", 0.0)])
def test_plain_training_leaves_alone_what_is_scaled_by_a_whole_number(
    first: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert left_alone(_scaled(tmp_path, PARSED.replace("FIRST", first), "0.1")) == share


# -- a number that is to rise, and falls -------------------------------------------------------------------------------

KEEPER = """
class Keeper:
    def __init__(self, mode, rewind=True):
        self.mode, self.rewind, self.best = mode, rewind, None

    def improved(self, value):
        WAY

    def look(self, value):
        if self.best is None or self.improved(value):
            self.best, self.state = value, copy.deepcopy(net.state_dict())
        elif self.rewind:
            net.load_state_dict(self.state)  # put back


OPTIONS = {
    "mode": MODE,  # blamed
    "rewind": True,
}
keeper, optimizer = Keeper(**OPTIONS), torch.optim.SGD(net.parameters(), lr=RATE)


@torch.no_grad()
def measure():
    return METRIC


keeper.look(measure())
for epoch in range(5):
    train(optimizer, 4)
    keeper.look(measure())
"""
ERROR = "(net(x) - y).square().mean().item() ** 0.5"
SHARE = "2 * ((net(x) - y).abs() < 0.9).float().mean().item() - 1"
EXPRESSION = 'return value < self.best if self.mode == "min" else value > self.best'
EARLY = """if self.mode == "min":
            return value < self.best - 1e-4
        return value > self.best + 1e-4"""
BRANCH = """if self.mode == "max":
            better = self.best < value
        else:
            better = self.best > value
        return better"""
WAYS = {"an expression": EXPRESSION, "an early return": EARLY, "a branch": BRANCH}


def _kept(way: str, mode: str, metric: str = ERROR, rate: str = "0.05") -> str:
    text = KEEPER.replace("WAY", way).replace("MODE", repr(mode)).replace("METRIC", metric).replace("RATE", rate)
    return HEAD + text


@pytest.mark.parametrize("way", WAYS)
def test_the_mode_by_which_an_error_is_to_rise_is_blamed(way: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _kept(WAYS[way], "max")).findings
    assert finding.code == "FXA408" and line_of(finding).endswith("# blamed"), str(finding.culprit)
    assert judged(tmp_path, _kept(WAYS[way], "min")).findings == ()


def test_the_mode_by_which_a_share_that_is_right_is_to_fall_is_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _kept(EXPRESSION, "min", SHARE, "0.2")).findings
    assert finding.code == "FXA408" and line_of(finding).endswith("# blamed"), str(finding.culprit)
    assert judged(tmp_path, _kept(EXPRESSION, "max", SHARE, "0.2")).findings == ()


@pytest.mark.parametrize(("mode", "metric"), [("min", ERROR), ("max", SHARE)])
def test_what_gets_worse_because_the_steps_are_too_large_is_not_for_the_mode(
    mode: str, metric: str, tmp_path: Path
) -> None:
    (finding,) = judged(tmp_path, _kept(EXPRESSION, mode, metric, "3.0")).findings
    assert finding.code == "FXA408" and not line_of(finding).startswith('"mode"')


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "share"), [("max", 1.0), ("min", 0.0)])
def test_plain_training_is_undone_by_the_mode(mode: str, share: float) -> None:
    assert left_alone(_kept(EXPRESSION, mode)) == share
