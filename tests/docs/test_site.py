"""The site that `make docs` builds: it is whole, and fetches nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fxaudit.judge.rules import RULES
from tests.pages import ROOT
from tools.site_hooks import inside

needs_mkdocs = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("mkdocs", "material", "mkdocstrings")),
    reason="needs mkdocs: pip install fxaudit[docs]",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    process = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return folder


@needs_mkdocs
@pytest.mark.slow
def test_it_has_every_page_and_the_gallery(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert [page for page in pages if not (site / page).is_file()] == []
    assert (site / "reports" / "train_translation.html").is_file()
    text = (site / "rules" / "index.html").read_text(encoding="utf-8")
    assert [rule.code for rule in RULES if f"{rule.code} {rule.name}" not in text] == []


@needs_mkdocs
@pytest.mark.slow
def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>", text) == [], page
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")) == [], sheet


@needs_mkdocs
@pytest.mark.slow
def test_every_public_name_is_in_the_reference(site: Path) -> None:
    text = (site / "api.html").read_text(encoding="utf-8")
    for name in (
        "audit",
        "assert_trains",
        "watch",
        "why",
        "trace",
        "explain",
        "peft",
        "Report",
        "Finding",
        "Trace",
        "Rule",
    ):
        assert re.search(rf'id="fxaudit\.[\w.]*\b{name}"', text), name


@pytest.mark.parametrize(
    ("page", "link", "led"),
    [
        ("wild.md", "[a](../examples/ddp_train.py)", "[a](examples/ddp_train.py)"),
        ("rules/index.md", "![a](../../reports/gan.svg)", "![a](../reports/gan.svg)"),
        ("index.md", "[a](why.md#one)", "[a](why.md#one)"),
        ("index.md", "[the README](../README.md)", "the README"),
        ("index.md", "[a](https://pytorch.org)", "[a](https://pytorch.org)"),
    ],
)
def test_a_link_out_of_the_docs_leads_into_the_site_or_nowhere(page: str, link: str, led: str) -> None:
    assert inside(link, page) == led
