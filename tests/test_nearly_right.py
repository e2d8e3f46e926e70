"""A word that is nearly the right one is blamed: the name of a method, or the key of an entry."""

from __future__ import annotations

from pathlib import Path

from tests.scripts import judged, line_of

LOOP = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    loss = compute()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
HOOK = """
import torch
from torch import nn

torch.manual_seed(0)


class Score(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1)

    def deep_part(self, x):
        return x.new_zeros(len(x), 1)

    def forward(self, x):
        return self.linear(x) + self.deep_part(x)


class Crossed(Score):
    def cross(self, x):
        return x * x


class Deep(Crossed):
    def __init__(self):
        super().__init__()
        self.tower = nn.Linear(4, 1)

    def {name}(self, x):  # blamed
        return self.tower(self.cross(x))


net = Deep()


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
WEIGHTS = """
from pathlib import Path

import torch
import yaml
from torch import nn

torch.manual_seed(0)
settings = yaml.safe_load(Path("settings.yaml").read_text())
net = nn.ModuleDict({name: nn.Linear(4, spec["out"]) for name, spec in settings["heads"].items()})


def compute():
    x = torch.randn(8, 4)
    parts = {name: head(x).square().mean() for name, head in net.items()}
    return sum(settings["weights"].get(name, 0.0) * part for name, part in parts.items())
"""
SETTINGS = """
heads:
  depth: {out: 1}
  edges: {out: 2}
weights:
  depth: 1.0
  NAME: 0.5
"""


def test_a_method_that_should_take_the_place_of_one_of_a_base_of_a_base_is_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HOOK.format(name="deep_parts") + LOOP).findings
    assert finding.code == "FXA101" and line_of(finding).endswith("# blamed")
    assert not judged(tmp_path, HOOK.format(name="deep_part") + LOOP).findings


def test_a_method_of_another_name_is_not_said_to_be_misspelt(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HOOK.format(name="towering") + LOOP).findings
    assert not line_of(finding).endswith("# blamed")


def test_the_key_beside_the_others_is_blamed_and_not_the_same_word_in_another_block(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(SETTINGS.replace("NAME", "edge"), encoding="utf-8")
    (finding,) = judged(tmp_path, WEIGHTS + LOOP).findings
    assert finding.parameters == ("edges.weight", "edges.bias") and line_of(finding).strip() == "edge: 0.5"
    assert finding.fix.startswith("Correct the key of `edge: 0.5`")
    (tmp_path / "settings.yaml").write_text(SETTINGS.replace("NAME", "edges"), encoding="utf-8")
    assert not judged(tmp_path, WEIGHTS + LOOP).findings
