"""What pages show of the program is what the program says today."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fxaudit.judge.rules import RULES
from tests.pages import ROOT, blocks, page, run_python
from tests.test_readme import MODELS
from tools import write_pages

REMEDY = "`python -m tools.write_pages` writes it anew."


@pytest.mark.parametrize("path", write_pages.generated(), ids=lambda path: path.name)
def test_a_page_that_is_written_whole_is_what_would_be_written(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == write_pages.generated()[path], f"{path.name} is stale. {REMEDY}"


@pytest.mark.slow
@pytest.mark.parametrize("path", write_pages.with_outputs(), ids=lambda path: path.name)
def test_an_output_that_a_page_shows_is_what_the_program_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert write_pages.filled(text) == text, f"{path.name} is stale. {REMEDY}"


def test_the_page_from_symptom_to_cause_shows_an_output_for_most_sections() -> None:
    assert len(write_pages.SHOWN.findall(page("why"))) >= 8
    assert page("why").count("<!-- fxaudit run -->") + page("why").count("<!-- python -->") == len(
        write_pages.SHOWN.findall(page("why"))
    )


@pytest.mark.slow
def test_the_line_for_a_prompt_works(tmp_path: Path) -> None:
    (line,) = [block for block in blocks(page("why"), "python") if block.startswith("fxaudit.audit(")]
    assert "FXA104" in run_python(f"{MODELS}\nimport fxaudit\nprint({line.strip()})", tmp_path)


def messages() -> dict[str, str]:
    """What PyTorch says → the rule that the page names for it."""
    rows = [line.split("|") for line in page("why").splitlines() if line.startswith("| `") and "rules/FXA" in line]
    return {row[1].strip().strip("`"): row[3].split("]")[0].strip(" [") for row in rows}


def test_pytorch_says_what_the_page_says_that_it_says() -> None:
    said = []
    module = nn.Linear(2, 2)
    for refused in (
        lambda: torch.zeros(1).sum().backward(),
        lambda: torch.optim.SGD([], lr=0.1),
        lambda: setattr(module, "weight", torch.zeros(2, 2)),
    ):
        with pytest.raises((RuntimeError, ValueError, TypeError)) as caught:
            refused()
        said.append(str(caught.value))
    assert len([message for message in messages() if any(message in one for one in said)]) == 3
    assert set(messages().values()) <= {rule.code for rule in RULES}
    assert (ROOT / "docs" / "rules").is_dir()
