"""A model that an evaluation leaves in evaluation mode, so that what is used in training only is never called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, judged, left_alone, line_of, verdicts

SCRIPT = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.auxiliary = nn.Linear(4, 8), nn.Linear(8, 1), nn.Linear(8, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        {asks}


def evaluate(net):
    net.eval()  # blamed
    with torch.no_grad():
        return net(x)[0].mean().item()


x = torch.randn(16, 4)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
evaluate(net)
for epoch in range(3):
    {mode}
    for _ in range(2):
        output, auxiliary = net(x)
        loss = (output - 1).square().mean() + (0 if auxiliary is None else auxiliary.square().mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    evaluate(net)
"""
ASKS = {
    "branch": "auxiliary = None\n        if self.training and h.requires_grad:\n"
    "            auxiliary = self.auxiliary(h)\n        return self.head(h), auxiliary",
    "early return": "if not self.training:\n            return self.head(h), None\n"
    "        return self.head(h), self.auxiliary(h)",
}


def script(asks: str, mode: str) -> str:
    return SCRIPT.replace("{asks}", ASKS[asks]).replace("{mode}", mode)


@pytest.mark.parametrize("asks", ASKS)
def test_the_call_that_leaves_the_model_in_evaluation_mode_is_blamed(asks: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, script(asks, "pass")).findings
    assert finding.code == "FXA101"
    assert line_of(finding) == "net.eval()  # blamed"
    assert "Call `model.train()`" in finding.fix
    assert "asked here" in [related.role for related in finding.related]


@pytest.mark.parametrize("asks", ASKS)
def test_where_training_mode_comes_back_nothing_is_blamed(asks: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, script(asks, "net.train()")).findings


def test_what_is_used_in_evaluation_only_does_not_blame_the_evaluation(tmp_path: Path) -> None:
    asks = "return self.head(h), None if self.training else self.auxiliary(h)"
    text = SCRIPT.replace("{asks}", asks).replace("{mode}", "net.train()")
    assert not any("evaluation mode" in finding.message for finding in judged(tmp_path, text).findings)


# -- what ends gradient in evaluation mode only ------------------------------------------------------------------------

ROUNDED = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 8), nn.Linear(8, 1)

    def coded(self, h):
        {coded}

    def forward(self, x):
        return self.head(self.coded(self.body(x)))


def evaluate(net):
    net.eval()  # evaluated
    with torch.no_grad():
        return net(x).mean().item()


x = torch.randn(16, 4)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
net.train()
{first}
for epoch in range(4):
    loss = (net(x) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
CODED = {
    "behind an early return": "if self.training:\n            return h + torch.rand_like(h)\n"
    "        return torch.round(h)",
    "in the other branch": "if self.training and h.requires_grad:\n            h = h + torch.rand_like(h)\n"
    "        if not self.training:\n            h = h.detach()\n        return h",
    "in one expression": "return torch.tanh(h) if self.training else torch.sign(h)",
}


@pytest.mark.parametrize("coded", CODED)
def test_where_gradient_ends_in_evaluation_mode_alone_the_switch_is_blamed(coded: str, tmp_path: Path) -> None:
    text = ROUNDED.replace("{coded}", CODED[coded]).replace("{first}", "evaluate(net)")
    (finding,) = judged(tmp_path, text).findings
    assert line_of(finding) == "net.eval()  # evaluated"
    assert "Call `model.train()`" in finding.fix
    assert "gradient ends here" in [related.role for related in finding.related]


@pytest.mark.parametrize("coded", CODED)
def test_what_ends_gradient_in_evaluation_mode_does_no_harm_in_training(coded: str, tmp_path: Path) -> None:
    text = ROUNDED.replace("{coded}", CODED[coded]).replace("{first}", "evaluate(net)\nnet.train()")
    assert not judged(tmp_path, text).findings


def test_what_ends_gradient_in_both_modes_is_blamed_itself(tmp_path: Path) -> None:
    coded = "if self.training:\n            h = h + torch.rand_like(h)\n        return torch.round(h)  # blamed"
    text = ROUNDED.replace("{coded}", coded).replace("{first}", "evaluate(net)")
    (finding,) = judged(tmp_path, text).findings
    assert line_of(finding) == "return torch.round(h)  # blamed"


@pytest.mark.slow
@pytest.mark.parametrize("coded", CODED)
@pytest.mark.parametrize(("first", "share"), [("evaluate(net)", 2 / 4), ("evaluate(net)\nnet.train()", 0.0)])
def test_plain_training_leaves_the_body_alone_in_evaluation_mode(coded: str, first: str, share: float) -> None:
    assert left_alone(ROUNDED.replace("{coded}", CODED[coded]).replace("{first}", first)) == share


# -- what a `train` of its own folds away ------------------------------------------------------------------------------

MERGED = """
import torch
from torch import nn
from torch.nn import functional as F


class Adapted(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Linear(4, 4).requires_grad_(False)
        self.down, self.up = nn.Parameter(torch.randn(2, 4)), nn.Parameter(torch.zeros(4, 2))
        self.merged = False

    @torch.no_grad()
    def train(self, mode=True):
        super().train(mode)
        if mode == self.merged:
            self.base.weight.add_((-1 if mode else 1) * (self.up @ self.down))
            self.merged = not mode
        return self

    def forward(self, x):
        y = self.base(x)
        if not self.merged:
            y = y + x @ self.down.t() @ self.up.t()
        return y


torch.manual_seed(0)
net = nn.Sequential(Adapted(), nn.Linear(4, 1))
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
BEFORE


@torch.no_grad()
def validate():
    net.eval()  # left
    return net(torch.randn(8, 4)).mean().item()


validate()
BEHIND


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


def merged(before: str, behind: str) -> str:
    return MERGED.replace("BEFORE", before).replace("BEHIND", behind) + LOOP


def test_adapters_that_evaluation_merged_lead_to_the_line_that_left_it_so(tmp_path: Path) -> None:
    report = judged(tmp_path, merged("net.train()", ""))
    (finding,) = report.findings
    assert finding.code == "FXA102"
    assert verdicts(report)["0.down"] == "unreachable"
    assert line_of(finding) == "net.eval()  # left"
    assert "`model.train()`" in (finding.fix or "")
    assert not judged(tmp_path, merged("", "net.train()")).findings


@pytest.mark.slow
def test_plain_training_leaves_alone_what_evaluation_merged() -> None:
    assert left_alone(merged("net.train()", "")) == pytest.approx(4 / 6)  # the frozen layer, and both adapters
    assert left_alone(merged("", "net.train()")) == pytest.approx(2 / 6)
