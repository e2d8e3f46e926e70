"""A text of a configuration file that is compared with one of other capitals: the comparison is blamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

SCRIPT = """
from configparser import ConfigParser
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn


def read(name="setup.ini"):
    parser = ConfigParser()
    parser.read(Path(__file__).with_name(name))
    model = parser["model"]
    return SimpleNamespace(
        width=model.getint("width"),
        gate={test},  # blamed
    )


class Net(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.is_gated = options.gate
        self.body, self.gate = nn.Linear(4, options.width), nn.Linear(4, options.width)
        self.out = nn.Linear(options.width, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.out(h * self.gate(x) if self.is_gated else h)


net = Net(read())
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    net(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize("test", ['model["gate"] == "true"', 'parser.get("model", "gate") in ("true", "yes")'])
def test_the_comparison_is_blamed(test: str, tmp_path: Path) -> None:
    (tmp_path / "setup.ini").write_text("[model]\nwidth = 4\ngate = True\n", encoding="utf-8")
    (finding,) = judged(tmp_path, SCRIPT.format(test=test)).findings
    assert finding.code == "FXA101"
    assert "# blamed" in line_of(finding)
    assert finding.fix == "Compare without regard to capitals, with `.lower()`: the text is 'True'."
    assert any(related.source.code == "gate = True" for related in finding.related)


def test_the_file_is_found_from_another_working_directory(tmp_path: Path) -> None:
    folder = tmp_path / "beside"
    folder.mkdir()
    (tmp_path / "setup.ini").write_text("[model]\nwidth = 4\ngate = True\n", encoding="utf-8")
    script = SCRIPT.format(test='model["gate"] == "true"')
    text = f"""
import runpy

net = runpy.run_path({str(tmp_path / "program.py")!r})["net"]
"""
    (tmp_path / "program.py").write_text(script, encoding="utf-8")
    (finding,) = judged(folder, text).findings
    assert "# blamed" in line_of(finding)


@pytest.mark.parametrize("written", ["true", "off"])
def test_a_text_that_is_asked_for_or_another_is_not(written: str, tmp_path: Path) -> None:
    (tmp_path / "setup.ini").write_text(f"[model]\nwidth = 4\ngate = {written}\n", encoding="utf-8")
    report = judged(tmp_path, SCRIPT.format(test='model["gate"] == "true"'))
    assert codes(report) == ([] if written == "true" else ["FXA101"])
    assert not any("# blamed" in line_of(finding) for finding in report.findings)
