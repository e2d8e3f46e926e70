"""The recorded steps and the parameters in numbers: what the page shows of them, and that it is what was measured."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fxaudit.answer.answer import Answer, Change, Gradient, Movement, OptimizerReport, ParameterReport, StepReport
from fxaudit.answer.document import from_text, to_text
from fxaudit.answer.finding import Finding
from fxaudit.renderers.html.health import color, gradient_size, health_of, update_ratio
from fxaudit.renderers.html.reel import reel_of
from fxaudit.renderers.html.table import table_data
from tests.html.conftest import decoded
from tests.scripts import judged

SCRIPT = """
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 1))
groups = [{"params": model[0].parameters()}, {"params": model[1].parameters(), "lr": 0.5}]
optimizer = torch.optim.SGD(groups, lr=0.1)
halved = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
x = torch.ones(4, 3)
for _ in range(3):
    optimizer.zero_grad()
    model(x).sum().backward()
    optimizer.step()
    halved.step()
"""


def parameter(name: str, arrived: float | None, state: str = "finite", **more: object) -> ParameterReport:
    return ParameterReport(name, "trained", "", (4,), 4, gradient=Gradient(state, arrived), **more)  # type: ignore[arg-type]


def test_each_step_tells_the_rate_the_gradients_and_the_change_of_each_group(tmp_path: Path) -> None:
    report = from_text(to_text(judged(tmp_path, SCRIPT)))
    moved = [step.movements for step in report.steps if step.movements]
    assert [m.rate for step in moved for m in step] == pytest.approx([0.1, 0.5, 0.05, 0.25, 0.025, 0.125])
    for step in moved:
        for m in step:
            assert m.norm and m.rate and m.change == pytest.approx(m.rate * m.norm, rel=1e-4)  # SGD does just that
            assert (m.changed, m.parameters) == (2, 2)


def test_the_norm_of_a_value_is_that_which_it_has_in_the_end(tmp_path: Path) -> None:
    report = judged(tmp_path, SCRIPT)
    for p in report:
        assert p.norm is not None and p.change.norm is not None
        assert update_ratio(p) == p.change.norm / p.norm


def report_of(*steps: tuple[Movement, ...]) -> Answer:
    optimizer = OptimizerReport("opt", "SGD", None, ((0.1, ("a",)),), len(steps))
    return Answer(optimizers=(optimizer,), steps=tuple(StepReport((), step) for step in steps))


def test_what_is_not_known_is_not_drawn() -> None:
    known = Movement("opt", 0, 0.1, 2.0, 0.2, 1, 1)
    reel = reel_of(report_of((known,), (replace(known, norm=None, changed=0),), (known,)))
    assert reel is not None
    rates, norms, _ = reel.charts.split("</svg>")[:3]
    assert rates.count("<circle") == 3 and norms.count("<circle") == 2
    assert [row.norm for row in reel.rows] == ["2", "–", "2"]
    assert [row.is_still for row in reel.rows] == [False, True, False]


def test_zero_lies_below_all_others() -> None:
    steps = [(Movement("opt", 0, 0.1, norm, 0.1, 1, 1),) for norm in (1e-9, 1.0, 0.0)]
    reel = reel_of(report_of(*steps))
    assert reel is not None
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', reel.charts.split("</svg>")[1])]
    assert heights[1] < heights[0] < heights[2]


def test_a_report_of_an_older_version_has_no_numbers_of_steps() -> None:
    assert reel_of(Answer(steps=(StepReport(()),))) is None


def test_colours_follow_the_logarithm() -> None:
    assert [color(value, 1e-8, 1.0) for value in (1e-8, 1e-4, 1.0)] == [0, 4, 7]
    assert color(3.0, 3.0, 3.0) == 7


def test_the_smallest_and_the_largest_are_named() -> None:
    parameters = [parameter("a", 2.0), parameter("b", 8.0), parameter("c", 0.0, "zero"), parameter("d", None, "none")]
    found = health_of(Answer(parameters={p.name: p for p in parameters}))
    assert found is not None
    (strip,) = found.strips
    assert [(e.what, e.name, e.value) for e in strip.extremes] == [("smallest", "a", "1"), ("largest", "b", "4")]
    assert re.findall(r'class="(k.)"', strip.picture) == ["k0", "k7", "kz", "kn"]
    assert "gradients of exactly zero for 1" in "; ".join(found.checked)


def test_of_many_parameters_the_smallest_of_a_cell_counts() -> None:
    parameters = {f"p{n}": parameter(f"p{n}", 1.0 + n % 5) for n in range(2_000)}
    found = health_of(Answer(parameters=parameters))
    assert found is not None and found.strips[0].picture.count("<rect") == 400
    assert "p0 … p4, the smallest: 0.5" in found.strips[0].picture


def test_a_ratio_needs_both_norms() -> None:
    assert update_ratio(parameter("a", 1.0, change=Change("changed", 0.5), norm=2.0)) == 0.25
    assert update_ratio(parameter("a", 1.0, change=Change("changed", None), norm=2.0)) is None
    assert update_ratio(parameter("a", 1.0, change=Change("changed", 0.5), norm=0.0)) is None
    assert gradient_size(parameter("a", math.sqrt(4.0))) == 1.0


def test_nothing_measured_shows_nothing() -> None:
    assert health_of(Answer(parameters={"a": ParameterReport("a", "unknown", "")})) is None


def test_what_hardly_varies_is_drawn_flat() -> None:
    reel = reel_of(report_of(*[(Movement("opt", 0, 0.1, norm, 0.1, 1, 1),) for norm in (1.0, 0.9999, 1.0001)]))
    assert reel is not None
    chart = reel.charts.split("</svg>")[1]
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', chart)]
    assert max(heights) - min(heights) < 0.2
    assert chart.count('class="a"') == 1


NOISE = Finding("FXA505", "rounding-noise", "note", "noise", "", ("b",))


def test_noise_alone_has_a_cell_of_its_own_and_no_place_on_the_scale() -> None:
    report = Answer({name: parameter(name, norm) for name, norm in (("a", 2.0), ("b", 1e-9), ("c", 4.0))})
    found = health_of(replace(report, findings=(NOISE,)))
    assert found is not None
    (strip,) = found.strips
    assert (strip.low, strip.high) == ("1", "2") and [e.name for e in strip.extremes] == ["a", "c"]
    assert re.findall('class="(k.)"', strip.picture) == ["k0", "kr", "k7"]
    assert "b: rounding noise alone" in strip.picture
    assert strip.marks == (("kr", "rounding noise alone"),)
    assert "finite gradients for 3, of rounding noise alone for 1" in found.checked
    plain = health_of(report)
    assert plain is not None and plain.strips[0].low == "5e-10" and not plain.strips[0].marks


def test_the_table_says_that_a_gradient_is_noise() -> None:
    report = Answer({"a": parameter("a", 2.0), "b": parameter("b", 1e-9)}, findings=(NOISE,))
    data = decoded(table_data(report, {}))
    assert [(data["strings"][row[6]], row[14]) for row in data["rows"]] == [("finite", 2.0), ("rounding noise", 1e-9)]
