"""Diffs of texts: what git takes, what is read back, and several joined."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fxaudit.program.edits.difference import hunks_of, joined, unified

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "- x\n", "--- a/y\n"]), max_size=12).map("".join)


@given(TEXTS, TEXTS)
def test_the_hunks_read_back_make_the_new_text(old: str, new: str) -> None:
    lines = old.splitlines(keepends=True)
    found = hunks_of(unified("f.py", old, new))
    for first, gone, came in reversed(found[0][1] if found else []):
        lines[first - 1 : first - 1 + gone] = [came]
    assert "".join(lines) == new


def test_changes_of_different_lines_join_and_of_the_same_do_not() -> None:
    old = "a\nb\nc\n"
    assert joined(old, ["A\nb\nc\n", "a\nb\nC\n"]) == "A\nb\nC\n"
    assert joined(old, ["A\nb\nc\n", "A\nb\nc\n"]) == "A\nb\nc\n"
    assert joined(old, ["A\nb\nc\n", "X\nb\nc\n"]) is None
    assert joined(old, ["a\n1\nb\nc\n", "a\n2\nb\nc\n"]) == "a\n1\n2\nb\nc\n"
    assert joined(old, ["a\n1\nb\nc\n", "a\nB\nc\n"]) is None


def test_git_takes_a_text_without_a_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_bytes(b"a\r\nb")
    (tmp_path / "x.patch").write_bytes(unified("f.py", "a\r\nb", "a\r\nc").encode())
    subprocess.run(["git", "apply", "x.patch"], cwd=tmp_path, check=True)
    assert (tmp_path / "f.py").read_bytes() == b"a\r\nc"
