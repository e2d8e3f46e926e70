"""A flag that ends gradient: the setting of it is blamed, where it says so itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

HEAD = """
import contextlib

import torch
from torch import nn

torch.manual_seed(0)
"""
LOOP = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    loss = net(torch.randn(8, 4)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
NET = """
class Net(nn.Module):
    def __init__(self, {name}):
        super().__init__()
        self.body, self.head = nn.Linear(4, 8), nn.Linear(8, 1)
        self.{name} = {name}

    def forward(self, x):
        h = torch.relu(self.body(x))
        {cut}
        return self.head(h)
"""
FIRST = "h = torch.relu(self.body(x))\n        "
BRANCH = "if self.{name}:\n            h = h.detach(){mark}"
CHOICE = "h = h.detach() if self.{name} else h{mark}"
REGION = "with contextlib.nullcontext() if self.{name} else torch.no_grad():\n            h = torch.relu(self.body(x))"
MODE = "if self.{name} == 'frozen':\n            h = h.detach()"


def net(cut: str, name: str, mark: str = "") -> str:
    return NET.replace("{cut}", cut).replace("{name}", name).replace("{mark}", mark)


SWITCHED = {
    "an entry, a branch": 'CONFIG = {"detach": True}  # blamed\n'
    + net(BRANCH, "detach")
    + 'net = Net(CONFIG["detach"])',
    "an argument, a choice": net(CHOICE, "frozen_body") + "net = Net(frozen_body=True)  # blamed",
    "a default": net(BRANCH, "stop").replace("self, stop):", "self, stop=True):  # blamed") + "net = Net()",
    "a region": "TUNED = False  # blamed\n" + net(REGION, "tune_body").replace(FIRST, "", 1) + "net = Net(TUNED)",
    "a mode": 'MODE = "frozen"  # blamed\n' + net(MODE, "mode") + "net = Net(MODE)",
}
OTHER_WAY = (
    "if self.{name}:\n            h = torch.relu(self.body(x))\n        else:\n            with torch.no_grad():\n"
    "                h = torch.relu(self.body(x))"
)
IMPLEMENTED = {
    "a purpose of its own": net(BRANCH, "save_memory", "  # blamed") + "net = Net(save_memory=True)",
    "a word that only holds such a word": net(BRANCH, "block", "  # blamed") + "net = Net(block=True)",
    "a choice for a purpose": net(CHOICE, "cheap", "  # blamed") + "net = Net(cheap=True)",
}


@pytest.mark.parametrize("name", SWITCHED)
def test_the_setting_of_a_flag_that_ends_gradient_is_blamed(name: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + SWITCHED[name] + LOOP).findings
    assert line_of(finding).endswith("# blamed"), str(finding.culprit)
    assert "gradient ends here" in [related.role for related in finding.related]
    assert finding.fix.startswith("Give `self.") and "\n" not in finding.fix


def test_a_way_with_gradient_that_a_flag_leaves_out_is_to_be_taken(tmp_path: Path) -> None:
    script = "TUNED = False  # blamed\n" + net(OTHER_WAY, "tuned").replace(FIRST, "", 1) + "net = Net(TUNED)"
    (finding,) = judged(tmp_path, HEAD + script + LOOP).findings
    assert line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Make the call run that carries gradient") and "\n" not in finding.fix


@pytest.mark.parametrize("name", IMPLEMENTED)
def test_behind_a_flag_of_another_purpose_the_line_itself_is_blamed(name: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + IMPLEMENTED[name] + LOOP).findings
    assert line_of(finding).endswith("# blamed"), str(finding.culprit)
    assert "decides" not in finding.message


def test_a_function_that_detaches_unless_it_is_told_not_to(tmp_path: Path) -> None:
    text = """
    def sample(of, detach=True):  # blamed
        made = of(torch.randn(8, 2))
        return made.detach() if detach else made


    maker, critic = nn.Linear(2, 2), nn.Linear(2, 1)
    steps = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (maker, critic)]
    for _ in range(3):
        for step in steps:
            step.zero_grad()
            fake = sample(maker)
            critic(fake).square().mean().backward()
            step.step()
    """
    import textwrap

    (finding,) = judged(tmp_path, HEAD + textwrap.dedent(text)).findings
    assert finding.code == "FXA104" and line_of(finding).endswith("# blamed")
