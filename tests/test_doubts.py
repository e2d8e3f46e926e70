"""What a symbolic trace leaves open is said to be open, with the reason; what it settles is a finding."""

from __future__ import annotations

import inspect
import random
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit

OPEN = "whether it is used is open: "


class Net(nn.Module):
    """What forward does with the three layers is the trait of each subclass."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.aux, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)


class BesideACut(Net):
    def forward(self, x: Any) -> Any:
        kept = self.first(x)
        h = self.aux(kept).detach()
        if x.shape[0] > 4:
            h = h + kept
        return self.last(h)


class LeavesEarly(Net):
    def forward(self, x: Any) -> Any:
        h = self.aux(self.first(x))
        if x.shape[0] > 4:
            return self.last(h)
        return self.last(h.detach())


class AsLongAsItIsLong(Net):
    def forward(self, x: Any) -> Any:
        h = self.first(x)
        while h.shape[0] > 4:
            h = self.aux(h)[::2]
        return self.last(h)


class ForLabels(Net):
    def forward(self, x: Any, labels: Any = None, weights: Any = None) -> Any:
        out = self.last(self.first(x))
        if labels is not None and weights is not None:
            out = out + self.aux(x).mean()
        return out


class ReadForLabels(Net):
    def forward(self, x: Any, labels: Any = None) -> Any:
        out, extra = self.last(self.first(x)), self.aux(x)
        if labels is not None:
            out = out + extra.mean()
        return out


class DrawnByName(Net):
    def forward(self, x: Any) -> Any:
        part = random.choice(["first", "aux"])
        return self.last(getattr(self, part)(x))


class NamedByASetting(Net):
    part = "first"

    def forward(self, x: Any) -> Any:
        return self.last(getattr(self, self.part)(x))


class InALambda(Net):
    def __init__(self) -> None:
        super().__init__()
        self.more = lambda x: self.aux(x)

    def forward(self, x: Any) -> Any:
        return self.last(self.first(x))


class FurtherDown(Net):
    def forward(self, x: Any, deep: bool = False) -> Any:
        h = self.first(x)
        return self.last(self.deeper(h) if deep else h)

    def deeper(self, h: Any) -> Any:
        return self.even_deeper(h)

    def even_deeper(self, h: Any) -> Any:
        return self.aux(h)


class ByKey(Net):
    def forward(self, batch: Any) -> Any:
        h = self.first(batch["x"])
        if "y" in batch:
            h = self.aux(h)
        return self.last(h)


def said(model: nn.Module, **given: Any) -> tuple[str, str]:
    report = fxaudit.audit(model, **given)["aux.weight"]
    return report.verdict, report.reason


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (AsLongAsItIsLong, "`h.shape[0] > 4` in line 46 depends on what only data can tell"),
        (ForLabels, "it runs only when `labels` and `weights` are given"),
        (ReadForLabels, "it runs only when `labels` is given"),
        (DrawnByName, "which of several it is depends on a random draw"),
        (
            InALambda,
            "`lambda` uses it, which no forward calls; only a run of the loop can tell whether anybody does",
        ),
        (FurtherDown, "it runs only when `deep` is given"),
        (LeavesEarly, "`x.shape[0] > 4` in line 38 depends on what only data can tell"),
    ],
)
def test_what_is_open_is_unknown_with_the_reason(model: type[Net], reason: str) -> None:
    report = fxaudit.audit(model())
    assert {one.reason for one in report if one.verdict == "unknown"} == {OPEN + reason}
    assert report.findings == ()


def test_what_a_setting_names_is_settled() -> None:
    report = fxaudit.audit(NamedByASetting())
    assert report["aux.weight"].verdict == "unreachable"
    assert [finding.code for finding in report.findings] == ["FXA101"]


def test_a_cut_beside_an_open_branch_is_open_only_for_what_the_branch_would_use() -> None:
    report = fxaudit.audit(BesideACut())
    assert report["first.weight"].verdict == "unknown"
    assert "`x.shape[0] > 4` in line 30" in report["first.weight"].reason
    assert report["last.weight"].verdict == "trained"


def test_a_batch_that_passes_a_part_over_leaves_it_open() -> None:
    reason = "this batch passes it over, for `'y' in batch` depends on it; give it another batch"
    assert said(ByKey(), inputs=({"x": torch.randn(3, 4)},)) == ("unknown", reason)
    assert said(ByKey(), inputs=({"x": torch.randn(3, 4), "y": 1},))[0] == "trained"


class ChosenInALine(Net):
    def forward(self, x: Any) -> Any:
        kept = self.first(x)
        h = self.aux(kept).detach()
        h = h + kept if x.shape[0] > 4 else h  # test
        return self.last(h)


class InsideABranch(Net):
    def forward(self, x: Any) -> Any:
        h = self.first(x)
        if x.shape[0] > 4:  # test
            h = self.aux(h).detach()
        return self.last(h)


class UnlessPlain(Net):
    def forward(self, x: Any, plain: bool = True) -> Any:
        out = self.last(self.first(x))
        if not plain:
            out = out + self.aux(x).mean()
        return out


class ByChance(Net):
    def forward(self, x: Any) -> Any:
        h = self.first(x)
        if random.random() < 0.0:
            h = self.aux(h)
        return self.last(h)


class OnlyRaises(Net):
    def forward(self, x: Any) -> Any:
        h = self.aux(self.first(x)).detach()
        if x.shape[0] > 4:
            raise ValueError("too long")
        return self.last(h)


class OnlyPasses(Net):
    def forward(self, x: Any) -> Any:
        h = self.aux(self.first(x)).detach()
        if x.shape[0] > 4:
            pass
        return self.last(h)


class OnlyPrints(Net):
    def forward(self, x: Any) -> Any:
        h = self.aux(self.first(x)).detach()
        if x.shape[0] > 4:
            print("long")
        return self.last(h)


class Kept(Net):
    def __init__(self) -> None:
        super().__init__()
        self.parts = [nn.Linear(4, 4)]

    def forward(self, x: Any) -> Any:
        if x.sum() > 0:
            x = self.parts[0](x)
        return self.last(x)


@pytest.mark.parametrize(
    ("model", "open_", "reason"),
    [
        (ChosenInALine, {"first", "aux"}, "`x.shape[0] > 4` in line {} depends on what only data can tell"),
        (InsideABranch, {"first", "aux"}, "`x.shape[0] > 4` in line {} depends on what only data can tell"),
        (UnlessPlain, {"aux"}, "`not plain` depends on an argument that the trace leaves out"),
        (ByChance, {"aux"}, "`random.random() < 0.0` depends on a random draw"),
    ],
)
def test_what_another_way_through_forward_may_use_is_open(model: type[Net], open_: set[str], reason: str) -> None:
    lines, first = inspect.getsourcelines(model)
    test = [number for number, line in enumerate(lines, first) if line.rstrip().endswith("# test")]
    report = fxaudit.audit(model())
    found = {p.name.partition(".")[0]: p.reason for p in report if p.verdict == "unknown"}
    assert found == dict.fromkeys(open_, OPEN + reason.format(*test))
    assert report.findings == ()


@pytest.mark.parametrize("model", [OnlyRaises, OnlyPasses, OnlyPrints])
def test_a_branch_that_leads_no_value_around_a_cut_leaves_nothing_open(model: type[Net]) -> None:
    report = fxaudit.audit(model())
    assert {p.name.partition(".")[0]: p.verdict for p in report} == {
        "first": "unreachable",
        "aux": "unreachable",
        "last": "trained",
    }
    assert [finding.code for finding in report.findings] == ["FXA104"]


def test_what_is_kept_in_a_list_is_open_where_the_trace_stops_before_its_use() -> None:
    report = fxaudit.audit(Kept())
    assert (report["parts[0].weight"].verdict, report["parts[0].weight"].reason) == (
        "unknown",
        "the symbolic trace stopped before it could tell whether it is used",
    )
    assert {p.reason for p in report if "parts" not in p.name} == {
        "the symbolic trace stopped before the end of the forward"
    }
    assert [finding.code for finding in report.findings] == ["FXA901"]
