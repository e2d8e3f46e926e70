"""What a setting does by way of a helper of the program's: a lookup of its own, a cache that it can switch on."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import json
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
"""
# -- a lookup behind a method of the program's -----------------------------------------------------------------------

ASKED = """
class Config:
    def __init__(self, tree):
        self._tree = tree

    def __getattr__(self, key):
        value = self._tree[key]
        return Config(value) if isinstance(value, dict) else value

    def get(self, key, default=None):
        return self._tree.get(key, default)


config = Config(json.loads((Path() / "settings" / "tune.json").read_text()))
options = config.optimizer
net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
scale = options.get("first_scale", 0.0)  # falls back
groups = [{"params": net[0].parameters(), "lr": 2 * (options.lr * scale)}, {"params": net[1].parameters()}]
optimizer = torch.optim.SGD(groups, lr=options.lr)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(
    ("key", "blamed"),
    [
        ('"first_scal": 0.5', "first_scal"),
        ('"last": 0.5', "# falls back"),
        ('"first_scale": 0.0', "first_scale"),
        ('"first_scale": 0.5', ""),
    ],
)
def test_a_key_that_the_programs_own_lookup_does_not_find(key: str, blamed: str, tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "tune.json").write_text(f'{{\n "optimizer": {{\n  "lr": 0.1,\n  {key}\n }}\n}}\n', "utf-8")
    report = judged(tmp_path, HEAD + ASKED + LOOP)
    assert codes(report) == (["FXA304"] if blamed else [])
    assert all(blamed in line_of(finding) for finding in report.findings)
    assert set(verdicts(report).values()) == ({"blocked", "trained"} if blamed else {"trained"})


# -- a cache of features that a setting switches on ------------------------------------------------------------------

CACHED = """
class Source:
    def __init__(self, encoder, cache):
        self.encoder, self.images = encoder, torch.randn(32, 4)
        ASKED

    @torch.no_grad()
    def _filled(self):
        return torch.cat([self.encoder(part) for part in self.images.split(8)])

    def features(self, chosen):
        if self.bank is not None:
            return self.bank[chosen]
        return OTHER


SETTINGS = {
    "cache": True,  # blamed
}
encoder, head = nn.Linear(4, 4), nn.Linear(4, 1)
source = Source(encoder, **SETTINGS)
optimizer = torch.optim.SGD([*encoder.parameters(), *head.parameters()], lr=0.1)


def compute():
    return (head(source.features(torch.randperm(32)[:8])) - 1).square().mean()
"""
WAYS = {
    "an expression": "self.bank = self._filled() if cache else None",
    "a statement": "self.bank = None\n        if cache:\n            self.bank = self._filled()",
    "a block": """\
self.bank = None
        if cache:
            with torch.no_grad():
                self.bank = self.encoder(self.images)""",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_cache_is_blamed_at_the_setting_that_switches_it_on(way: str, tmp_path: Path) -> None:
    text = CACHED.replace("ASKED", WAYS[way]).replace("OTHER", "self.encoder(self.images[chosen])")
    report = judged(tmp_path, HEAD + text + LOOP)
    (finding,) = report.findings
    assert finding.code == "FXA105"
    assert line_of(finding).endswith("# blamed")
    assert "Set it the other way" in finding.fix
    assert any("torch.no_grad()" in related.source.code for related in finding.related if related.source)


def test_a_cache_without_another_way_is_blamed_where_gradients_are_switched_off(tmp_path: Path) -> None:
    text = CACHED.replace("ASKED", WAYS["an expression"]).replace("OTHER", "self.images[chosen]")
    (finding,) = judged(tmp_path, HEAD + text + LOOP).findings
    assert finding.code == "FXA105"
    assert "torch.no_grad()" in line_of(finding)


def test_a_cache_that_is_switched_off_is_healthy(tmp_path: Path) -> None:
    text = CACHED.replace("ASKED", WAYS["an expression"]).replace("OTHER", "self.encoder(self.images[chosen])")
    report = judged(tmp_path, HEAD + text.replace('"cache": True', '"cache": False') + LOOP)
    assert codes(report) == []


@pytest.mark.slow
@pytest.mark.parametrize(("cache", "share"), [("True", 0.5), ("False", 0.0)])
def test_plain_training_leaves_the_encoder_alone_behind_a_cache(cache: str, share: float) -> None:
    text = CACHED.replace("ASKED", WAYS["an expression"]).replace("OTHER", "self.encoder(self.images[chosen])")
    text = text.replace('"cache": True', f'"cache": {cache}')
    assert left_alone(textwrap.dedent(HEAD + text + LOOP)) == share
