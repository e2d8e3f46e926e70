"""`re.match` asks how a name begins: where it was to ask what a name contains, that test is blamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.program.anchored import _either
from tests.scripts import codes, judged, line_of, verdicts

NET = """
import re

import torch
from torch import nn

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.adapter = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return torch.tanh(self.adapter(torch.tanh(self.body(x))))


net = nn.ModuleDict({{"block": Block(), "head": nn.Linear(4, 1)}})
PARTS = ["adapter", "head"]


{choice}


for _ in range(3):
    optimizer.zero_grad()
    net["head"](net["block"](torch.randn(8, 4))).square().mean().backward()
    optimizer.step()
"""
STEPS = "optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)"
COMPILED = f"""
rule = re.compile("|".join(PARTS))
for name, p in net.named_parameters():
    p.requires_grad = rule.match(name) is not None  # blamed
{STEPS}
"""
IN_TURN = f"""
def fits(name, patterns):
    return any(re.match(pattern, name) for pattern in patterns)


for name, p in net.named_parameters():
    if not any(re.match(pattern, name) for pattern in PARTS):  # blamed
        p.requires_grad_(False)
{STEPS}
"""
CHOSEN = """
rule = re.compile("adapter|head")
chosen = [p for name, p in net.named_parameters() if "body" in name or rule.match(name)]  # blamed
optimizer = torch.optim.SGD(chosen, lr=0.1)
"""
HEALTHY = {
    "a search": COMPILED.replace("match", "search"),
    "an expression for the whole name": COMPILED.replace('"|".join(PARTS)', 'r".*\\.adapter|head"'),
    "what each name begins with": COMPILED.replace('"|".join(PARTS)', '"block|head"'),
    "a part that some name begins with": COMPILED.replace('"|".join(PARTS)', '"head"'),
}


@pytest.mark.parametrize("choice", [COMPILED, IN_TURN])
def test_what_stays_frozen_because_of_it(choice: str, tmp_path: Path) -> None:
    (finding,) = [f for f in judged(tmp_path, NET.format(choice=choice)).findings if f.level != "note"]
    assert finding.code == "FXA310"
    assert "# blamed" in line_of(finding)
    assert set(finding.parameters) == {"block.adapter.weight", "block.adapter.bias"}
    assert "none begins with `adapter`, and `block.adapter.weight` contains it" in finding.message
    assert finding.fix == "Write `search` for `match`: it finds the text anywhere in the name."


def test_what_the_optimizer_is_not_given(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, NET.format(choice=CHOSEN)).findings
    assert finding.code == "FXA301"
    assert "# blamed" in line_of(finding)
    assert set(finding.parameters) == {"block.adapter.weight", "block.adapter.bias"}


@pytest.mark.parametrize("choice", HEALTHY.values(), ids=HEALTHY)
def test_what_is_asked_for_as_it_is_meant(choice: str, tmp_path: Path) -> None:
    report = judged(tmp_path, NET.format(choice=choice))
    assert codes(report) == []
    assert verdicts(report)["block.body.weight"] == ("trained" if "block|head" in choice else "frozen")


def test_the_alternatives_of_an_expression() -> None:
    assert _either(r"a|b(c|d)|[|]e|\|f|") == ["a", "b(c|d)", "[|]e", r"\|f"]
