"""A limit that is off: the branch without it is to use the value as it is, and 0 may be meant for none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)
body, policy, judge = nn.Linear(5, 8), nn.Linear(8, 3), nn.Linear(8, 1)
net = nn.ModuleList([body, policy, judge])
OPTIONS = {"limit": None}


def losses(seen, stored, gains, acts, options):
    h = body(seen).tanh()
    guess = judge(h).flatten()
    limit = options["limit"]
    if TEST:
        used = IDLE
    else:
        used = TAKEN
    gap = (gains - used).square().mean()
    return nn.functional.cross_entropy(policy(h), acts) + 0.5 * gap


optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(4):
    seen, stored, gains = torch.randn(16, 5), torch.randn(16), torch.randn(16)
    loss = losses(seen, stored, gains, torch.randint(0, 3, (16,)), OPTIONS)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
BOUND = "stored + torch.clamp(guess - stored, -limit, limit)"
METHOD = "stored + (guess - stored).clip(min=-limit, max=limit)"


def program(test: str, idle: str, taken: str) -> str:
    return PROGRAM.replace("TEST", test).replace("IDLE", idle).replace("TAKEN", taken)


@pytest.mark.parametrize("bound", [BOUND, METHOD])
@pytest.mark.parametrize("test", ["limit is not None", "limit"])
def test_what_is_used_without_the_limit_is_blamed(test: str, bound: str, tmp_path: Path) -> None:
    finding = next(f for f in judged(tmp_path, program(test, bound, "stored")).findings if f.level == "error")
    assert (line_of(finding), finding.code) == ("used = stored", "FXA103")


def test_an_option_that_scales_is_itself_to_be_set(tmp_path: Path) -> None:
    text = program("limit is not None", "stored + limit * guess", "stored")
    report = judged(tmp_path, text)
    assert report["2.weight"].verdict == "unreachable"
    assert all(line_of(finding) != "used = stored" for finding in report.findings)


def test_a_limit_of_something_else_says_nothing(tmp_path: Path) -> None:
    text = program("limit is not None", "guess + torch.clamp(stored, -limit, limit)", "stored")
    report = judged(tmp_path, text)
    assert report["2.weight"].verdict == "unreachable"
    assert all(line_of(finding) != "used = stored" for finding in report.findings)


def test_without_a_limit_the_value_itself_is_well(tmp_path: Path) -> None:
    report = judged(tmp_path, program("limit is not None", BOUND, "guess"))
    assert [f for f in report.findings if f.level in ("error", "warning")] == []


CLIPPED = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.ModuleDict({"stem": nn.Linear(5, 8), "top": nn.Linear(8, 1)})
LIMITS = {"stem": GIVEN, "top": 1.0}  # set


class Trim:
    def __init__(self, part, most=None):
        self.part, self.most = part, most

    def after(self, net):
GUARD
        torch.nn.utils.clip_grad_norm_(net[self.part].parameters(), self.most)  # clipped


hooks = [Trim(part, most) for part, most in LIMITS.items()]
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(4):
    x = torch.randn(16, 5)
    loss = (net["top"](net["stem"](x).tanh()).flatten() - x.sum(1)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    for hook in hooks:
        hook.after(net)
    optimizer.step()
"""


def clipped(guard: str, given: str) -> str:
    return CLIPPED.replace("GUARD", guard).replace("GIVEN", given)


def test_the_guard_is_blamed_that_lets_a_limit_of_zero_through(tmp_path: Path) -> None:
    text = clipped("        if self.most is None:\n            return", "0.0")
    (finding,) = [f for f in judged(tmp_path, text).findings if f.level == "error"]
    assert (finding.code, line_of(finding)) == ("FXA407", "if self.most is None:")
    assert "`self.most is None` does not keep a limit of 0 from being applied" in finding.message
    assert "# clipped" in "".join(one.source.code for one in finding.related if one.source is not None)


@pytest.mark.parametrize("guard", ["        pass", "        if self.part is None:\n            return"])
def test_without_a_guard_for_the_limit_it_is_the_zero_that_is_blamed(tmp_path: Path, guard: str) -> None:
    (finding,) = [f for f in judged(tmp_path, clipped(guard, "0.0")).findings if f.level == "error"]
    assert finding.code == "FXA407" and "is None" not in line_of(finding)


def test_a_guard_that_takes_zero_for_none_is_well(tmp_path: Path) -> None:
    text = clipped("        if not self.most:\n            return", "0.0")
    assert [f for f in judged(tmp_path, text).findings if f.level in ("error", "warning")] == []


def test_a_later_clip_of_everything_is_not_blamed_for_the_one_to_zero(tmp_path: Path) -> None:
    text = clipped("        pass", "0.0").replace(
        "    optimizer.step()", "    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)\n    optimizer.step()"
    )
    (finding,) = [f for f in judged(tmp_path, text).findings if f.level == "error"]
    assert finding.code == "FXA407" and "clip_grad_norm_(0.0)" in finding.message
    assert "5.0" not in line_of(finding)
