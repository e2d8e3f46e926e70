"""A whole model that an optimizer steps, and that nobody calls."""

from __future__ import annotations

from pathlib import Path

from tests.scripts import codes, judged, line_of, verdicts

SCRIPT = """
import torch
from torch import nn


class Field(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))


def render(
    rays,
    coarse,
    fine=None,
    samples=DEFAULT,  # blamed
):
    first = coarse(rays)
    if fine is None or samples == 0:
        return first, None
    return first, fine(rays)


one, two = Field(), Field()
optimizer = torch.optim.Adam([*one.parameters(), *two.parameters()], lr=0.01)
for _ in range(4):
    rays = torch.randn(8, 3)
    first, second = render(rays, one, GIVEN)
    loss = first.square().mean()
    if second is not None:
        loss = loss + second.square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
FOLDS = """
import torch
from torch import nn

nets = [nn.Linear(3, 1) for _ in range(3)]
optimizers = [torch.optim.SGD(net.parameters(), lr=0.1) for net in nets]
for net, optimizer in zip(nets, optimizers):
    for _ in range(6):
        optimizer.zero_grad()
        net(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()
"""


def script(default: int, given: str) -> str:
    return SCRIPT.replace("DEFAULT", str(default)).replace("GIVEN", given)


def test_the_setting_that_leaves_it_out_is_blamed(tmp_path: Path) -> None:
    report = judged(tmp_path, script(0, "two"))
    (finding,) = report.findings
    assert finding.code == "FXA101" and line_of(finding).endswith("# blamed")
    assert finding.message.startswith("`two` is never called")
    assert {name for name, verdict in verdicts(report).items() if verdict == "unreachable"} == {
        "two.0.weight",
        "two.0.bias",
        "two.2.weight",
        "two.2.bias",
    }


def test_a_model_that_is_handed_on_to_nobody(tmp_path: Path) -> None:
    report = judged(tmp_path, script(4, "None"))
    (finding,) = report.findings
    assert finding.code == "FXA101" and line_of(finding) == "one, two = Field(), Field()"


def test_a_model_that_is_called(tmp_path: Path) -> None:
    report = judged(tmp_path, script(4, "two"))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


def test_models_whose_turn_has_not_come(tmp_path: Path) -> None:
    report = judged(tmp_path, FOLDS)
    assert codes(report) == [] and "unreachable" not in verdicts(report).values()
