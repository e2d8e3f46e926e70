"""A moving average that stands in the parameters for an evaluation, and stays there."""

from __future__ import annotations

from pathlib import Path

from tests.scripts import codes, judged, line_of, verdicts

SCRIPT = """
import torch
from torch import nn


class Average:
    def __init__(self, model):
        self.model = model
        self.mean = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.own = {}

    def update(self):
        for name, p in self.model.named_parameters():
            self.mean[name].mul_(0.9).add_(p.detach(), alpha=0.1)

    def apply(self):
        for name, p in self.model.named_parameters():
            self.own[name] = p.detach().clone()
            p.data.copy_(self.mean[name])

    def restore(self):
        for name, p in self.model.named_parameters():
            p.data.copy_(self.own[name])


def begin(part):
    if isinstance(part, nn.Linear):
        nn.init.zeros_(part.bias)


net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
net.apply(begin)
average = Average(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


@torch.no_grad()
def evaluate():
    average.apply()  # blamed
    error = net(torch.randn(16, 4)).abs().mean()
    RESTORED
    return error


for epoch in range(3):
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()
        average.update()
    EACH
LAST
"""


def script(restored: str = "pass", each: str = "evaluate()", last: str = "") -> str:
    return SCRIPT.replace("RESTORED", restored).replace("EACH", each).replace("LAST", last)


def test_the_call_is_blamed(tmp_path: Path) -> None:
    report = judged(tmp_path, script())
    (finding,) = report.findings
    assert (finding.code, finding.level) == ("FXA408", "warning")
    assert line_of(finding).endswith("# blamed") and "nobody calls `restore`" in finding.message
    assert set(verdicts(report).values()) == {"trained"}


def test_an_average_that_goes_again_has_no_finding(tmp_path: Path) -> None:
    assert codes(judged(tmp_path, script(restored="average.restore()"))) == []


def test_an_average_that_stays_at_the_end_has_no_finding(tmp_path: Path) -> None:
    assert codes(judged(tmp_path, script(each="pass", last="evaluate()"))) == []


def test_an_average_that_is_asked_for_each_split_afterwards_has_no_finding(tmp_path: Path) -> None:
    last = "for split in ('validation', 'test'):\n    evaluate()"
    assert codes(judged(tmp_path, script(each="pass", last=last))) == []
