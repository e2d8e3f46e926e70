"""What is computed and read only where nothing runs: what keeps it from running is blamed, or where it is refused."""

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


def train(net):
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(4):
        loss = (net(x) - y).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
"""
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.aux = nn.Linear(4, 1), nn.Linear(4, 1)
        self.locked, self.calls = False, 0

    def forward(self, x):
        out, extra = self.body(x), self.aux(x)
        if TEST:
            out = out + extra
        return out

"""
ENABLED = (
    NET.replace("self.locked, self.calls = False, 0", "self.uses_aux = False").replace("TEST", "self.uses_aux")
    + """
    def enable(self):  # blamed
        self.uses_aux = True


train(Net())
"""
)
LOCKED = (
    NET.replace("TEST", "not self.locked")
    + """
    def lock(self):
        self.locked = True

    def unlock(self):
        self.locked = False


net = Net()
net.lock()  # blamed
train(net)
"""
)
ALL_LOCKED = LOCKED.replace(
    "net = Net()\nnet.lock()",
    """
def lock_all(nets):
    for net in nets:
        net.lock()


def unlock_all(nets):
    for net in nets:
        net.unlock()


net = Net()
lock_all([net])""",
)
COUNTED = (
    NET.replace("TEST", "not self.locked")
    .replace("self.locked, self.calls = False, 0", "self.locked, self.calls = True, 0")
    .replace("        out, extra", "        self.tick()\n        out, extra")
    + """
    def tick(self):
        self.calls += 1
        if self.calls > 1000:  # blamed
            self.locked = False


train(Net())
"""
)
GIVEN = """
net = nn.ModuleDict({"body": nn.Linear(4, 1), "aux": nn.Linear(4, 1)})
opt = torch.optim.SGD(net.parameters(), lr=0.1)


def score(x, with_aux=False):
    out, extra = net["body"](x), net["aux"](x)
    if with_aux:
        out = out + extra
    return out


AFTER = 100  # blamed
for epoch in range(4):
    if epoch > AFTER:
        out = score(x, with_aux=True)
    else:
        out = score(x)
    loss = (out - y).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
LOSSES = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.aux = nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x):
        losses = {}
        losses["main"] = self.body(x).square().mean()
        losses["aux"] = self.aux(x).square().mean()
        return losses


COUNTED = ("main",)
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    losses, loss = net(x), 0
    SUM
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
IN_A_LOOP = LOSSES.replace(
    "SUM",
    """for name, value in losses.items():
        if TEST:  # blamed
            loss = loss + value""",
)
LISTED = IN_A_LOOP.replace("TEST", "name in COUNTED")
BY_PREFIX = IN_A_LOOP.replace("TEST", 'name.startswith("m")')
SUMMED = LOSSES.replace("SUM", "loss = sum(v for k, v in losses.items() if k in COUNTED)  # blamed")
OVERRIDDEN = """
class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.aux = nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x):
        PUT
        return out

    def loss(self, out):
        return out["main"].square().mean() + READ.square().mean()


class Short(Base):
    def loss(self, out):  # blamed
        return out["main"].square().mean()


net = Short()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = net.loss(net(x))
    opt.zero_grad()
    loss.backward()
    opt.step()
"""


@pytest.mark.parametrize(
    ("program", "roles"),
    [
        pytest.param(
            ENABLED,
            ["`uses_aux` would get another value here", "`self.uses_aux` is never true"],
            id="what would switch it on is never called",
        ),
        pytest.param(
            LOCKED,
            ["`locked` would get another value here", "`not self.locked` is never true"],
            id="what is called is never taken back",
        ),
        pytest.param(
            ALL_LOCKED,
            ["`locked` would get another value here", "`not self.locked` is never true"],
            id="what is called for all is never taken back",
        ),
        pytest.param(
            COUNTED,
            ["`locked` would get another value here, and this never runs", "`not self.locked` is never true"],
            id="a threshold that is not reached",
        ),
        pytest.param(
            GIVEN,
            ["this call gives `with_aux` another value, and never runs", "`epoch > AFTER` is never true"],
            id="the call that gives it comes too late",
        ),
        pytest.param(LISTED, ["`name` is 'aux', from here"], id="a test in a loop decides against it"),
        pytest.param(BY_PREFIX, ["put aside here"], id="a test of the text decides against it"),
        pytest.param(SUMMED, ["`k` is 'aux', from here"], id="a test in a comprehension decides against it"),
    ],
)
def test_what_keeps_it_from_being_read_is_blamed(tmp_path: Path, program: str, roles: list[str]) -> None:
    report = judged(tmp_path, HEAD + program)
    assert verdicts(report)["aux.weight"] == "unreachable"
    (finding,) = [one for one in report.findings if one.level != "note"]
    assert finding.code == "FXA103"
    assert "# blamed" in line_of(finding)
    told = [related.role for related in finding.related]
    assert [role for role in roles if role not in told] == []
    assert "what is returned here does not contain it" not in told


@pytest.mark.parametrize(
    ("put", "read"),
    [
        ('out = {"main": self.body(x), "aux": self.aux(x)}', 'out["aux"]'),
        ("out = dict(main=self.body(x), aux=self.aux(x))", 'out.get("aux")'),
        ('out = {"main": self.body(x)}\n        out["aux"] = self.aux(x)', 'out.pop("aux")'),
    ],
)
def test_the_method_that_takes_the_place_of_the_one_that_reads_is_blamed(tmp_path: Path, put: str, read: str) -> None:
    (finding,) = judged(tmp_path, HEAD + OVERRIDDEN.replace("PUT", put).replace("READ", read)).findings
    assert finding.code == "FXA103"
    assert "# blamed" in line_of(finding)
    assert "`Short.loss` takes the place of `Base.loss`, and does not call it" in finding.message
    assert "`aux` is read here, and this never runs" in [related.role for related in finding.related]


def test_what_stands_in_a_dictionary_is_returned_with_it(tmp_path: Path) -> None:
    put = 'out = {"main": self.body(x)}\n        out["aux"] = self.aux(x)'
    unread = OVERRIDDEN.replace("PUT", put).replace(" + READ.square().mean()", "")
    (finding,) = judged(tmp_path, HEAD + unread).findings
    assert "it is returned here, and not used by the loss" in [related.role for related in finding.related]


def test_what_an_earlier_pass_read_is_not_said_to_be_read_nowhere(tmp_path: Path) -> None:
    """Of each statement the first passes are kept: of the loop's header none of the last step."""
    (finding,) = judged(tmp_path, HEAD + LISTED).findings
    assert not [one.role for one in finding.related if "read nowhere" in one.role]


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(LISTED.replace('("main",)', '("main", "aux")'), id="all are counted"),
        pytest.param(GIVEN.replace("AFTER = 100", "AFTER = 1"), id="given in time"),
        pytest.param(COUNTED.replace("> 1000", "> 1"), id="a threshold that is reached"),
        pytest.param(LOCKED.replace("train(net)", "net.unlock()\ntrain(net)"), id="taken back"),
    ],
)
def test_what_is_read_has_no_finding(tmp_path: Path, program: str) -> None:
    assert judged(tmp_path, HEAD + program).findings == ()
