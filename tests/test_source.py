from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fxaudit.program.source import StackTable, actual_path, displayed_path


def here(table: StackTable, _: object = None) -> int:
    return table.from_frame(sys._getframe(1))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the interpreter knows no columns")
def test_columns_are_characters_whatever_stands_before_the_call():
    table = StackTable()
    é, _ = "ééé", here(table, "é ü 漢字 🙂"); index = here(table, "é")  # fmt: skip # noqa: E702
    source = table.source(index)
    assert source is not None and source.columns is not None
    text = dict(source.context)[source.line]
    assert text[slice(*source.columns)] == 'here(table, "é")'
    assert é


def test_a_displayed_path_leads_back_to_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for file in (pytest.__file__, os.path.abspath(__file__), "<string>"):
        assert actual_path(displayed_path(file)) == file
    assert actual_path("no/such/file.py") == "no/such/file.py"
