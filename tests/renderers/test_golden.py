"""Every text form of the reports against its golden file, each with one check of what the output says."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from fxaudit.renderers import render
from fxaudit.renderers.text.terminal import render as terminal
from fxaudit.report import Report

Check = Callable[[str], bool]


def culprit_line(sarif: str) -> list[int]:
    results = json.loads(sarif)["runs"][0]["results"]
    return [
        r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in results if "physicalLocation" in str(r)
    ]


def failed_cases(junit: str) -> set[str]:
    root = ElementTree.fromstring(junit)
    return {case.get("name", "") for case in root.iter("testcase") if len(case)}


TERMINAL: tuple[tuple[str, int, Check], ...] = (
    ("empty", 80, lambda text: "Nothing could be audited." in text),
    ("healthy", 80, lambda text: text.startswith("train.py: All 4 parameters will be updated.")),
    ("detached", 80, lambda text: "31 |     h = self.norm(h).detach()\n   |         ^^^^^" in text),
    ("detached", 140, lambda text: "head.* ×2" in text and max(map(len, text.splitlines())) > 100),
    ("many", 80, lambda text: text.index("error[") < text.index("warning[") < text.index("note[")),
    ("folded", 80, lambda text: "encoder.layers.{0..11}.attn.* ×72" in text),
    ("died", 80, lambda text: "The script did not finish: RuntimeError: out of memory" in text),
    ("hostile", 80, lambda text: "[red]x[/]\\n\\x1b[31m" in text),
)
OTHERS: tuple[tuple[str, str, str, Check], ...] = (
    ("empty", "markdown", "md", lambda text: "Nothing could be audited." in text),
    ("healthy", "markdown", "md", lambda text: "####" not in text),
    ("detached", "markdown", "md", lambda text: "  31>         h = self.norm(h).detach()" in text),
    ("many", "markdown", "md", lambda text: text.count("####") == 4),
    ("died", "markdown", "md", lambda text: "💥 The script did not finish" in text),
    ("hostile", "markdown", "md", lambda text: "@<!-- -->you" in text),
    ("detached", "json", "json", lambda text: json.loads(text)["findings"][0]["proved"] and '"shape": [8, 8],' in text),
    ("healthy", "sarif", "sarif", lambda text: culprit_line(text) == []),
    ("detached", "sarif", "sarif", lambda text: culprit_line(text) == [31]),
    ("hostile", "sarif", "sarif", lambda text: culprit_line(text) == [3]),
    ("empty", "junit", "xml", lambda text: failed_cases(text) == {"audit"}),
    ("many", "junit", "xml", lambda text: {"encoder.*", "FXA404 never-cleared"} <= failed_cases(text)),
    ("folded", "junit", "xml", lambda text: failed_cases(text) == {"encoder.layers.{0..11}.attn.*"}),
    ("died", "junit", "xml", lambda text: failed_cases(text) == {"train.py"}),
    ("hostile", "junit", "xml", lambda text: "[0].x" in failed_cases(text)),
    ("healthy", "github", "github", lambda text: "::error" not in text),
    ("many", "github", "github", lambda text: text.startswith("::error file=train.py,line=31,")),
    ("hostile", "github", "github", lambda text: text.count("\n") == 3),
    ("healthy", "brief", "brief", lambda text: text.endswith("\nparameters: 4 trained\n")),
    ("many", "brief", "brief", lambda text: text.index(": error[") < text.index(": warning[") < text.index("note[")),
    ("hostile", "brief", "brief", lambda text: all(line.isprintable() for line in text.splitlines())),
    (
        "died",
        "brief",
        "brief",
        lambda text: "\nscript: The script did not finish: RuntimeError: out of memory\n" in text,
    ),
)


@pytest.mark.parametrize(("case_name", "width", "says"), TERMINAL, ids=lambda value: str(value)[:12])
def test_the_terminal_report_is_the_golden_one(
    case_name: str, width: int, says: Check, reports: dict[str, Report], golden: Callable[[str, str], None]
) -> None:
    text = terminal(reports[case_name], width=width)
    assert says(text)
    golden(f"{case_name}.{width}.txt", text)


@pytest.mark.parametrize(("case_name", "form", "suffix", "says"), OTHERS, ids=lambda value: str(value)[:12])
def test_the_rendered_report_is_the_golden_one(
    case_name: str, form: str, suffix: str, says: Check, reports: dict[str, Report], golden: Callable[[str, str], None]
) -> None:
    text = render(reports[case_name], form)
    assert isinstance(text, str)
    assert says(text)
    golden(f"{case_name}.{suffix}", text)
