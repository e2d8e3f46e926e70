"""How large gradients are between operations: measured where some parameter gets none, and nowhere else."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import fxaudit
from fxaudit.answer.answer import Answer
from fxaudit.answer.document import from_text, to_text
from fxaudit.capture.autograd import Probe
from fxaudit.capture.measuring import MOST_NODES
from fxaudit.renderers import render as as_text
from fxaudit.renderers.html.markup import render
from fxaudit.renderers.html.ribbon import ribbon
from fxaudit.renderers.picture.card import card
from fxaudit.renderers.picture.draw import draw
from fxaudit.renderers.text.mermaid import mermaid


class Cut(nn.Module):
    """The embedding is cut off; what comes behind is used twice, once by way of a relu."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.middle, self.head = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.kept: dict[str, torch.Tensor] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(self.embed(x)).detach()
        inner = self.middle(h)
        h = h + torch.relu(inner)
        out = self.head(h)
        for name, tensor in (("inner", inner), ("sum", h), ("out", out)):
            if tensor.requires_grad:
                tensor.retain_grad()
                self.kept[name] = tensor
        return out


class Dead(nn.Module):
    """No input of the relu is positive."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.embed(x) - 1000)
        return self.head(h)


X, Y = torch.arange(15.0).reshape(5, 3) / 10, torch.tensor([0, 1, 1, 0, 1])


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    F.cross_entropy(model(X), Y).backward()
    optimizer.step()


def norms(report: Answer) -> dict[tuple[str, str], float | None]:
    """(before, after) → the norm along each edge of the gradient; nodes by their names."""
    nodes, edges = report.graph_data.nodes, report.graph_data.edges
    found = [(nodes[e.source].label, nodes[e.target].label, e.norm) for e in edges if e.kind == "grad"]
    return {(before, after): norm for before, after, norm in found}


def probes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The graphs that get hooks on their nodes from here on."""
    seen: list[Any] = []
    on = Probe.on.__func__  # type: ignore[attr-defined]

    def counted(cls: Any, roots: Any, recorder: Any) -> Probe:
        seen.append(roots)
        return on(cls, roots, recorder)

    monkeypatch.setattr(Probe, "on", classmethod(counted))
    return seen


def test_behind_a_cut_the_norms_are_those_of_the_tensors_gradients() -> None:
    model = Cut()
    found = norms(fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), sgd(model), prove=False))
    model.zero_grad()
    F.cross_entropy(model(X), Y).backward()
    size = {name: float(tensor.grad.norm()) for name, tensor in model.kept.items()}  # type: ignore[union-attr]
    assert found["linear", "relu"] == pytest.approx(size["inner"], rel=1e-3)
    assert found["relu", "add"] == found["add", "linear"] == pytest.approx(size["sum"], rel=1e-3)
    assert found["linear", "cross_entropy"] == pytest.approx(size["out"], rel=1e-3)
    assert found["middle.weight", "linear"] == pytest.approx(float(model.middle.weight.grad.norm()), rel=1e-3)
    assert found["cross_entropy", "loss"] == 1.0
    assert found["embed.weight", "linear"] is None and found["linear", "tanh"] is None


def test_the_way_of_a_cut_parameter_has_the_norms_up_to_where_gradient_still_comes() -> None:
    model = Cut()
    (finding,) = fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), sgd(model)).findings
    known = [(step.label, step.norm is not None) for step in finding.path]
    assert known == [
        ("embed.weight", False), ("linear", False), ("tanh", False), ("detach", False), ("add", False),
        ("linear", True), ("cross_entropy", True), ("loss", True),
    ]  # fmt: skip


def test_in_a_loop_the_second_backward_is_measured_and_its_norms_hold_for_the_first_rounds_way() -> None:
    model = Cut()
    optimizer = sgd(model)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(3):
            step(model, optimizer)
    assert norms(watch.report)["add", "linear"] is not None
    assert watch.report.findings[0].path[-2].norm is not None


def test_before_the_operation_that_makes_it_zero_a_gradient_is_zero_on_every_arrow() -> None:
    model = Dead()
    report = fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), sgd(model))
    found = norms(report)
    assert found["embed.weight", "linear"] == found["linear", "sub"] == found["sub", "relu"] == 0
    behind = found["relu", "linear"]
    assert behind is not None and behind > 0
    picture = draw(report, parameter="embed.weight").source
    assert picture.count('class="e-zero"') == 3 and f"gradient {behind:.3g}" in picture


def test_what_is_used_twice_by_one_operation_has_the_norm_of_the_sum() -> None:
    cut, free = nn.Parameter(torch.ones(3)), nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

    class Square(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cut, self.free = cut, free

        def forward(self) -> torch.Tensor:
            doubled = self.free * 2
            return (doubled * doubled).sum() + self.cut.detach().sum()

    model = Square()
    found = norms(fxaudit.audit(model, model))
    assert found["mul", "mul"] == pytest.approx(float((4 * free.detach()).norm()), rel=1e-3)


def test_a_healthy_audit_and_a_healthy_loop_measure_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = probes(monkeypatch)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = sgd(model)
    report = fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), optimizer)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(4):
            step(model, optimizer)
    assert not seen and report.ok and watch.report.ok
    assert set(norms(report).values()) == {None} and not report.graph_data.unmeasured


def test_two_losses_that_reach_a_part_of_the_parameters_each_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = probes(monkeypatch)
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    first, second = sgd(one), sgd(other)
    with fxaudit.watch(nn.ModuleList([one, other]), [first, second]) as watch:
        for _ in range(4):
            step(one, first)
            step(other, second)
    assert not seen and watch.report.ok


def test_one_backward_of_a_line_is_measured_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = probes(monkeypatch)
    model = Cut()
    optimizer = sgd(model)
    with fxaudit.watch(model, optimizer):
        for _ in range(6):
            step(model, optimizer)
    assert len(seen) == 1


def test_where_nothing_was_measured_it_is_said_why() -> None:
    model = Cut()
    optimizer = sgd(model)
    with fxaudit.watch(model, optimizer) as watch:
        step(model, optimizer)
    assert "second backward" in watch.report.graph_data.unmeasured
    assert watch.report.graph_data.unmeasured in render(watch.report)
    measured = fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), optimizer)
    assert not measured.graph_data.unmeasured


def test_a_graph_of_too_many_nodes_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.capture.measuring.MOST_NODES", 3)
    monkeypatch.setattr("fxaudit.judge.graph_data.MOST_NODES", 3)
    model = Cut()
    optimizer = sgd(model)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(3):
            step(model, optimizer)
    assert set(norms(watch.report).values()) == {None}
    assert watch.report.graph_data.unmeasured.endswith("they are more than 3.")
    assert MOST_NODES == 20_000


def test_the_norms_are_kept_in_the_document() -> None:
    model = Dead()
    report = fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), sgd(model))
    again = from_text(to_text(report))
    assert [e.norm for e in again.graph_data.edges if e.norm] == pytest.approx(
        [e.norm for e in report.graph_data.edges if e.norm], rel=1e-3
    )
    assert [step.norm == 0 for step in again.findings[0].path] == [step.norm == 0 for step in report.findings[0].path]
    assert to_text(again) == to_text(report)


def test_the_bands_beside_the_source_are_as_wide_as_what_each_line_hands_back() -> None:
    model = Dead()
    report = fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), sgd(model))
    found = {row.pieces[0].strip(): row for function in ribbon(report)[0] for row in function.rows}
    dead, head = found["h = torch.relu(self.embed(x) - 1000)"], found["return self.head(h)"]
    handed = [norm or 0.0 for (_, after), norm in norms(report).items() if after == "linear"]
    assert (dead.state, head.state) == ("zero", "flow")
    assert head.told.endswith(f"norm {math.hypot(*handed):.3g}")


def test_the_arrows_between_modules_bear_the_norms() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2))
    unused = nn.Linear(2, 2)
    whole = nn.ModuleDict({"net": model, "unused": unused})
    report = fxaudit.audit(whole, lambda: F.cross_entropy(model(X), Y), torch.optim.SGD(whole.parameters(), lr=0.1))
    assert report["unused.weight"].verdict == "unreachable"
    norm = [e.norm for e in report.graph_data.edges if e.kind == "grad" and e.norm and e.norm != 1]
    picture = draw(report).source
    assert sum(f"{n:.3g}" in picture for n in norm) >= 3


def test_every_text_says_where_a_gradient_becomes_zero() -> None:
    model = Dead()
    report = fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), sgd(model))
    assert "relu 0 (gradient becomes 0)" in " ".join(str(report).split())
    markdown = as_text(report, "markdown")
    assert "`relu` **0**: gradient becomes 0" in markdown
    assert 'n0 -->|"0"| n1' in markdown and "style n1 stroke:#cf222e" in markdown
    assert "relu: gradient becomes 0" in as_text(report, "sarif")
    assert "gradient becomes 0" in render(report)
    assert card(report).count(">0</text>") == 2


def test_a_flowchart_shows_how_far_gradient_comes_behind_a_cut() -> None:
    model = Cut()
    report = fxaudit.audit(model, lambda: F.cross_entropy(model(X), Y), sgd(model))
    (finding,) = report.findings
    lines = mermaid(finding, "embed.*")
    assert any("==>" in line for line in lines) and any("-.->" in line for line in lines)
    assert any(re.search(r'-->\|"1"\|', line) for line in lines)
