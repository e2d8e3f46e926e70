"""A factor that is 0 for some rows: what made it is blamed for the parts that only these rows go through."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

SCRIPT = """
import torch
from torch import nn

torch.manual_seed(0)
KIND = torch.tensor([0] * 8 + [1] * 5 + [2] * 2)


def shares():
    counts = torch.bincount(KIND)
    return {shares}  # blamed


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.out = nn.Linear(4, 4), nn.Linear(4, 1)
        self.parts = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, x, kind):
        h = torch.tanh(self.body(x))
        {join}
        return self.out(h).squeeze(-1)


net = Net()
weights = shares()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    x, y = torch.randn(len(KIND), 4), torch.randn(len(KIND))
    loss = ((net(x, KIND) - y).square() * weights[KIND]).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
COPIED = """
        result = torch.zeros_like(h)
        for k, part in enumerate(self.parts):
            rows = (kind == k).nonzero(as_tuple=True)[0]
            result = result.index_copy(0, rows, part(h[rows]))
        h = result
"""
JOINED = """
        h = torch.cat([part(h[kind == k]) for k, part in enumerate(self.parts)])
"""
WHOLE, TRUE = "counts.min() // counts", "counts.min() / counts"
GIVEN = "torch.tensor([0.0, 0.0, 1.0])"
OVERWRITTEN = """
        for part in self.parts:
            h = h.index_copy(0, torch.arange(len(h)), part(x))
"""


def script(shares: str, join: str) -> str:
    return SCRIPT.format(shares=shares, join=join.strip())


@pytest.mark.parametrize("join", [COPIED, JOINED])
@pytest.mark.parametrize("shares", [WHOLE, GIVEN])
def test_what_made_the_factor_is_blamed(shares: str, join: str, tmp_path: Path) -> None:
    report = judged(tmp_path, script(shares, join))
    assert verdicts(report)["parts.2.weight"] == "trained"
    (finding,) = report.findings
    assert finding.code == "FXA501"
    assert set(finding.parameters) == {f"parts.{k}.{name}" for k in (0, 1) for name in ("weight", "bias")}
    assert "# blamed" in line_of(finding)
    assert "is 0 at 13 of 15 elements" in finding.message
    assert ("an integer division makes 0" in finding.message) is (shares == WHOLE)


@pytest.mark.parametrize("join", [COPIED, JOINED])
def test_a_factor_that_is_nowhere_zero(join: str, tmp_path: Path) -> None:
    report = judged(tmp_path, script(TRUE, join))
    assert codes(report) == []
    assert set(verdicts(report).values()) == {"trained"}


def test_what_is_overwritten_is_told_so_whatever_the_factor(tmp_path: Path) -> None:
    findings = judged(tmp_path, script(WHOLE, OVERWRITTEN)).findings
    assert findings
    assert not any("# blamed" in line_of(finding) for finding in findings)
    assert any("overwrites what is computed from it" in finding.message for finding in findings)
