"""What the autograd engine refuses is blamed where it comes from, and not at the call of `backward`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

HEAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
"""
IN_PLACE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 8)
        self.b = nn.Linear(8, 1)

    def forward(self, x):
        h = torch.sigmoid(self.a(x))
        h += 1  # blamed
        h.mul_(2)
        return self.b(h)


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=.1)
skipped = 0
for _ in range(6):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad()
    try:
        loss.backward()
        opt.step()
    except RuntimeError:
        skipped += 1
print(skipped)
"""
NO_DERIVATIVE = """
ACCUM = 2
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
opt = torch.optim.SGD(net.parameters(), lr=.1)
for i in range(8):
    loss = net(torch.randn(8, 4)).square().mean() * 10
    loss = loss // ACCUM  # blamed
    loss.backward()
    if (i + 1) % ACCUM == 0:
        opt.step(); opt.zero_grad()
"""
KEPT_STATE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 8, batch_first=True)
        self.head = nn.Linear(8, 1)

    def forward(self, x, h):
        out, h = self.rnn(x, h)
        return self.head(out), h


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=.1)
h = torch.zeros(1, 2, 8)
for _ in range(6):
    y, h = net(torch.randn(2, 5, 4), h)  # blamed
    loss = y.square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
NO_MEAN = """
net = nn.Linear(4, 1)
criterion = nn.MSELoss(reduction="none")
opt = torch.optim.SGD(net.parameters(), lr=.1)
for _ in range(6):
    loss = criterion(net(torch.randn(8, 4)), torch.randn(8, 1))  # blamed
    opt.zero_grad(); loss.backward(); opt.step()
"""
STEPPED_BETWEEN = """
g, d = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
og, od = torch.optim.SGD(g.parameters(), lr=.1), torch.optim.SGD(d.parameters(), lr=.1)
for _ in range(4):
    fake = g(torch.randn(8, 4))
    score = d(fake)
    dloss = score.mean() - d(torch.randn(8, 4)).mean()
    gloss = -score.mean()
    od.zero_grad(); dloss.backward(retain_graph=True)
    od.step()  # blamed
    og.zero_grad(); gloss.backward(); og.step()
"""


@pytest.mark.parametrize(
    ("program", "code"),
    [
        pytest.param(IN_PLACE, "FXA402", id="written in place"),
        pytest.param(NO_DERIVATIVE, "FXA402", id="no derivative"),
        pytest.param(KEPT_STATE, "FXA402", id="state of the round before"),
        pytest.param(NO_MEAN, "FXA402", id="several elements"),
        pytest.param(STEPPED_BETWEEN, "FXA402", id="a step between"),
    ],
)
def test_the_line_is_blamed(tmp_path: Path, program: str, code: str) -> None:
    finding = next(one for one in judged(tmp_path, HEAD + program).findings if one.level != "note")
    assert finding.code == code
    assert "# blamed" in line_of(finding)


def test_what_only_the_first_round_trains_is_trained_and_the_error_is_told(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + KEPT_STATE)
    assert {parameter.verdict for parameter in report.parameters.values()} == {"trained"}
    assert [finding.code for finding in report.findings] == ["FXA402"]
    assert report.findings[0].parameters == ()


def test_a_state_that_is_detached_has_no_finding(tmp_path: Path) -> None:
    detached = KEPT_STATE.replace("    loss = y.square().mean()", "    h = h.detach()\n    loss = y.square().mean()")
    assert judged(tmp_path, HEAD + detached).findings == ()
