"""A count that begins anew before it comes to where somebody waits for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

# -- an optimizer that steps every so many batches, of which an epoch has fewer ----------------------------------------

PARTS = """
import torch
from torch import nn

torch.manual_seed(0)


class Settings:
    body = NUMBER  # blamed
    head = 1


settings = Settings()
net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
body = torch.optim.SGD(net[0].parameters(), lr=0.1)
head = torch.optim.SGD(net[2].parameters(), lr=0.1)
batches = [torch.randn(8, 4) for _ in range(3)]


class Part:
    def __init__(self, optimizer, every):
        self.optimizer = optimizer
        self.every = every
        self.count = 0

    def due(self, step):
        return step % self.every == 0

    def begin(self):
        self.count = 0  # anew

    def advance(self, index):
        if (index + 1) % self.every:
            return
        self.optimizer.step()
        self.optimizer.zero_grad()

    def count_on(self):
        self.count += 1
        if self.count < self.every:
            return
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.count = 0


parts = [Part(head, settings.head)]
parts.append(Part(body, settings.body))
optimizers = {"head": head, "body": body}
every = {"head": settings.head, "body": settings.body}

for epoch in range(4):
    BEGIN
    for step, x in enumerate(batches, START):
        net(x).square().mean().backward()
"""
WAYS = {
    "slots": (
        "1",
        """
        for part in parts:
            if step % part.every == 0:
                part.optimizer.step()
                part.optimizer.zero_grad()
""",
    ),
    "a method that returns": (
        "0",
        """
        for part in parts:
            part.advance(step)
""",
    ),
    "a table": (
        "0",
        """
        for name, optimizer in optimizers.items():
            if (step + 1) % every[name] != 0:
                continue
            optimizer.step()
            optimizer.zero_grad()
""",
    ),
    "a test that denies": (
        "1",
        """
        for part in parts:
            if not step % part.every:
                part.optimizer.step()
                part.optimizer.zero_grad()
""",
    ),
    "a test that is asked": (
        "1",
        """
        for part in parts:
            if part.due(step):
                part.optimizer.step()
                part.optimizer.zero_grad()
""",
    ),
}


def periods(way: str, number: int) -> str:
    start, body = WAYS[way]
    text = PARTS.replace("NUMBER", str(number)).replace("BEGIN", "pass").replace("START", start)
    return text.rstrip() + body


@pytest.mark.parametrize("way", WAYS)
def test_the_number_that_no_epoch_comes_to_is_blamed(way: str, tmp_path: Path) -> None:
    report = judged(tmp_path, periods(way, 5))
    (finding,) = report.findings
    assert verdicts(report) == {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "trained", "2.bias": "trained"}
    assert (finding.code, line_of(finding)) == ("FXA401", "body = 5  # blamed")
    assert "`step` begins anew here, each time" in [related.role for related in finding.related]
    assert "let the counter go on" in finding.fix


@pytest.mark.parametrize("way", WAYS)
def test_a_number_that_every_epoch_comes_to_is_no_matter(way: str, tmp_path: Path) -> None:
    assert codes(judged(tmp_path, periods(way, 3))) == []


def test_an_optimizer_that_waits_for_nothing_and_is_forgotten_is_not_blamed_on_a_number(tmp_path: Path) -> None:
    text = periods("slots", 2).replace("Part(body, settings.body)", "Part(head, 2)")
    (finding,) = judged(tmp_path, text).findings
    assert finding.code == "FXA401"
    assert "every" not in line_of(finding) and "blamed" not in line_of(finding)


COUNTING = PARTS.replace("START", "0").rstrip() + "\n        for part in parts:\n            part.count_on()\n"


def set_back(number: int) -> str:
    return COUNTING.replace("NUMBER", str(number)).replace("BEGIN", "[part.begin() for part in parts]")


def test_where_the_counter_is_set_back_is_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, set_back(5)).findings
    assert (finding.code, line_of(finding)) == ("FXA401", "self.count = 0  # anew")


def test_where_the_counter_of_the_only_optimizer_is_set_back_is_blamed(tmp_path: Path) -> None:
    text = set_back(5).replace("[Part(head, settings.head)]", "[]")
    text = text.replace("net[0].parameters()", "net.parameters()")
    text = text.replace("head = torch.optim.SGD(net[2].parameters(), lr=0.1)", "head = body")
    (finding,) = judged(tmp_path, text).findings
    assert (finding.code, line_of(finding)) == ("FXA401", "self.count = 0  # anew")


@pytest.mark.parametrize("text", [set_back(3), COUNTING.replace("NUMBER", "5").replace("BEGIN", "pass")])
def test_a_counter_that_gets_there_is_no_matter(text: str, tmp_path: Path) -> None:
    assert codes(judged(tmp_path, text)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("text", "share"), [(periods("slots", 5), 0.5), (periods("slots", 3), 0.0)])
def test_plain_training_leaves_alone_what_waits_for_too_many_batches(text: str, share: float) -> None:
    assert left_alone(text) == share


@pytest.mark.slow
@pytest.mark.parametrize(("text", "share"), [(set_back(5), 0.5), (set_back(3), 0.0)])
def test_plain_training_leaves_alone_what_a_counter_set_back_holds_up(text: str, share: float) -> None:
    assert left_alone(text) == share
