"""Why an optimizer holds nothing, or not the part that was made behind its group."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(16, 4), torch.randn(16, 1)
"""
LOOP = """
for _ in range(4):
    loss = (net(x) - y).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
ALL_FROZEN = """
net = nn.Linear(4, 1)
net.requires_grad_(False)  # blamed
opt = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
"""
HANDS_OUT_NONE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.extra = nn.Linear(4, 1), []

    def parameters(self, recurse=True):  # blamed
        return (p for part in self.extra for p in part.parameters())

    def forward(self, x):
        return self.body(x)


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
"""
GROUP_BEFORE = """
net, scale = nn.Sequential(nn.Linear(4, 3)), nn.Parameter(torch.zeros(1))
opt = torch.optim.SGD([scale], lr=0.1)
opt.add_param_group({"params": net.parameters()})  # blamed
net.append(nn.Linear(3, 1))
"""


@pytest.mark.parametrize(
    ("program", "code", "words", "verdict"),
    [
        pytest.param(
            ALL_FROZEN,
            "FXA302",
            "`SGD` is built without any parameter, and PyTorch refuses it: all are frozen",
            "frozen",
            id="all are frozen",
        ),
        pytest.param(
            HANDS_OUT_NONE,
            "FXA302",
            "`SGD` is built without any parameter, and PyTorch refuses it: `Net.parameters` hands out none",
            "excluded",
            id="what hands out none",
        ),
        pytest.param(GROUP_BEFORE, "FXA301", "`SGD` does not hold `1.*`", "excluded", id="made behind its group"),
    ],
)
def test_the_line_is_blamed(tmp_path: Path, program: str, code: str, words: str, verdict: str) -> None:
    report = judged(tmp_path, HEAD + program + LOOP)
    (finding,) = [one for one in report.findings if one.code == code]
    assert (finding.message, finding.level) == (words, "error")
    assert "# blamed" in line_of(finding)
    assert {verdicts(report)[name] for name in finding.parameters or verdicts(report)} == {verdict}
