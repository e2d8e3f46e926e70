from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from fxaudit.program.qualified import qualified_names
from fxaudit.program.source import INSTALLED, StackTable, actual_path, displayed_path, held_texts, qualified_name


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


def test_what_a_recording_holds_is_no_file_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text("import torch\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert actual_path("train.py") == str(tmp_path / "train.py")
    with held_texts({"train.py": "x = 1\n", f"{INSTALLED}part/of.py": "y = 2\n"}):
        assert actual_path("train.py") == "train.py"
        assert actual_path("part/of.py") == f"{INSTALLED}part/of.py"


def test_what_libraries_make_from_text_is_nobodys_also_where_python_was_given_a_command():
    """Python 3.13 knows the lines of the command by the name that such code has."""
    code = (
        "import dataclasses, linecache\n"
        "from fxaudit.program.source import is_skipped\n"
        "linecache.cache['<string>'] = (1, None, ['the command'], '<string>')\n"
        "made = dataclasses.make_dataclass('Made', ['rate'])\n"
        "print(made.__init__.__code__.co_filename, is_skipped(made.__init__.__code__.co_filename))\n"
        "linecache.cache['<cell 1>'] = (1, None, ['the cell'], '<cell 1>')\n"
        "print(is_skipped('<cell 1>'), is_skipped('<cell 2>'))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == ["<string> True", "False True"]


NESTED = """
import functools

@functools.cache
def cached(x=lambda: 1):
    return [
        (lambda: value)() for value in {
            key for key in range(x())
        }
    ]

@functools.wraps(
    lambda: 0
)
class Outer(object):
    class Inner:
        def method(self):
            async def local():
                return sum(
                    part for part in {
                        key: 1 for key in "ab"
                    }
                )
            return local

    names = [
        name for name in "ab"]
"""
QUALIFIED = {
    (4, "cached"): "cached",
    (5, "<lambda>"): "<lambda>",
    (6, "<listcomp>"): "cached.<locals>.<listcomp>",
    (7, "<lambda>"): "cached.<locals>.<listcomp>.<lambda>",
    (7, "<setcomp>"): "cached.<locals>.<setcomp>",
    (12, "Outer"): "Outer",
    (13, "<lambda>"): "<lambda>",
    (16, "Inner"): "Outer.Inner",
    (17, "method"): "Outer.Inner.method",
    (18, "local"): "Outer.Inner.method.<locals>.local",
    (19, "<genexpr>"): "Outer.Inner.method.<locals>.local.<locals>.<genexpr>",
    (20, "<dictcomp>"): "Outer.Inner.method.<locals>.local.<locals>.<dictcomp>",
    (26, "<listcomp>"): "Outer.<listcomp>",
}


def codes_in(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from codes_in(inner)


def test_qualified_names_are_read_from_the_text():
    assert qualified_names(ast.parse(NESTED)) == QUALIFIED


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="comprehensions run in the frames around them")
def test_they_are_those_that_python_gives(tmp_path: Path):
    file = tmp_path / "nested.py"
    file.write_text(NESTED, encoding="utf-8")
    codes = [*codes_in(compile(NESTED, str(file), "exec"))]
    assert {code.co_name for code in codes} >= {"cached", "Inner", "local", "<lambda>", "<genexpr>"}
    for code in codes:
        assert qualified_name(code) == QUALIFIED[code.co_firstlineno, code.co_name]


def test_what_is_installed_or_cannot_be_read_has_its_short_name_or_the_one_that_python_gives(tmp_path: Path):
    for file in (tmp_path / "gone.py", os.__file__):
        for code in codes_in(compile("class Owner:\n    def method(self): ...\n", str(file), "exec")):
            assert qualified_name(code) == getattr(code, "co_qualname", code.co_name)
