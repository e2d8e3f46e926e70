"""A count that begins anew before it comes to where somebody waits for it, a `zip` over too few rates for the groups,
and an entry that another of the same key takes the place of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

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


# -- rates for fewer groups than there are -----------------------------------------------------------------------------

GROUPS = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.Adam([{"params": [net[0].weight]}, {"params": [net[0].bias]}, *REST], lr=0.0)
factors = FACTORS


class Schedule:
    def __init__(self, optimizer, factors):
        self.optimizer, self.factors = optimizer, factors

    def rates(self, lr):
        return [lr * factor for factor in self.factors]

    def apply(self, lr):
WAY


schedule = Schedule(optimizer, factors)


def compute():
    schedule.apply(0.01)
    return net(torch.randn(8, 4)).square().mean()
""".replace("*REST", '{"params": net[2].parameters()}')
WRITTEN = {
    "a zip": """
        for group, factor in zip(self.optimizer.param_groups, self.factors):  # blamed
            group["lr"] = lr * factor
""",
    "a zip the other way round": """
        for factor, group in zip(self.factors, self.optimizer.param_groups):  # blamed
            group["lr"] = lr * factor
""",
    "a zip that is counted": """
        for index, (group, factor) in enumerate(zip(self.optimizer.param_groups, self.factors)):  # blamed
            group["lr"] = lr * factor / (index + 1)
""",
    "a zip over what a method gives": """
        for group, rate in zip(self.optimizer.param_groups, self.rates(lr)):  # blamed
            group["lr"] = rate
""",
    "an index": """
        for index, factor in enumerate(self.factors):  # blamed
            self.optimizer.param_groups[index]["lr"] = lr * factor
""",
    "an index in a range": """
        for index in range(len(self.factors)):  # blamed
            self.optimizer.param_groups[index]["lr"] = lr * self.factors[index]
""",
}


def groups(way: str, factors: str) -> str:
    return GROUPS.replace("FACTORS", factors).replace("WAY", WRITTEN[way].strip("\n")) + LOOP


@pytest.mark.parametrize("way", WRITTEN)
def test_the_loop_that_ends_before_the_last_group_is_blamed(way: str, tmp_path: Path) -> None:
    report = judged(tmp_path, groups(way, "[0.5, 1.0]"))
    (finding,) = report.findings
    assert verdicts(report)["2.weight"] == "blocked" and verdicts(report)["0.bias"] == "trained"
    assert finding.code == "FXA304" and "# blamed" in line_of(finding)
    assert "of the 3 in `self.optimizer.param_groups` this" in finding.message


@pytest.mark.parametrize("way", WRITTEN)
def test_a_rate_for_each_group_is_no_matter(way: str, tmp_path: Path) -> None:
    assert codes(judged(tmp_path, groups(way, "[0.5, 1.0, 1.0]"))) == []


def test_a_factor_of_0_is_not_blamed_on_the_loop(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, groups("a zip", "[0.5, 1.0, 0.0]")).findings
    assert finding.code == "FXA304" and "# blamed" not in line_of(finding)


@pytest.mark.slow
@pytest.mark.parametrize(("factors", "share"), [("[0.5, 1.0]", 0.5), ("[0.5, 1.0, 1.0]", 0.0)])
def test_plain_training_leaves_alone_the_group_without_a_rate(factors: str, share: float) -> None:
    assert left_alone(groups("a zip", factors)) == share


# -- an entry that another of the same key takes the place of ----------------------------------------------------------

HEADS = """
import torch
from torch import nn

torch.manual_seed(0)


class Head(nn.Module):
    def __init__(self, key):
        super().__init__()
        self.key = key
        self.out = nn.Linear(4, 1)


class First(Head):
    def loss(self, h):
        return {"first": self.out(h).square().mean(), "size": h.square().mean()}

    def named(self, h):
        terms = {"first": self.out(h).square().mean()}
        return terms


class Second(Head):
    def loss(self, h):
        return {"KEY": (self.out(h) - 1).square().mean(), "level": h.mean().square()}

    def named(self, h):
        terms = {"KEY": (self.out(h) - 1).square().mean()}
        return terms


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.first, self.second = First("first"), Second("KEY")

    def forward(self, x):
        h = torch.tanh(self.body(x))
WAY
        return losses


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return sum(net(torch.randn(8, 4)).values())
"""
MERGED = {
    "update": """
        losses = {}
        losses.update(self.first.loss(h))
        losses.update(self.second.loss(h))  # blamed
""",
    "a display": """
        first = self.first.loss(h)
        second = self.second.loss(h)
        losses = {**first, **second}  # blamed
""",
    "a display of calls": """
        losses = {**self.first.loss(h), **self.second.loss(h)}  # blamed
""",
    "a union": """
        losses = self.first.named(h)
        losses |= self.second.named(h)  # blamed
""",
    "an assignment": """
        losses = {}
        losses["first"] = self.first.out(h).square().mean()
        losses["KEY"] = (self.second.out(h) - 1).square().mean()  # blamed
""",
    "names": """
        losses = {}
        first, second = self.first.named(h), self.second.named(h)
        losses.update(first)
        losses.update(second)  # blamed
""",
    "a loop": """
        losses = {}
        for head in (self.first, self.second):
            losses.update(head.loss(h))  # blamed
""",
}


def heads(way: str, key: str) -> str:
    return HEADS.replace("WAY", MERGED[way].strip("\n")).replace("KEY", key) + LOOP


@pytest.mark.parametrize("way", MERGED)
def test_where_another_takes_its_place_is_blamed(way: str, tmp_path: Path) -> None:
    report = judged(tmp_path, heads(way, "first"))
    (finding,) = report.findings
    assert verdicts(report)["first.out.weight"] == "unreachable" and verdicts(report)["second.out.weight"] == "trained"
    assert finding.code == "FXA103" and "# blamed" in line_of(finding)
    assert "what is put here under `first` takes the place of another" in finding.message


@pytest.mark.parametrize("way", MERGED)
def test_keys_of_their_own_are_no_matter(way: str, tmp_path: Path) -> None:
    assert codes(judged(tmp_path, heads(way, "second"))) == []


def test_a_term_that_nobody_wants_is_not_blamed_on_the_next_step(tmp_path: Path) -> None:
    text = HEADS.replace("WAY", '        self.kept = kept\n        kept["first"] = self.first.out(h).mean()')
    text = text.replace("return losses", 'return {"second": self.second.out(h).square().mean()}')
    (finding,) = judged(tmp_path, text.replace("net = Net()", "kept = {}\nnet = Net()") + LOOP).findings
    assert finding.code == "FXA103" and "takes the place" not in finding.message


@pytest.mark.slow
@pytest.mark.parametrize(("key", "share"), [("first", 2 / 6), ("second", 0.0)])
def test_plain_training_leaves_alone_what_is_replaced(key: str, share: float) -> None:
    assert left_alone(heads("update", key)) == share
