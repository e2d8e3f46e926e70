"""`flag is True` never holds of a truth that is numpy's or torch's: the test is blamed for what it never lets run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

HEAD = """
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(16, 4)
flags = np.arange(16) % 2 == 0
"""
LOOP = """
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    loss = (net(x) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
ROUNDS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
        self.gates = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        for block, gate, flag in zip(self.blocks, self.gates, FLAGS):
            h = block(x)
            if TEST:  # blamed
                h = h * gate(x).sigmoid()
            x = x + h.tanh()
        return x
"""
DOMAINS = """
def domain_of(i):
    return 1 if TEST else 0  # blamed


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm1d(4) for _ in range(2))

    def forward(self, x):
        domains, out = torch.tensor([domain_of(i) for i in range(len(x))]), torch.zeros_like(x)
        for k in domains.unique().tolist():
            out[domains == k] = self.norms[k](x[domains == k])
        return out
"""
ANSWER = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.extra = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        h, mask = self.body(x), x[:, 0] > 0
        if TEST:  # blamed
            return h
        return h + self.extra(x)
"""


@pytest.mark.parametrize(
    ("program", "test", "edit"),
    [
        (ROUNDS.replace("FLAGS", "flags[::2]"), "flag is True", "bool(flag)"),
        (ROUNDS.replace("FLAGS", "torch.ones(3)"), "flag is True", "bool(flag)"),
        (DOMAINS, "flags[i] is True", "bool(flags[i])"),
        (ANSWER, "mask.any() is not True", "not bool(mask.any())"),
    ],
)
def test_a_truth_that_is_no_flag_of_pythons_is_never_the_object(
    tmp_path: Path, program: str, test: str, edit: str
) -> None:
    (finding,) = judged(tmp_path, HEAD + program.replace("TEST", test) + LOOP).findings
    assert line_of(finding).endswith("# blamed") and f"`{edit}`" in finding.fix
    assert not judged(tmp_path, HEAD + program.replace("TEST", edit) + LOOP).findings


def test_a_flag_of_pythons_may_be_asked_for_the_object(tmp_path: Path) -> None:
    program = ROUNDS.replace("FLAGS", "[False, False, False]").replace("TEST", "flag is True")
    (finding,) = judged(tmp_path, HEAD + program + LOOP).findings
    assert "bool(" not in finding.fix
    program = ROUNDS.replace("FLAGS", "[True, False, True]").replace("TEST", "flag is True")
    assert all(
        finding.level == "note" or "bool(" not in finding.fix
        for finding in judged(tmp_path, HEAD + program + LOOP).findings
    )


def test_a_test_that_has_nothing_to_do_with_it_is_not_blamed(tmp_path: Path) -> None:
    """The log asks in vain; the module is forgotten all the same."""
    program = ANSWER.replace("TEST", "mask is None").replace("return h\n", "return None\n")
    program = program.replace("h + self.extra(x)", "h") + "\nprint('half' if flags[0] is True else 'none')\n"
    (finding,) = judged(tmp_path, HEAD + program + LOOP).findings
    assert finding.code == "FXA101" and "is True" not in line_of(finding)
