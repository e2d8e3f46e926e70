"""The pages in docs/: their links lead somewhere, their examples run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.pages import ROOT, blocks, page
from tests.test_readme import MODELS

pytest_plugins = ["pytester"]

PAGES = sorted((ROOT / "docs").rglob("*.md"))


def targets(text: str) -> list[str]:
    """The files that a page links to."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)\s]+)\)", outside)
    return [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT / "docs").as_posix())
def test_every_file_that_a_page_links_to_is_there(path: Path) -> None:
    assert [link for link in targets(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()] == []


@pytest.mark.slow
def test_the_tests_that_the_page_on_pytest_shows_do_what_it_says(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_shown=MODELS + "\n".join(blocks(page("pytest"), "python")))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "ignore")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*AssertionError: *", "*error[[]FXA104[]] detached-path*"])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT / "docs").as_posix())
def test_every_python_block_is_python(path: Path) -> None:
    for block in blocks(path.read_text(encoding="utf-8"), "python"):
        ast.parse(block)
