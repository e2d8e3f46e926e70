"""A word that YAML reads as False is blamed for the part whose name nobody asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged

SETTINGS = "width: 4\nlanguages: [da, sv, {word}]\n"
PROGRAM = """
import torch
import yaml
from torch import nn

torch.manual_seed(0)
settings = yaml.safe_load(open("settings.yaml"))
heads = nn.ModuleDict({str(code): nn.Linear(settings["width"], 1) for code in settings["languages"]})
optimizer = torch.optim.SGD(heads.parameters(), lr=0.1)
for step in range(6):
    language = ("da", "sv", "no")[step % 3]
    if language not in heads:
        continue
    loss = heads[language](torch.randn(8, 4)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize("word", ["no", "NO", "off"])
def test_the_word_is_blamed(tmp_path: Path, word: str) -> None:
    (tmp_path / "settings.yaml").write_text(SETTINGS.format(word=word), encoding="utf-8")
    finding = next(one for one in judged(tmp_path, PROGRAM).findings if one.level != "note")
    assert finding.code == "FXA101"
    assert finding.culprit is not None
    assert (Path(finding.culprit.file).name, finding.culprit.line) == ("settings.yaml", 2)
    assert f"YAML reads `{word}` as False" in finding.message


def test_a_text_has_no_finding(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(SETTINGS.format(word='"no"'), encoding="utf-8")
    assert judged(tmp_path, PROGRAM).findings == ()
