"""Lengths that the data and the model both divide: the second division is blamed for losses that are infinite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

SCRIPT = """
import torch
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(0)
SETTINGS = {"every": 4}  # the setting


class Collate:
    def __init__(self, every):
        self.every = every

    def __call__(self, items):
        lengths = torch.tensor([DATA for feats, _ in items])
        return torch.stack([f for f, _ in items]), lengths, torch.stack([t for _, t in items])


class Net(nn.Module):
    def __init__(self, every):
        super().__init__()
        self.every = every
        self.conv, self.out = nn.Conv1d(3, 8, 4, stride=every), nn.Linear(8, 6)

    def forward(self, x, lengths):
        h = torch.relu(self.conv(x.transpose(1, 2))).transpose(1, 2)
        return self.out(h).log_softmax(-1), MODEL


items = [(torch.randn(40, 3), torch.randint(1, 6, (4,))) for _ in range(16)]
net = Net(SETTINGS["every"])
loss_of = nn.CTCLoss(zero_infinity=True)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for x, lengths, targets in DataLoader(items, 4, collate_fn=Collate(SETTINGS["every"])):
    logits, short = net(x, lengths)
    loss = loss_of(logits.transpose(0, 1), targets, short, torch.full((4,), 4))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
HERE, THERE = "len(feats) // self.every", "lengths // self.every"


def script(data: str, model: str) -> str:
    return SCRIPT.replace("DATA", data).replace("MODEL", model)


def test_the_second_division_is_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, script(HERE, THERE)).findings
    assert finding.code == "FXA501"
    assert line_of(finding).endswith(THERE)
    assert "the lengths are divided twice" in finding.message
    assert HERE in finding.related[0].source.code


@pytest.mark.parametrize(("data", "model"), [(HERE, "lengths"), ("len(feats)", THERE)])
def test_one_division_is_right(data: str, model: str, tmp_path: Path) -> None:
    assert codes(judged(tmp_path, script(data, model))) == []


def test_a_divisor_that_is_too_large_is_blamed_itself(tmp_path: Path) -> None:
    program = script("len(feats)", "lengths // self.factor").replace(
        "self.every = every\n        self.conv",
        'self.every, self.factor = every, SETTINGS["factor"]\n        self.conv',
    )
    program = program.replace('{"every": 4}', '{"every": 4, "factor": 16}')
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA501"
    assert "divided twice" not in finding.message
    assert line_of(finding).endswith("# the setting")


def test_a_division_by_too_much_is_blamed_where_it_is_done(tmp_path: Path) -> None:
    halved = SCRIPT.replace("MODEL", "self.halved(lengths)").replace("DATA", "len(feats)")
    method = (
        "    def halved(self, lengths):\n        for by in (self.every, SECOND):\n"
        "            lengths = (lengths - 1) // by + 1  # blamed\n        return lengths\n\n    def forward"
    )
    text = halved.replace("    def forward", method)
    (finding,) = judged(tmp_path, text.replace("SECOND", "4")).findings
    assert finding.code == "FXA501" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Look at what the lengths are divided by here")
    assert codes(judged(tmp_path, text.replace("SECOND", "1"))) == []
