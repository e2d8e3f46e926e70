"""The page of promises names tests that are there, and says when they last passed as it was recorded."""

from __future__ import annotations

import ast

import pytest

from tests.pages import ROOT
from tools import keep_promises, promises
from tools.promises import PROMISES, Run

NAMED = sorted({test for promises in PROMISES.values() for promise in promises for test in promise.tests})


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_keeps_a_promise_is_there(named: str) -> None:
    file, _, function = named.partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_is_kept_by_a_test() -> None:
    assert all(promise.tests for promises in PROMISES.values() for promise in promises)


RUN = """<testsuites><testsuite>
<testcase classname="tests.test_nesting" name="test_a[1]"/>
<testcase classname="tests.test_nesting" name="test_a[2]"/>
<testcase classname="tests.renderers.test_save" name="test_b"><skipped/></testcase>
<testcase classname="tests.test_nesting" name="test_c[x]"><failure/></testcase>
<testcase classname="tests.test_nesting" name="test_c[y]"/>
</testsuite></testsuites>"""


def test_the_cases_of_a_test_are_counted_together_and_what_was_skipped_did_not_pass() -> None:
    assert keep_promises.outcomes(RUN) == {
        "test_nesting.py::test_a": (2, 0),
        "renderers/test_save.py::test_b": (0, 0),
        "test_nesting.py::test_c": (1, 1),
    }


def test_what_was_not_run_keeps_its_record_and_what_keeps_no_promise_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Run("aaa", "2026-01-01", 3, 0)
    monkeypatch.setattr(keep_promises, "runs_on_record", lambda: {NAMED[0]: before, NAMED[1]: before, "gone": before})
    found = {NAMED[1]: (4, 1), "test_nesting.py::test_a": (2, 0), NAMED[0]: (0, 0)}
    after = keep_promises.record(found, "bbb", "2026-02-02")
    assert after == {NAMED[0]: before, NAMED[1]: Run("bbb", "2026-02-02", 4, 1)}


def test_the_page_says_when_a_test_passed_and_where_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {NAMED[0]: Run("aaa", "2026-01-01", 3, 0), NAMED[1]: Run("bbb", "2026-02-02", 4, 1)}
    monkeypatch.setattr(promises, "runs_on_record", lambda: runs)
    page = promises.promises_page()
    assert f"- `tests/{NAMED[0]}`: passed on 2026-01-01 at `aaa`, 3 cases\n" in page
    assert f"- `tests/{NAMED[1]}`: 1 of 5 failed on 2026-02-02 at `bbb`\n" in page
    assert f"- `tests/{NAMED[2]}`\n" in page
