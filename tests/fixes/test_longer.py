"""What is put back at two places is put back at none, and a trial lasts as long as the script's own run."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.fixes.test_scripts import NET, START
from tests.fixes.trying import best, mended, unchanged


def test_where_two_lines_put_the_values_back_both_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = """
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    for epoch in range(4):
        for step in range(3):
            model.load_state_dict(kept)
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
        model.load_state_dict(kept)
    """
    found = mended(tmp_path, NET + START + textwrap.dedent(loop), monkeypatch)
    patch = best(found)
    assert patch.state == "tried"
    assert patch.diff.count("\n-") == 2, patch.diff
    (tmp_path / "script.py").write_text(next(iter(found.texts.values()))[1], encoding="utf-8")
    assert unchanged(tmp_path / "script.py") == []
