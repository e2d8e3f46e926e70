"""What the page on fixes and the README say is so."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from fxaudit.judge import fixes
from fxaudit.judge.rules import RULES
from tests.cli.processes import forked

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fixes.md").read_text("utf-8")


@pytest.mark.slow
def test_the_examples_of_the_page_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE))
    (tmp_path / "page.py").write_text(code, "utf-8")
    monkeypatch.chdir(tmp_path)
    runpy.run_path("page.py", run_name="page")


def test_the_page_names_every_family() -> None:
    files = {path.name for path in (ROOT / "fxaudit" / "program" / "edits").glob("*.py")}
    named = set(re.findall(r"^\| `(\w+\.py)`", PAGE, flags=re.MULTILINE))
    assert named == files - {"__init__.py", "syntax.py", "difference.py"}


def test_every_code_of_the_table_is_a_rules() -> None:
    assert set(fixes.FIXES) <= {rule.code for rule in RULES}


@pytest.mark.slow
def test_the_fix_that_the_readme_shows_is_what_fxaudit_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    (shown,) = re.findall(
        r"^```console\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    ended = forked(["run", "--fix", "examples/randn_over_weight.py"], ROOT)
    lines = [line.strip() for line in ended.out.splitlines()]
    assert [line.strip() for line in shown.splitlines() if line.strip() not in lines] == []
