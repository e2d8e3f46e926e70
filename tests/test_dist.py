"""What a release says of itself: the licences of what it needs, and a description that stands alone."""

from __future__ import annotations

import importlib.util
import re
import sys
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests.pages import ROOT, page

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = [re.split(r"[^\w.-]", wanted)[0] for wanted in PROJECT["dependencies"]]


def licences() -> dict[str, str]:
    """Library → its licence, as the page has it."""
    rows = [line.split("|") for line in page("licences").splitlines() if line.startswith("| ")]
    return {row[1].strip(): row[2] for row in rows}


def test_the_licence_of_everything_it_needs_is_named() -> None:
    assert [name for name in NEEDED if name not in licences()] == []


@pytest.mark.parametrize("name", NEEDED)
def test_a_licence_is_the_one_that_the_library_states(name: str) -> None:
    try:
        stated = metadata(name).get("License-Expression")
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed here")
    if stated is None:
        pytest.skip(f"{name} states none that a program could read")
    assert [part for part in re.split(r" AND | OR ", stated) if part.strip("()") not in licences()[name]] == []


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="needs hatchling, which builds the package")
@pytest.mark.parametrize("repository", ["", "https://example.org/fxaudit"])
def test_no_link_of_the_description_leads_nowhere(repository: str) -> None:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    shown = hook.alone((ROOT / "README.md").read_text(encoding="utf-8"), repository)
    links = re.findall(r"\]\(([^)#][^)]*)\)", re.sub(r"^```.*?^```$", "", shown, flags=re.S | re.M))
    assert [link for link in links if not link.startswith("https://")] == []
    assert "fxaudit run train.py" in shown
