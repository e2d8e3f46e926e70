"""A number that somebody set fits nothing of the data: no row is of that kind, no place is chosen by that share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class Settings:
    rate = 0.1
    number = NUMBER  # blamed


settings = Settings()
net = nn.ModuleDict({"body": nn.Linear(4, 4), "next": nn.Linear(4, 3), "value": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=settings.rate)
"""

# -- an argument that is read only in a branch that nothing comes to ---------------------------------------------------

KINDS = """
class Losses:
    def __init__(self, kind):
        self.kind = kind

    def __call__(self, logits, value, batch):
        total = F.cross_entropy(logits, batch["next"])
        TEST
        return total


losses = Losses(settings.number)


def compute():
    batch = {"x": torch.randn(8, 4), "kind": torch.randint(3, (8,)), "next": torch.randint(3, (8,))}
    h = torch.tanh(net["body"](batch["x"]))
    logits, value = net["next"](h), net["value"](h)
    return losses(logits, VALUE, batch)
"""
TESTS = {
    "by a name": 'chosen = batch["kind"] == self.kind\n        if chosen.any():\n'
    "            total = total + value[chosen].square().mean()",
    "at once": 'if (batch["kind"] == self.kind).any():\n            total = total + value.square().mean()',
}


def kinds(test: str, given: str, number: str) -> str:
    text = HEAD.replace("NUMBER", number) + KINDS.replace("TEST", TESTS[test]).replace("VALUE", given)
    return text + LOOP


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("given", ["value", "value=value"])
def test_the_kind_that_no_row_is_of_is_blamed(test: str, given: str, tmp_path: Path) -> None:
    text = kinds(test, given, "3").replace("value=value, batch", "value=value, batch=batch")
    report = judged(tmp_path, text)
    (finding,) = report.findings
    assert verdicts(report)["value.weight"] == "unreachable"
    assert line_of(finding) == "number = 3  # blamed"
    assert "`self.kind` is 3, from here" in finding.message


@pytest.mark.parametrize("test", TESTS)
def test_a_kind_that_some_rows_are_of_is_no_matter(test: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, kinds(test, "value", "2")).findings


@pytest.mark.slow
@pytest.mark.parametrize(("number", "share"), [("3", 2 / 6), ("2", 0.0)])
def test_plain_training_leaves_alone_what_only_that_kind_trains(number: str, share: float) -> None:
    assert left_alone(kinds("by a name", "value", number)) == share


# -- places chosen by a share ------------------------------------------------------------------------------------------

PLACES = """
class Masker:
    def __init__(self, percent):
        self.percent = percent

    def __call__(self, x):
        selected = torch.zeros_like(x, dtype=torch.bool)
        for row in range(x.size(0)):
            places = torch.arange(x.size(1))
            count = round(len(places) * self.percent / 100)
            chosen = places[torch.randperm(len(places))[:count]]
            selected[row, chosen] = True
        return selected


masker = Masker(settings.number)


def compute():
    x = torch.randn(8, 4)
    weight = masker(x).float()
    h = torch.tanh(net["body"](x))
    error = (net["value"](h) - x).square()
    return (error * weight).sum() / weight.sum().clamp(min=1.0) + net["next"](h).square().mean()
"""


def test_the_share_by_which_nothing_is_chosen_is_blamed(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD.replace("NUMBER", "0.5") + PLACES + LOOP)
    (finding,) = report.findings
    assert verdicts(report)["value.weight"] == "blocked"
    assert line_of(finding) == "number = 0.5  # blamed"
    assert "this writes nowhere, and all of it stays 0" in [related.role for related in finding.related]


def test_a_share_by_which_something_is_chosen_is_no_matter(tmp_path: Path) -> None:
    assert not judged(tmp_path, HEAD.replace("NUMBER", "50") + PLACES + LOOP).findings


# -- a test of the data that holds for none of the part that is read ---------------------------------------------------

GAPS = """
data = torch.randn(24, 4, 2)
data[::3, :, 0] = float("nan")


class Rows:
    def __init__(self, values):
        self.mask = MASKED(torch.isnan(values))  # tested
        self.values = torch.nan_to_num(values)

    def batch(self, begin):
        return torch.stack([self.values[i] for i in range(begin, begin + 4)]), torch.stack(
            [self.mask[i] for i in range(begin, begin + 4)]
        )


rows = Rows(data)
net = nn.ModuleDict({"body": nn.Linear(4, 4), "first": nn.Linear(4, 4), "second": nn.Linear(4, 4)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def masked(made, wanted, mask):
    weight = mask.float()
    return ((made - wanted).square() * weight).sum() / weight.sum().clamp(min=1.0)


def compute():
    values, mask = rows.batch(0)
    h = torch.tanh(net["body"](values[..., 1]))
    return sum(masked(net[name](h), values[..., i], mask[..., i]) for i, name in enumerate(("first", "second")))
"""


@pytest.mark.parametrize(("masked", "verdict"), [("", "blocked"), ("~", "trained")])
def test_the_test_of_the_data_that_holds_for_nothing_of_a_part(masked: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD.replace("NUMBER", "0") + GAPS.replace("MASKED", masked) + LOOP)
    assert verdicts(report)["second.weight"] == verdict
    blamed = [line_of(finding) for finding in report.findings]
    assert blamed == (["self.mask = (torch.isnan(values))  # tested"] if verdict == "blocked" else [])


# -- places of zeros into which a test of the data lets nothing be written ---------------------------------------------

CELLS = """
class Assigner:
    def __init__(self, ranges):
        self.ranges = ranges

    def __call__(self, sizes, level):
        low, high = self.ranges[level]
        chosen = (sizes >= low) & (sizes < high)
        wanted = torch.zeros(len(sizes), 4)
        rows = torch.arange(len(sizes))[chosen]
        wanted[rows, (sizes * 3).long()[chosen]] = 1.0
        return wanted


assigner = Assigner([[0.0, 0.6], UPPER])


def compute():
    x, sizes = torch.randn(8, 4), torch.rand(8)
    h = torch.tanh(net["body"](x))
    return (net["next"](h).sum(1, keepdim=True) * assigner(sizes, 0)).square().mean() + (
        (net["value"](h) - 1).square() * assigner(sizes, 1)
    ).mean()
"""


def cells(upper: str) -> str:
    return HEAD.replace("NUMBER", "1") + CELLS.replace("UPPER", upper) + LOOP


def test_the_test_that_lets_nothing_into_the_zeros_is_blamed(tmp_path: Path) -> None:
    report = judged(tmp_path, cells("[6.0, 32.0]"))
    (finding,) = report.findings
    assert finding.code == "FXA501"
    assert verdicts(report)["value.weight"] == "blocked"
    assert line_of(finding) == "chosen = (sizes >= low) & (sizes < high)"
    assert not judged(tmp_path, cells("[0.3, 32.0]")).findings


@pytest.mark.slow
@pytest.mark.parametrize(("upper", "share"), [("[6.0, 32.0]", 2 / 6), ("[0.3, 32.0]", 0.0)])
def test_plain_training_leaves_alone_what_nothing_is_written_for(upper: str, share: float) -> None:
    assert left_alone(cells(upper)) == share
