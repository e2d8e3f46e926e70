"""What was made, hooked, frozen or scheduled before anybody watched: its line is read from the source."""

from __future__ import annotations

import runpy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.report import Report

HEAD = """
import torch
from torch import nn
import fxaudit

def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
"""
TAIL = """
def by_audit():
    model, optimizer = make()
    return fxaudit.audit(model, lambda: model(torch.ones(3, 4)).square().sum(), optimizer)

def by_watch():
    model, optimizer = make()
    with fxaudit.watch(model, optimizer) as watching:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(3, 4)).square().sum().backward()
            optimizer.step()
    return watching.report
"""
MAKERS = {
    "FXA504": """
def make():
    model = net()
    for parameter in model[0].parameters():
        parameter.register_hook(lambda gradient: gradient * 0)  # here
    return model, torch.optim.SGD(model.parameters(), lr=0.1)
""",
    "FXA304": """
def make():
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step * 0.0)  # here
    return model, optimizer
""",
    "FXA306": """
def make():
    model = net()
    for parameter in model[0].parameters():
        parameter.requires_grad = False  # here
    return model, torch.optim.RMSprop(model.parameters(), lr=0.1)
""",
    "FXA307": """
def make():
    model = net()
    model[0].requires_grad_(False)
    model[0].requires_grad = True  # here
    return model, torch.optim.RMSprop(model[2].parameters(), lr=0.1)
""",
    "FXA501": """
class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.register_buffer("gate", torch.zeros(4))  # here

    def forward(self, x):
        return x + self.gate * self.inner(x)


def make():
    model = nn.Sequential(Gated(), nn.Linear(4, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1)
""",
    "FXA301": """
def make():
    model = net()
    return model, torch.optim.RMSprop(model[2].parameters(), lr=0.1)  # here
""",
}


def program(folder: Path, code: str) -> dict[str, Any]:
    path = folder / "train.py"
    path.write_text(HEAD + MAKERS[code] + TAIL, encoding="utf-8")
    return runpy.run_path(str(path))


def code_at(report: Report, code: str) -> list[str]:
    found = [f for f in report.findings if f.code == code]
    lines = [line for f in found for line in (f.culprit, *(r.source for r in f.related)) if line is not None]
    return [line.code for line in lines]


@pytest.mark.parametrize("way", ["by_audit", "by_watch"])
@pytest.mark.parametrize("code", MAKERS)
def test_the_line_is_found_in_the_source(tmp_path: Path, code: str, way: str) -> None:
    lines = code_at(program(tmp_path, code)[way](), code)
    assert any(line.endswith("# here") for line in lines), lines


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))


def mask(factor: float, gradient: torch.Tensor) -> torch.Tensor:
    return gradient * factor


def test_a_hook_put_on_before_is_taken_off_in_the_proof_only() -> None:
    model = net()
    weight = model[0].weight
    weight.register_hook(partial(mask, 0.0))
    weight.register_hook(lambda gradient: gradient * 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    report = fxaudit.audit(model, lambda: model(torch.ones(3, 4)).sum(), optimizer)
    [finding] = [f for f in report.findings if f.code == "FXA504"]
    assert finding.parameters == ("0.weight",)
    assert finding.proved is not None
    assert weight._backward_hooks is not None and len(weight._backward_hooks) == 2


def test_a_thaw_after_the_watched_part_is_no_alarm() -> None:
    model = net()
    model[0].requires_grad_(False)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=0.1)
    for epoch in range(2):
        if epoch == 1:
            model[0].requires_grad_(True)
            break
        with fxaudit.watch(model, optimizer) as watching:
            for _ in range(3):
                optimizer.zero_grad()
                model(torch.ones(3, 4)).square().sum().backward()
                optimizer.step()
    report = watching.report
    assert report is not None
    assert report["0.weight"].verdict == "frozen"
    assert [f.code for f in report.findings if f.level != "note"] == []


def test_gradients_written_in_the_closure_are_stepped_with() -> None:
    model = net()

    def loss() -> torch.Tensor:
        values = {name: p.detach() for name, p in model.named_parameters()}
        given = torch.ones(3, 4)
        slopes = torch.func.grad(lambda v: torch.func.functional_call(model, v, (given,)).square().sum())(values)
        for name, parameter in model.named_parameters():
            parameter.grad = slopes[name]
        return model(given).square().sum().detach()

    report = fxaudit.audit(model, loss, torch.optim.SGD(model.parameters(), lr=0.01))
    assert {p.verdict for p in report} == {"trained"}
    assert report.ok
