"""The life of a parameter, and what is found through it and beside it: values lost on the way, misspelt overrides."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import fxaudit
from fxaudit.report import Report
from tests.scripts import codes, judged, line_of, verdicts

LIFE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.scale = nn.Parameter(torch.ones(4))
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.body(x) * self.scale)


net = Net()
for name, p in net.named_parameters():
    if "body" in name:
        p.requires_grad = False
net.body.bias.register_hook(print) if net.body.bias.requires_grad else None
optimizer = torch.optim.SGD([{"params": net.body.parameters()}, {"params": net.head.parameters()}], lr=0.1)
for step in range(4):
    if step == 2:
        net.body.bias.requires_grad_(True)
    optimizer.zero_grad()
    net(torch.ones(8, 4)).square().mean().backward()
    optimizer.step()
"""


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return judged(tmp_path_factory.mktemp("life"), LIFE)


def kinds(report: Report, name: str) -> list[str]:
    return [event.kind for event in report[name].life]


def test_a_life_tells_what_happened_in_order(lived: Report) -> None:
    assert kinds(lived, "head.weight") == ["made", "held", "gradient", "stepped"]
    assert kinds(lived, "body.weight")[:3] == ["made", "frozen", "held"]
    assert kinds(lived, "body.bias") == ["made", "frozen", "held", "thawed", "gradient", "stepped"]
    assert kinds(lived, "scale")[0] == "made" and "held" not in kinds(lived, "scale")


def test_each_event_has_its_line_its_step_and_its_reason(lived: Report) -> None:
    _, frozen, held, thawed, gradient, stepped = lived["body.bias"].life
    assert frozen.source is not None and frozen.source.code == "p.requires_grad = False"
    assert "because `'body' in name`" in frozen.text and frozen.step == 0
    assert "group 0" in held.text
    assert (thawed.step, gradient.step) == (3, 3) and "step == 2" in thawed.text
    assert "2 steps" in stepped.text
    assert gradient.source is not None and ".backward()" in gradient.source.code


GRADUAL = """
import torch
from torch import nn

net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1))
for p in net[:2].parameters():
    p.requires_grad = False
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    if epoch in (1, 2):
        for p in net[2 - epoch].parameters():
            p.requires_grad = True
    optimizer.zero_grad()
    net(torch.ones(8, 4)).square().mean().backward()
    optimizer.step()
"""


def test_what_one_line_does_in_several_steps_has_the_step_of_each(tmp_path: Path) -> None:
    report = judged(tmp_path, GRADUAL)
    steps = {name: [e.step for e in report[name].life if e.kind == "thawed"] for name in ("0.weight", "1.weight")}
    assert steps == {"0.weight": [3], "1.weight": [2]}


def test_a_life_ends_with_the_line_of_its_cause(lived: Report) -> None:
    last = lived["scale"].life[-1]
    culprit = lived["scale"].culprit
    assert last.kind == "ended" and last.text.startswith("FXA301")
    assert last.source is not None and culprit is not None and last.source.line == culprit.line


def test_a_life_is_printed_and_is_in_the_json_once(lived: Report) -> None:
    printed = str(lived["body.bias"]).split("\n")
    assert printed[0].startswith("body.bias: trained") and len(printed) == 7
    again = Report.from_json(lived.to_json())
    assert {name: again[name].life for name in again.parameters} == {n: lived[n].life for n in lived.parameters}
    assert lived.to_json().count("given to `optimizer`, group 1") == 1


def test_a_report_without_lives_can_be_read(lived: Report) -> None:
    older = json.loads(lived.to_json())
    del older["lives"]
    for parameter in older["parameters"]:
        del parameter["life"]
    assert Report.from_json(json.dumps(older))["scale"].life == ()


def test_an_audit_tells_lives_too() -> None:
    with fxaudit.watch() as watch:
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        optimizer.zero_grad()
        model(torch.ones(3, 2)).sum().backward()
        optimizer.step()
    assert watch.report is not None
    assert [e.kind for e in watch.report["weight"].life] == ["made", "held", "gradient", "stepped"]


def test_the_examples_of_the_page_run_in_their_order(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "life.md").read_text("utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE))
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    exec(compile(code, str(tmp_path / "page.py"), "exec"), {"__name__": "page"})


def test_lives_are_told_where_nothing_ran() -> None:
    model = torch.nn.Linear(2, 1)
    report = fxaudit.audit(model, None, torch.optim.SGD(model.parameters(), lr=0.1))
    assert "stepped" not in {event.kind for event in report["weight"].life}


def in_a_comprehension(one: torch.nn.Parameter, other: torch.nn.Parameter) -> dict[torch.Tensor, torch.optim.SGD]:
    return {p: torch.optim.SGD([p], lr=0.1) for p in (one, other)}


def one_by_one(one: torch.nn.Parameter, other: torch.nn.Parameter) -> dict[torch.Tensor, torch.optim.SGD]:
    return {one: torch.optim.SGD([one], lr=0.1), other: torch.optim.SGD([other], lr=0.1)}


@pytest.mark.parametrize("built", [in_a_comprehension, one_by_one])
def test_lives_are_told_where_hooks_step_in_the_backward_of_an_audit(built: Any) -> None:
    with fxaudit.watch():
        model = torch.nn.Linear(2, 1)
        steppers = built(model.weight, model.bias)

        def step(parameter: torch.Tensor) -> None:
            steppers[parameter].step()
            steppers[parameter].zero_grad()

        for parameter in model.parameters():
            parameter.register_post_accumulate_grad_hook(step)
        report = fxaudit.audit(model, lambda: model(torch.ones(3, 2)).sum(), steppers)
    assert {p.verdict for p in report} == {"trained"}
    assert {"made", "held", "hooked"} <= {event.kind for event in report["weight"].life}
    assert not any("details of" in remark for remark in report.notes)


# -- values lost on the way --------------------------------------------------------------------------------------

LOST = """
import torch
from torch import nn

body, aux = nn.Linear(4, 4), nn.Linear(4, 1)


def terms(x):
    hidden = body(x)
    extra = aux(hidden).square().mean()
    return hidden.square().mean(), extra


def compute(x):
    main, _ = terms(x)  # lost
    return main {plus}


optimizer = torch.optim.SGD([*body.parameters(), *aux.parameters()], lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    compute(torch.randn(8, 4)).backward()
    optimizer.step()
"""


def test_a_value_is_lost_where_the_last_that_has_it_does_not_read_it(tmp_path: Path) -> None:
    report = judged(tmp_path, LOST.format(plus=""))
    assert codes(report)[0] == "FXA103"
    assert line_of(report.findings[0]).endswith("# lost")


def test_a_value_that_is_read_is_not_lost(tmp_path: Path) -> None:
    report = judged(tmp_path, LOST.format(plus="+ _"))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


# -- misspelt overrides ------------------------------------------------------------------------------------------

OVERRIDE = """
import torch
from torch import nn


class Trainer:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def compute_loss(self, x):
        return self.model(x).detach().mean() + self.model.offset.sum()

    def train(self):
        for _ in range(3):
            self.optimizer.zero_grad()
            self.compute_loss(torch.randn(8, 4)).backward()
            self.optimizer.step()


class Own(Trainer):
    def {name}(self, x):
        return self.model(x).square().mean() + self.model.offset.sum()


model = nn.Linear(4, 1)
model.offset = nn.Parameter(torch.zeros(1))
Own(model).train()
"""


@pytest.mark.parametrize("name", ["compute_losss", "computeLoss", "compute_los"])
def test_a_method_that_was_to_take_anothers_place_is_told(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, OVERRIDE.format(name=name))
    assert line_of(report.findings[0]) == f"def {name}(self, x):"
    assert any(f"`Own.{name}`" in related.role for related in report.findings[0].related)


@pytest.mark.parametrize("name", ["evaluate_loss", "loss"])
def test_a_method_of_another_name_is_not(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, OVERRIDE.format(name=name))
    assert ".detach()" in line_of(report.findings[0])


def test_a_method_that_takes_its_place_leaves_nothing_to_tell(tmp_path: Path) -> None:
    assert codes(judged(tmp_path, OVERRIDE.format(name="compute_loss"))) == []


# -- thaws through a helper --------------------------------------------------------------------------------------

THAW = """
import torch
from torch import nn


def set_trainable(module, flag):
    for p in module.parameters():
        p.requires_grad = flag


net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
set_trainable(net[0], False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(30):
    if {when}:
        set_trainable(net[0], True)
    optimizer.zero_grad()
    net(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
"""


def test_a_thaw_through_a_helper_is_waited_for(tmp_path: Path) -> None:
    report = judged(tmp_path, THAW.format(when="epoch == 20"))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


def test_a_thaw_through_a_helper_that_never_comes_is_told(tmp_path: Path) -> None:
    report = judged(tmp_path, THAW.format(when="epoch == 60"))
    assert codes(report)[0] == "FXA306"
    assert line_of(report.findings[0]) == "if epoch == 60:"


# -- an optimizer over the wrong model ---------------------------------------------------------------------------

WRONG = """
import torch
from torch import nn


def configure(critic, actor):
    first = torch.optim.SGD(critic.parameters(), lr=0.1)
    second = torch.optim.SGD({given}.parameters(), lr=0.1)
    return first, second


critic, actor = nn.Linear(4, 1), nn.Linear(4, 4)
first, second = configure(critic, actor)
for _ in range(3):
    for optimizer in (first, second):
        optimizer.zero_grad()
    critic(actor(torch.randn(8, 4))).square().mean().backward()
    for optimizer in (first, second):
        optimizer.step()
"""


def test_an_optimizer_that_is_given_what_another_has_already_is_told(tmp_path: Path) -> None:
    report = judged(tmp_path, WRONG.format(given="critic"))
    finding = next(found for found in report.findings if found.code == "FXA301")
    assert line_of(finding).startswith("second = ")


def test_two_optimizers_of_two_models_are_not(tmp_path: Path) -> None:
    assert codes(judged(tmp_path, WRONG.format(given="actor"))) == []
