"""A model that an evaluation leaves in evaluation mode, so that what is used in training only is never called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

SCRIPT = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.auxiliary = nn.Linear(4, 8), nn.Linear(8, 1), nn.Linear(8, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        {asks}


def evaluate(net):
    net.eval()  # blamed
    with torch.no_grad():
        return net(x)[0].mean().item()


x = torch.randn(16, 4)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
evaluate(net)
for epoch in range(3):
    {mode}
    for _ in range(2):
        output, auxiliary = net(x)
        loss = (output - 1).square().mean() + (0 if auxiliary is None else auxiliary.square().mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    evaluate(net)
"""
ASKS = {
    "branch": "auxiliary = None\n        if self.training and h.requires_grad:\n"
    "            auxiliary = self.auxiliary(h)\n        return self.head(h), auxiliary",
    "early return": "if not self.training:\n            return self.head(h), None\n"
    "        return self.head(h), self.auxiliary(h)",
}


def script(asks: str, mode: str) -> str:
    return SCRIPT.replace("{asks}", ASKS[asks]).replace("{mode}", mode)


@pytest.mark.parametrize("asks", ASKS)
def test_the_call_that_leaves_the_model_in_evaluation_mode_is_blamed(asks: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, script(asks, "pass")).findings
    assert finding.code == "FXA101"
    assert line_of(finding) == "net.eval()  # blamed"
    assert "Call `model.train()`" in finding.fix
    assert "asked here" in [related.role for related in finding.related]


@pytest.mark.parametrize("asks", ASKS)
def test_where_training_mode_comes_back_nothing_is_blamed(asks: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, script(asks, "net.train()")).findings


def test_what_is_used_in_evaluation_only_does_not_blame_the_evaluation(tmp_path: Path) -> None:
    asks = "return self.head(h), None if self.training else self.auxiliary(h)"
    text = SCRIPT.replace("{asks}", asks).replace("{mode}", "net.train()")
    assert not any("evaluation mode" in finding.message for finding in judged(tmp_path, text).findings)
