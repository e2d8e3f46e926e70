"""docs/recipes.md: each recipe runs as it stands, and tells a mistake in it at its line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.apart import needs
from tests.pages import ROOT, blocks, page, run_python

CUT = (r"^( *hidden = self\.first\(.*\))$", r"\1.detach()", "FXA104")
LEFT_OUT = (r"^(.*torch\.optim\.Adam\w*\()model(\.parameters\(.*)$", r"\1model.{part}\2", "FXA301")
SET_UP = """
import os
os.environ.update(TQDM_DISABLE="1", HF_HUB_OFFLINE="1")
"""
RECIPES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "skorch": (CUT,),
    "ignite": (CUT, (LEFT_OUT[0], LEFT_OUT[1].format(part="last"), LEFT_OUT[2])),
    "stable_baselines3": (CUT,),
    "torchrl": (CUT,),
    "torch_geometric": (CUT, (LEFT_OUT[0], LEFT_OUT[1].format(part="last"), LEFT_OUT[2])),
    "sentence_transformers": (
        (
            r"^(.*torch\.optim\.AdamW\()model\.parameters\(\)(.*)$",
            r"\1model[0].model.embeddings.parameters()\2",
            "FXA301",
        ),
    ),
    "diffusers": ((LEFT_OUT[0], LEFT_OUT[1].format(part="conv_out"), LEFT_OUT[2]),),
    "fastai": (CUT,),
}
"""The library → mistakes: what to look for in the recipe, what to write instead, and the rule that must tell of it."""


def recipe(library: str) -> str:
    (found,) = [block for block in blocks(page("recipes"), "python") if re.search(rf"^from {library}\b", block, re.M)]
    return found


def told(code: str, folder: Path) -> dict[str, Any]:
    """The report of a recipe with a mistake, as JSON has it."""
    ending = "Path('report.json').write_text(watch.report.to_json())"
    run_python(f"from pathlib import Path\n{code.partition('assert watch.report.ok')[0]}{ending}\n", folder)
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def loads(library: str) -> bool:
    """Whether the library can be imported: one that is there may want another build of torch."""
    process = subprocess.run([sys.executable, "-W", "ignore", "-c", f"import {library}"], capture_output=True, cwd=ROOT)
    return process.returncode == 0


LIBRARIES = [pytest.param(name, marks=needs(name, extra="recipes")) for name in RECIPES]
MISTAKES = [
    pytest.param(name, *mistake, marks=needs(name, extra="recipes"), id=f"{name}-{mistake[2]}")
    for name, mistakes in RECIPES.items()
    for mistake in mistakes
]


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_recipe_runs_and_raises_no_alarm(library: str, tmp_path: Path) -> None:
    if not loads(library):
        pytest.skip(f"{library} is installed and cannot be imported")
    run_python(SET_UP + recipe(library), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("library", "sound", "broken", "code"), MISTAKES)
def test_a_mistake_in_a_recipe_is_told_at_its_line(
    library: str, sound: str, broken: str, code: str, tmp_path: Path
) -> None:
    if not loads(library):
        pytest.skip(f"{library} is installed and cannot be imported")
    text = re.sub(sound, broken, recipe(library), count=1, flags=re.MULTILINE)
    assert text != recipe(library)
    errors = [finding for finding in told(text, tmp_path)["findings"] if finding["level"] == "error"]
    assert [finding["code"] for finding in errors] == [code]
    (written,) = set(text.splitlines()) - set(recipe(library).splitlines())
    assert errors[0]["culprit"]["code"].strip() == written.strip()


def test_every_recipe_of_the_page_is_run() -> None:
    assert len(blocks(page("recipes"), "python")) == len(RECIPES)
