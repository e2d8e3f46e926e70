"""A module that `functional_call` runs with other tensors than its own parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
FEDERATED = """
import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.norm, self.head = nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.norm(self.body(x)))


def shared(state):
    return {name: value for name, value in state.items() if FILTER}


net = Net()
net.body.requires_grad_(False)
net.norm.requires_grad_(False)
scale = nn.Parameter(torch.ones(1))
optimizer = torch.optim.SGD([*net.head.parameters(), scale], lr=0.1)
overlay = shared({name: torch.randn_like(value) for name, value in net.named_parameters()})


def compute():
    out = functional_call(net, {**dict(net.named_parameters()), **overlay}, (torch.randn(8, 4),))  # given
    return (out * scale - 1).square().mean()
"""
ALWAYS = 'name.startswith("body.") or "norm."'


@pytest.mark.parametrize(
    ("test", "blamed"),
    [(ALWAYS, ALWAYS), ('"." in name', "# given"), ('name.startswith(("body.", "norm."))', "")],
)
def test_the_call_or_the_filter_that_let_the_other_tensor_in(test: str, blamed: str, tmp_path: Path) -> None:
    report = judged(tmp_path, FEDERATED.replace("FILTER", test) + LOOP)
    found = verdicts(report)
    assert {found["head.weight"], found["head.bias"]} == ({"unreachable"} if blamed else {"trained"})
    assert codes(report) == (["FXA102"] if blamed else [])
    for finding in report.findings:
        assert blamed in line_of(finding)
        assert ("always true" in finding.message) is (test == ALWAYS)


@pytest.mark.slow
@pytest.mark.parametrize(("test", "share"), [(ALWAYS, 6 / 7), ('name.startswith(("body.", "norm."))', 4 / 7)])
def test_plain_training_leaves_the_head_alone_by_the_filter(test: str, share: float) -> None:
    assert left_alone(FEDERATED.replace("FILTER", test) + LOOP) == share
