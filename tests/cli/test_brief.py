"""`--format brief`, and the pages on programs and editors: what they show is what fxaudit says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from fxaudit.renderers import render
from fxaudit.report import Report
from tests.cli.processes import forked
from tests.pages import ROOT, blocks, page, run_python
from tests.test_readme import MODELS, SCRIPT


def gallery(name: str) -> Report:
    return Report.from_json((ROOT / "reports" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_page_shows_what_is_printed() -> None:
    (shown,) = blocks(page("agents"), "text")
    assert shown == render(gallery("train_translation"), "brief")


def test_the_pages_commands_work_as_written(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    lines = [line for block in blocks(page("agents"), "sh") for line in block.splitlines()]
    ended = [forked(shlex.split(line)[1:], tmp_path) for line in lines]
    assert [one.status for one in ended] == [1, 1, 1, 0]
    assert ended[-1].out == "No verdict and no cause changed.\n"
    headline = next(line for line in ended[0].out.splitlines() if "[FXA104]" in line)
    assert headline.startswith("train.py:13:16: error[FXA104] detached-path: ")


@pytest.mark.slow
def test_the_pages_python_runs(tmp_path: Path) -> None:
    (shown,) = blocks(page("agents"), "python")
    printed = run_python(f"import fxaudit\n{MODELS}\n{shown}", tmp_path)
    assert "FXA104 error page.py:" in printed
    assert "head.weight trained" in printed


def test_the_problem_matcher_finds_each_finding_and_its_parts() -> None:
    (text,) = blocks(page("editors"), "json")
    pattern = json.loads(text)["tasks"][0]["problemMatcher"]["pattern"]
    for file in sorted((ROOT / "reports").glob("*.json")):
        report = Report.from_json(file.read_text(encoding="utf-8"))
        matched = [
            found for line in render(report, "brief").splitlines() if (found := re.match(pattern["regexp"], line))
        ]
        named = [finding for finding in report.findings if finding.culprit is not None]
        assert len(matched) == len(named), file.name
        places = sorted((f.culprit.file, str(f.culprit.line), f.level, f.code) for f in named if f.culprit)
        parts = ("file", "line", "severity", "code")
        assert sorted(tuple(found[pattern[part]] for part in parts) for found in matched) == places


def test_the_index_for_language_models_names_pages_that_exist() -> None:
    text = (ROOT / "llms.txt").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
