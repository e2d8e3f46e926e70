"""What was to be two is one, or what was to be all is not: a split that leaves some out, a module that two share, a
gradient that is asked for at the place of another, a method without gradients that a loss is computed by, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

# -- a gradient that `backward` gives where another argument needs one ---------------------------------------------------

SCALED = """
import torch
from torch import nn

torch.manual_seed(0)


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, GIVEN):
        ctx.save_for_backward(x, gain, bias)
        ctx.power = power
        return x * gain ** power + bias

    @staticmethod
    def backward(ctx, grad):
        x, gain, bias = ctx.saved_tensors
        slope = grad * ctx.power * gain ** (ctx.power - 1)
        grad_x = grad * gain ** ctx.power
        grad_bias = grad.sum(0)
BODY


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.gain = nn.Parameter(torch.ones(4))
        self.bias = nn.Parameter(torch.zeros(4))
        self.power = 2

    def forward(self, x):
        x = torch.tanh(self.body(x))
        return Scaled.apply(TAKEN)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
LAST, SECOND = "x, gain, bias, power", "x, power, gain, bias"
CHOICES = {
    "a choice": (
        LAST,
        "        grad_gain = (slope * x).sum(0) if ctx.needs_input_grad[3] else None\n"
        "        return grad_x, grad_gain, grad_bias, None",
        "grad_gain = (slope * x).sum(0) if ctx.needs_input_grad[3] else None",
        1,
    ),
    "the other way": (
        LAST,
        "        needs = ctx.needs_input_grad\n"
        "        grad_gain = None if not needs[3] else (slope * x).sum(0)\n"
        "        return grad_x, grad_gain, grad_bias, None",
        "grad_gain = None if not needs[3] else (slope * x).sum(0)",
        1,
    ),
    "behind a number": (
        SECOND,
        "        grad_gain: torch.Tensor | None = (slope * x).sum(0) if ctx.needs_input_grad[1] else None\n"
        "        return grad_x, None, grad_gain, grad_bias",
        "grad_gain: torch.Tensor | None = (slope * x).sum(0) if ctx.needs_input_grad[1] else None",
        2,
    ),
    "where it is returned": (
        LAST,
        "        return (\n            grad_x,\n            (slope * x).sum(0) if ctx.needs_input_grad[3] else None,\n"
        "            grad_bias,\n            None,\n        )",
        "(slope * x).sum(0) if ctx.needs_input_grad[3] else None,",
        1,
    ),
    "in a list": (
        SECOND,
        "        grads = [grad_x, None, None, grad_bias]\n"
        "        if ctx.needs_input_grad[1]:\n"
        "            grads[2] = (slope * x).sum(0)\n"
        "        return tuple(grads)",
        "if ctx.needs_input_grad[1]:",
        2,
    ),
}


def scaled(given: str, body: str) -> str:
    taken = ", ".join(name if name == "x" else f"self.{name}" for name in given.split(", "))
    return SCALED.replace("GIVEN", given).replace("TAKEN", taken).replace("BODY", body) + LOOP


def right(body: str, place: int) -> str:
    return body.replace("input_grad[3]", f"input_grad[{place}]").replace("input_grad[1]", f"input_grad[{place}]")


@pytest.mark.parametrize("choice", CHOICES)
def test_the_line_that_asks_about_another_argument_is_blamed(choice: str, tmp_path: Path) -> None:
    given, body, blamed, place = CHOICES[choice]
    report = judged(tmp_path, scaled(given, body))
    (finding,) = report.findings
    assert finding.code == "FXA111"
    assert verdicts(report) == {"body.weight": "trained", "body.bias": "trained", "gain": "unreachable", "bias": "trained"}
    assert line_of(finding) == blamed
    assert choice == "the other way" or f"`needs_input_grad[{place}]`" in finding.fix


@pytest.mark.parametrize("choice", CHOICES)
def test_a_backward_that_asks_about_its_own_argument_is_no_matter(choice: str, tmp_path: Path) -> None:
    given, body, _, place = CHOICES[choice]
    text = scaled(given, right(body, place).replace("needs[3]", "needs[1]"))
    assert not judged(tmp_path, text).findings


@pytest.mark.slow
def test_plain_training_leaves_alone_what_is_asked_for_at_another_place() -> None:
    given, body, _, place = CHOICES["a choice"]
    assert left_alone(scaled(given, body)) == 1 / 4
    assert left_alone(scaled(given, right(body, place))) == 0
