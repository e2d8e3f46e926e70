"""`torch.autograd.grad` that returns None for a parameter is evidence, as a backward that brings nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)


class Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(y)
        return x * y

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0], None  # blamed


net = nn.ModuleDict({"left": nn.Linear(4, 3), "right": nn.Linear(4, 3)})
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    x = torch.randn(8, 4)
    opt.zero_grad()
    loss = Gate.apply(net["left"](x), net["right"](x)).square().mean()
    parameters = [*net.parameters()]
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    WRITE
    opt.step()
"""
LEFT, RIGHT = ("left.weight", "left.bias"), ("right.weight", "right.bias")


@pytest.mark.parametrize(
    ("write", "left"),
    [
        pytest.param("pass", "blocked", id="nothing is written"),
        pytest.param(
            "for p, g in zip(parameters, gradients): p.grad = None if g is None else g", "trained", id="what came"
        ),
        pytest.param(
            "for p, g in zip(parameters, gradients): p.grad = torch.zeros_like(p) if g is None else g",
            "trained",
            id="zeros where nothing came",
        ),
    ],
)
def test_none_from_a_custom_function_makes_unreachable(tmp_path: Path, write: str, left: str) -> None:
    report = judged(tmp_path, PROGRAM.replace("WRITE", write))
    assert verdicts(report) == dict.fromkeys(LEFT, left) | dict.fromkeys(RIGHT, "unreachable")
    finding = next(one for one in report.findings if set(one.parameters) == set(RIGHT))
    assert (finding.code, finding.level) == ("FXA111", "error")
    assert "# blamed" in line_of(finding)


def test_what_some_loss_has_a_gradient_for_is_not_unreachable(tmp_path: Path) -> None:
    both = PROGRAM.replace("WRITE", 'torch.autograd.grad(net["right"](x).mean(), [*net["right"].parameters()])')
    assert verdicts(judged(tmp_path, both)) == dict.fromkeys((*LEFT, *RIGHT), "blocked")


def test_what_has_a_gradient_there_is_reached_though_the_way_was_not_seen(tmp_path: Path) -> None:
    """What flows through `vmap` is not recorded."""
    hidden = PROGRAM.replace("WRITE", "pass").replace("Gate.apply(", "through(")
    hidden = hidden.replace("net = nn", "def through(a, b):\n    return torch.func.vmap(torch.mul)(a, b)\n\n\nnet = nn")
    hidden = hidden.replace("SGD(net.parameters(), lr=0.1)", 'SGD(net["left"].parameters(), lr=0.1)')
    assert verdicts(judged(tmp_path, hidden)) == dict.fromkeys(LEFT, "blocked") | dict.fromkeys(RIGHT, "excluded")
