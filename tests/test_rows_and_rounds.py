"""Counts of steps where rounds are counted, and kinds of modules that neither of two optimizers is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

# -- steps for rounds --------------------------------------------------------------------------------------------------

SPEECH = """
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(0)
frames = torch.randn(6, 10, 4)
listener, speller = nn.Linear(4, 8), nn.Linear(8, 3)
optimizer = torch.optim.SGD([{"params": listener.parameters()}, {"params": speller.parameters()}], lr=0.1)


def plan(wait, per_round, last):
    opening = PRODUCT  # blamed
    END
    FACTOR
    return LambdaLR(optimizer, [late, lambda epoch: 0.9**epoch])


schedule = plan(2, len(frames), 5)


def pass_through():
    for batch in frames:
        loss = speller(torch.tanh(listener(batch))).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        INSIDE


for epoch in range(5):
    pass_through()
    BEHIND
"""
FACTORS = {
    "test": "def late(COUNTER):\n        if COUNTER < opening:\n            return 0.0\n        return 0.5",
    "other way": "def late(COUNTER):\n        if opening <= COUNTER:\n            return 1.0\n        return 0.0",
    "choice": "late = lambda COUNTER: 0.0 if COUNTER < opening else 1.0",
}


def planned(
    product: str = "wait * per_round",
    factor: str = "test",
    counter: str = "epoch",
    *,
    end: str = "pass",
    in_steps: bool = False,
) -> str:
    text = SPEECH.replace("FACTOR", FACTORS[factor]).replace("COUNTER", counter).replace("END", end)
    inside, behind = ("schedule.step()", "pass") if in_steps else ("pass", "schedule.step()")
    return text.replace("PRODUCT", product).replace("INSIDE", inside).replace("BEHIND", behind)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("product", ["wait * per_round", "max(1, per_round * wait)"])
def test_a_start_in_steps_is_blamed_where_rounds_were_multiplied_to_them(
    factor: str, product: str, tmp_path: Path
) -> None:
    report = judged(tmp_path, planned(product, factor))
    (finding,) = report.findings
    assert finding.code == "FXA304"
    assert sorted(set(verdicts(report).values())) == ["blocked", "trained"]
    assert line_of(finding) == f"opening = {product}  # blamed"
    assert "Do not multiply" in (finding.fix or "")


@pytest.mark.parametrize("factor", FACTORS)
def test_a_start_in_rounds_trains(factor: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, planned("wait", factor)).findings


def test_a_schedule_that_is_advanced_in_each_step_may_count_them(tmp_path: Path) -> None:
    assert not judged(tmp_path, planned(in_steps=True)).findings


@pytest.mark.parametrize(
    "otherwise",
    [
        {"counter": "step"},  # the call that advances the schedule is wrong
        {"end": "whole = last * per_round"},  # all of the schedule counts steps
        {"product": "wait * 20"},  # no number of steps in a round
        {"product": "8 * per_round"},  # in rounds it would never come either
    ],
)
def test_what_else_may_be_wrong_is_not_told_of_the_product(otherwise: dict[str, str], tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, planned(**otherwise)).findings  # type: ignore[arg-type]
    assert finding.code == "FXA304"
    assert "# blamed" not in line_of(finding)
    assert "Do not multiply" not in (finding.fix or "")


@pytest.mark.slow
def test_plain_training_leaves_alone_what_waits_for_steps() -> None:
    assert left_alone(planned()) == 0.5
    assert left_alone(planned("wait")) == 0.0
    assert left_alone(planned(in_steps=True)) == 0.0


# -- a kind that neither of two optimizers is given --------------------------------------------------------------------

RECURRENT = """
import torch
from torch import nn

CELLS = KINDS  # the kinds


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LSTM(4, 6), MADE
        self.out = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 2))
        self.second.is_slow = self.first.is_slow = True

    def forward(self, x):
        h = self.first(x)[0][-1]
        return self.out(SECOND)


def build(net):
    slow, fast = [], []
    for part in net.modules():
        mine = [p for p in part.parameters(recurse=False)]
        if isinstance(part, CELLS):
            slow += mine
        LAST
            fast += mine
    FILTER
    return torch.optim.SGD(fast, lr=0.1), torch.optim.RMSprop(slow, lr=0.01)


torch.manual_seed(0)
tagger = Tagger()
pair = build(tagger)


class Both:
    def zero_grad(self):
        for each in pair:
            each.zero_grad()

    def step(self):
        for each in pair:
            each.step()


optimizer = Both()


def compute():
    x = torch.randn(5, 3, 4)
    return tagger(x).square().mean()
"""
LAST = 'elif not getattr(part, "is_slow", False):'
MADE = {
    "LSTMCell": ("nn.LSTMCell(6, 6)", "self.second(h, (h, h))[0]"),
    "Mixer": ("Mixer(6)", "self.second(h)"),
    "Own": ("Own(6, 6)", "self.second(self.first(x)[0])[0][-1]"),
}
CLASSES = """

class Mixer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.weight * x


class Own(nn.LSTM):
    pass

"""


def tagging(kinds: str, made: str = "LSTMCell", last: str = LAST, drop: str = "pass") -> str:
    module, call = MADE[made]
    text = RECURRENT.replace("KINDS", kinds).replace("MADE", module).replace("SECOND", call)
    text = text.replace("LAST", last).replace("FILTER", drop).replace("\n\nclass Tagger", CLASSES + "\nclass Tagger")
    return text + LOOP


def test_the_list_of_kinds_is_blamed_that_lacks_one_for_the_other_optimizer(tmp_path: Path) -> None:
    report = judged(tmp_path, tagging("(nn.LSTM,)"))
    (finding,) = report.findings
    assert finding.code == "FXA301"
    assert verdicts(report)["second.weight_ih"] == "excluded"
    assert line_of(finding) == "CELLS = (nn.LSTM,)  # the kinds"
    assert any("isinstance(part, CELLS)" in place.source.code for place in finding.related)


def test_kinds_that_are_all_listed_train(tmp_path: Path) -> None:
    assert not judged(tmp_path, tagging("(nn.LSTM, nn.LSTMCell)")).findings
    assert not judged(tmp_path, tagging("(nn.LSTM,)", last="else:")).findings


def test_the_last_test_is_blamed_for_a_kind_like_none_of_the_list(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, tagging("(nn.LSTM,)", "Mixer")).findings
    assert finding.code == "FXA301"
    assert line_of(finding) == LAST


@pytest.mark.parametrize("made", ["Own", "LSTMCell"])
def test_the_list_of_kinds_is_not_blamed_for_what_is_dropped_behind_it(made: str, tmp_path: Path) -> None:
    """One is of a kind of the list, and the other goes to the rest, which an `else` takes."""
    last = LAST if made == "Own" else "else:"
    drop = "slow = slow[:4]" if made == "Own" else "fast = fast[4:]"
    findings = judged(tmp_path, tagging("(nn.LSTM,)", made, last, drop)).findings
    assert [finding.code for finding in findings] == ["FXA301"]
    assert "the kinds" not in line_of(findings[0])


@pytest.mark.slow
def test_plain_training_leaves_alone_the_kind_that_neither_optimizer_has() -> None:
    assert left_alone(tagging("(nn.LSTM,)")) == pytest.approx(4 / 14)
    assert left_alone(tagging("(nn.LSTM, nn.LSTMCell)")) == 0.0
