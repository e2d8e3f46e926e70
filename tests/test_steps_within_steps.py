"""An optimizer that steps another inside its own step: what it does to the values counts for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

SCRIPT = """
import torch
from torch import nn

torch.manual_seed(0)


class Outer(torch.optim.Optimizer):
    def __init__(self, params, base, **options):
        super().__init__(params, options)
        self.base = base(self.param_groups, **options)

    @torch.no_grad()
    def ascend(self):
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["kept"] = p.data.clone()
                p.add_(p.grad, alpha=0.05)

    @torch.no_grad()
    def restore(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.copy_(self.state[p]["kept"])  # blamed

    def descend(self):
        {descend}

    @torch.no_grad()
    def step(self, closure):
        closure = torch.enable_grad()(closure)
        loss = closure()
        self.ascend()
        self.zero_grad()
        closure()
        self.descend()
        return loss


net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = Outer(net.parameters(), torch.optim.SGD, lr=0.1)
x = torch.randn(8, 4)


def closure():
    loss = net(x).square().mean()
    loss.backward()
    return loss


for _ in range(4):
    optimizer.zero_grad()
    optimizer.step(closure)
"""
UNDONE = "self.base.step()\n        self.restore()  # undone here"


def test_an_inner_step_that_is_undone(tmp_path: Path) -> None:
    report = judged(tmp_path, SCRIPT.format(descend=UNDONE))
    assert set(verdicts(report).values()) == {"replaced"}
    (finding,) = report.findings
    assert finding.code == "FXA408"
    assert line_of(finding) == "self.restore()  # undone here"
    assert [related.source.code for related in finding.related] == [
        'p.data.copy_(self.state[p]["kept"])  # blamed',
        "self.base.step()",
    ]


@pytest.mark.parametrize("descend", ["self.restore()\n        self.base.step()", "self.base.step()"])
def test_an_inner_step_that_stays(descend: str, tmp_path: Path) -> None:
    report = judged(tmp_path, SCRIPT.format(descend=descend))
    assert codes(report) == []
    assert set(verdicts(report).values()) == {"trained"}
