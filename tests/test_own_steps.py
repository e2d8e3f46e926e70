"""An optimizer of the program's own whose step changes nothing, and updates by hand that do not come to all."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.scripts import judged, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(16, 4), torch.randn(16, 1)
net, lr = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1)), 0.1
"""
OWN = """
class Own(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
BODY


opt = Own(net.parameters())
for _ in range(4):
    loss = (net(x) - y).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
BY_HAND = """
for step in range(4):
    loss = (net(x) - y).square().mean()
    net.zero_grad()
    loss.backward()
    with torch.no_grad():
BODY
"""
LEFT = """
for p in PARAMETERS:
    if p.dim() < 2:
        break  # blamed
    p -= lr * p.grad
"""
REBOUND = """
for p in PARAMETERS:
    p = p - lr * p.grad  # blamed
"""
BY_ZERO = """
scale = 0.0  # blamed
for p in PARAMETERS:
    p -= lr * scale * p.grad
"""
GATED = """
if COUNT > 100:  # blamed
    for p in PARAMETERS:
        p -= lr * p.grad
"""
LEFT_AT_ALL = LEFT.replace("break", "return")
FIRST = """
for p in [*PARAMETERS][:1]:  # blamed
    p -= lr * p.grad
"""
COPIED = """
for p in PARAMETERS:
    value = p.clone()  # blamed
    value.add_(p.grad, alpha=-lr)
"""
SILENT = """
for p in PARAMETERS:
    print(p.grad.norm())
"""


def own(body: str) -> str:
    inside = body.replace("PARAMETERS", 'self.param_groups[0]["params"]')
    inside = inside.replace("COUNT", "len(self.state)").strip("\n")
    return HEAD + OWN.replace("BODY", textwrap.indent(inside, " " * 8))


def by_hand(body: str) -> str:
    inside = body.replace("PARAMETERS", "net.parameters()").replace("COUNT", "step").strip("\n")
    return HEAD + BY_HAND.replace("BODY", textwrap.indent(inside, " " * 8))


LATER = ("0.bias", "1.weight", "1.bias")
ALL = ("0.weight", *LATER)


@pytest.mark.parametrize(
    ("body", "still", "words"),
    [
        pytest.param(LEFT, LATER, "the step never comes to what writes into `0.bias` and 2 more", id="left"),
        pytest.param(LEFT_AT_ALL, LATER, "it is left where `p.dim() < 2`", id="returns"),
        pytest.param(FIRST, LATER, "the step never comes to `0.bias` and 2 more: the loop over", id="the first"),
        pytest.param(REBOUND, ALL, "computes a new value for `{0,1}.*`, and writes it nowhere", id="a local"),
        pytest.param(BY_ZERO, ALL, "the factor `scale` of the update is 0", id="a factor"),
        pytest.param(GATED, ALL, "`len(self.state) > 100` is never true", id="a gate"),
        pytest.param(COPIED, ALL, "the step writes into a copy of `{0,1}.*`, which is dropped", id="a copy"),
        pytest.param(SILENT, ALL, "the step leaves `{0,1}.*` unchanged, in spite of a gradient", id="nothing"),
    ],
)
def test_the_line_of_the_step_is_blamed(tmp_path: Path, body: str, still: tuple[str, ...], words: str) -> None:
    report = judged(tmp_path, own(body))
    assert verdicts(report) == {name: "blocked" if name in still else "trained" for name in ALL}
    (finding,) = report.findings
    assert (finding.code, finding.level) == ("FXA407", "error")
    assert words in finding.message
    assert ("# blamed" in line_of(finding)) == ("# blamed" in body)


@pytest.mark.parametrize(
    ("body", "still", "words"),
    [
        pytest.param(LEFT, LATER, "the update by hand never comes to what writes into `0.bias` and 2 more", id="left"),
        pytest.param(REBOUND, ALL, "the update by hand computes a new value for `{0,1}.*`", id="a local"),
        pytest.param(
            GATED, ALL, "the update by hand never comes to `{0,1}.*`: `step > 100` is never true", id="a gate"
        ),
    ],
)
def test_the_line_of_the_update_by_hand_is_blamed(
    tmp_path: Path, body: str, still: tuple[str, ...], words: str
) -> None:
    report = judged(tmp_path, by_hand(body))
    assert verdicts(report) == {name: "excluded" if name in still else "trained" for name in ALL}
    (finding,) = report.findings
    assert finding.code == "FXA301"
    assert words in finding.message
    assert "# blamed" in line_of(finding)


def test_the_factor_of_an_update_by_hand_is_named(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, by_hand(BY_ZERO)).findings
    assert "the factor `scale` of the update is 0" in finding.message
    told = {related.role: related.source.code for related in finding.related}
    assert "# blamed" in told["`scale` gets its value here"]
