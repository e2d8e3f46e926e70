"""A limit that is off: the branch without it is to use the value as it is, and reads something else."""

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
