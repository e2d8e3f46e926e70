"""What `zip` drops without a word, where its sequences are not equally long."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of, verdicts

PYRAMID = """
import torch
from torch import nn

torch.manual_seed(0)


class Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
        self.heads = nn.ModuleList(nn.Linear(4, 2) for _ in range(3))

    def forward(self, x):
        outputs = []
        for stage, head in zip(self.stages, self.heads):
            x = torch.relu(stage(x)) + x
            outputs.append(head(x))
        return outputs

{criterion}

net = Pyramid()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
for _ in range(4):
    loss = criterion(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
LOOP = """
def criterion(outputs, y, weights=(1.0, 0.5)):
    total = 0.0
    for weight, output in zip(weights, reversed(outputs)):  # blamed
        total = total + weight * nn.functional.cross_entropy(output, y)
    return total
"""
SUM = """
WEIGHTS = [1.0, 0.5]


def criterion(outputs, y):
    losses = []
    for output in outputs:
        losses.append(nn.functional.cross_entropy(output, y))
    return sum(w * loss for w, loss in zip(WEIGHTS, losses))  # blamed
"""
LAST = """
def criterion(outputs, y, weights=(1.0, 0.5, 0.25)):
    for weight, output in zip(weights, outputs):
        total = weight * nn.functional.cross_entropy(output, y)
    return total
"""


@pytest.mark.parametrize(("criterion", "shorter"), [(LOOP, "weights"), (SUM, "WEIGHTS")], ids=["loop", "sum"])
def test_a_zip_that_drops_what_was_collected_is_blamed(criterion: str, shorter: str, tmp_path: Path) -> None:
    script = PYRAMID.replace("{criterion}", criterion)
    finding = judged(tmp_path, script).findings[0]
    assert finding.code == "FXA103"
    assert "# blamed" in line_of(finding)
    assert "takes 2 of the 3 in" in finding.message and f"as `{shorter}` has no more" in finding.message
    assert "strict=True" in finding.fix


def test_a_zip_that_takes_all_is_not_blamed(tmp_path: Path) -> None:
    script = PYRAMID.replace("{criterion}", LAST)
    report = judged(tmp_path, script)
    assert verdicts(report)["heads.0.weight"] == "unreachable"
    assert "`zip` takes" not in "".join(finding.message for finding in report.findings)


def test_what_is_put_into_a_list_that_is_returned_is_not_said_to_be_missing_in_it(tmp_path: Path) -> None:
    script = PYRAMID.replace("{criterion}", "def criterion(outputs, y):\n    return outputs[-1].square().mean()\n")
    roles = [related.role for finding in judged(tmp_path, script).findings for related in finding.related]
    assert "it is returned here, and not used by the loss" in roles
    assert "what is returned here does not contain it" not in roles
