"""What is told besides the recorded steps: what came after them, and whose gradients nobody averages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

import fxaudit
from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Finding
from fxaudit.errors import UnknownRuleError
from fxaudit.judge.rules.loop.stops_later import Stop, StopsLater
from fxaudit.judge.trail import source_at
from fxaudit.judge.write_up import unjudged_report, with_later_findings
from fxaudit.report import Report

# -- after the recorded steps ------------------------------------------------------------------------------------------


def answered() -> Answer:
    return unjudged_report([("net.a", True), ("net.b", False)], "train.py", {"torch": "2"}, ["one", "two", "one"])


def stopped(*names: str, is_meant: bool = False) -> Stop:
    line, other = source_at("train.py", 3), source_at("train.py", 5)
    return Stop(names, "its rate is 0", 4, 9, is_meant, line, ((line, "the same line"), (other, "stepped here")))


def test_what_could_not_be_judged_is_unknown_by_its_name() -> None:
    answer = answered()
    reason = "fxaudit failed when it judged this program; see the notes"
    assert {(name, p.verdict, p.reason, p.requires_grad) for name, p in answer.parameters.items()} == {
        ("net.a", "unknown", reason, True),
        ("net.b", "unknown", reason, False),
    }
    assert (answer.notes, answer.audited, answer.title) == (("one", "two"), False, "train.py")


def test_what_stopped_later_is_told_with_its_full_name_and_the_steps() -> None:
    every = ["net.a", "net.b", "other"]
    finding = StopsLater().told(stopped("a", "other", "gone"), every)
    assert finding.parameters == ("net.a", "other", "gone")
    assert finding.message.endswith("stopped training: its rate is 0 in the last 4 of 9 steps")
    assert (finding.code, finding.level, finding.culprit) == ("FXA411", "warning", source_at("train.py", 3))
    assert [(r.role, r.source) for r in finding.related] == [("stepped here", source_at("train.py", 5))]
    assert StopsLater().told(stopped("a", is_meant=True), every).level == "note"


def test_what_is_found_later_stands_by_its_parameters_and_in_the_order_of_levels() -> None:
    first = Finding("FXA902", "nothing-recorded", "note", "nothing", "", ())
    answer = with_later_findings(answered(), [first])
    later = StopsLater().told(stopped("a"), ["net.a", "net.b"])
    found = with_later_findings(answer, [later])
    assert with_later_findings(answer, []) is answer
    assert found.findings == (later, first)
    assert (found.parameters["net.a"].findings, found.parameters["net.b"].findings) == ((later,), ())
    assert [rule.code for rule in found.rules] == ["FXA902", "FXA411"]
    assert with_later_findings(found, [later]).rules == found.rules


def test_a_rule_that_does_not_exist_is_answered_with_those_of_its_family() -> None:
    with pytest.raises(UnknownRuleError) as raised:
        fxaudit.explain("FXA199")
    words, near = str(raised.value).split(" Near it: ")
    assert words == "There is no rule 'FXA199'."
    assert near.endswith("; `fxaudit rules` lists all.")
    assert [code[:4] for code in near.partition(";")[0].split(", ")] == ["FXA1"] * 4


# -- several processes, as each sees them ------------------------------------------------------------------------------


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor, both: bool = True) -> torch.Tensor:
        out: torch.Tensor = self.first(x)
        return out + self.second(x) if both else out


@pytest.fixture
def alone() -> Iterator[None]:
    """A group of one process."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def accumulated() -> None:
    model, x = DistributedDataParallel(Pair()), torch.randn(8, 4)  # wrapped
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        with model.no_sync():  # blamed
            model(x).square().mean().backward()
        optimizer.step()


def past_the_wrapper() -> None:
    model, x = DistributedDataParallel(Pair()), torch.randn(8, 4)  # wrapped
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model.module(x).square().mean().backward()  # blamed
        optimizer.step()


def unevenly() -> None:
    model, x = DistributedDataParallel(Pair(), find_unused_parameters=False), torch.randn(8, 4)  # blamed
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        optimizer.zero_grad()
        model(x, both=step != 1).square().mean().backward()  # without
        optimizer.step()
        if step == 1:
            return


AVERAGED = {
    accumulated: ("FXA409", "no backward averages the gradients of", {"wrapped": "wrapped here"}),
    past_the_wrapper: ("FXA409", "no call of the wrapper averages the gradients of", {"wrapped": "wrapped here"}),
    unevenly: (
        "FXA410",
        "one backward brings no gradient to `second.*`, others do",
        {"without": "this backward goes without"},
    ),
}


@pytest.mark.slow  # torch's wrapper takes seconds when it is first used
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("loop", AVERAGED, ids=lambda loop: loop.__name__)
def test_a_wrapper_whose_gradients_are_not_averaged_is_told_at_its_line(loop: object) -> None:
    assert callable(loop)
    with fxaudit.watch() as watching:
        loop()
    report = watching.report
    assert isinstance(report, Report)
    code, words, roles = AVERAGED[loop]  # type: ignore[index]
    finding = next(f for f in report.findings if f.code == code)
    assert finding.culprit is not None and finding.culprit.code.endswith("# blamed")
    assert words in finding.message
    assert {r.source.code.rpartition("# ")[2]: r.role for r in finding.related if r.source} == roles
    assert Path(finding.culprit.file).name == Path(sys.modules[__name__].__file__ or "").name
