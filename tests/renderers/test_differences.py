from __future__ import annotations

from dataclasses import replace

import pytest

from fxaudit.answer.answer import ParameterReport
from fxaudit.answer.differences import VerdictChange
from fxaudit.report import Report


def one(verdict: str) -> Report:
    return Report({"w": ParameterReport("w", verdict, "")})  # type: ignore[arg-type]


def test_a_report_does_not_differ_from_itself(case: tuple[str, Report]) -> None:
    difference = case[1].diff(case[1])
    assert str(difference) == "No verdict and no cause changed."
    assert not difference.worse


def test_a_new_defect_is_worse_and_named(reports: dict[str, Report]) -> None:
    detached = reports["detached"]
    repaired = replace(
        detached, parameters={n: replace(p, verdict="trained") for n, p in detached.parameters.items()}, findings=()
    )
    difference = repaired.diff(detached)
    assert difference.worse
    assert str(difference).splitlines() == [
        "new: FXA104 `encoder.weight` and 3 more reach the loss only through `detach` (train.py:31)",
        "  encoder.*: trained -> unreachable (2 parameters)",
        "  norm.*: trained -> unreachable (2 parameters)",
    ]
    back = detached.diff(repaired)
    assert not back.worse
    assert len(back.fixed) == 1
    assert str(back).splitlines()[0].startswith("fixed: FXA104")
    assert str(back).splitlines()[1] == "  encoder.*: unreachable -> trained (2 parameters)"


def test_a_change_that_no_cause_explains_stands_first_and_alone(reports: dict[str, Report]) -> None:
    healthy = reports["healthy"]
    name = next(iter(healthy.parameters))
    frozen = replace(healthy, parameters={**healthy.parameters, name: replace(healthy[name], verdict="frozen")})
    assert str(healthy.diff(frozen)) == f"{name}: trained -> frozen"
    assert not healthy.diff(frozen).worse


def test_a_cause_whose_line_moved_is_the_same_cause(reports: dict[str, Report]) -> None:
    (finding,) = reports["detached"].findings
    assert finding.culprit is not None
    moved = replace(finding, culprit=replace(finding.culprit, line=99))
    assert reports["detached"].diff(replace(reports["detached"], findings=(moved,))).introduced == ()


def test_notes_are_no_causes(reports: dict[str, Report]) -> None:
    (finding,) = reports["detached"].findings
    noted = replace(reports["detached"], findings=(replace(finding, level="note"),))
    assert reports["healthy"].diff(noted).introduced == ()


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("trained", "blocked", True),
        ("frozen", "unreachable", True),
        ("blocked", "trained", False),
        ("blocked", "unreachable", False),
        ("trained", "frozen", False),
    ],
)
def test_worse_is_what_was_fine_and_no_longer_is(before: str, after: str, worse: bool) -> None:
    assert one(before).diff(one(after)).worse is worse


def test_parameters_that_came_or_went_are_listed() -> None:
    difference = one("trained").diff(Report({"v": ParameterReport("v", "stale", "")}))
    assert difference.changes == (VerdictChange("w", "trained", None), VerdictChange("v", None, "stale"))
    assert str(difference) == "w: trained -> absent\nv: absent -> stale"
    assert difference.worse
