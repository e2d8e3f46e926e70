"""The example on a rule's page is a program: pasted into a file and run, it prints the report with that very rule."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import warnings
from pathlib import Path

import pytest

from fxaudit.judge.rule import Rule
from fxaudit.judge.rule_page import rule_page
from fxaudit.judge.rules import RULES
from fxaudit.run.copy import in_copy

pytestmark = pytest.mark.usefixtures("first_step_paid")


@pytest.mark.slow
@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.code) for rule in RULES])
def test_the_example_of_a_page_runs_as_it_stands(rule: type[Rule], tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", rule_page(rule), re.S)
    assert found is not None
    script = tmp_path / "pasted.py"
    script.write_text(found[1], encoding="utf-8")

    def work() -> str:
        warnings.simplefilter("ignore")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(script), run_name="__main__")
        return out.getvalue()

    said, why = in_copy(work, seconds=120.0)
    assert said is not None, why
    assert f"[{rule.code}]" in said
