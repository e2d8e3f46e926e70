"""`--write`: all files or none, only where they are what was run, with the rights they had."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fxaudit.errors import UnwritableOutputError
from fxaudit.run.apply import write_patch


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_new_text_is_written_and_the_old_kept_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"a = 1\r\n")
    file.chmod(0o750)
    said = write_patch({"a.py": ("a = 1\r\n", "a = 2\r\n")})
    assert said == ["a.py is mended; the text before is in a.py.orig"]
    assert file.read_bytes() == b"a = 2\r\n"
    assert file.stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "a.py.orig").read_bytes() == b"a = 1\r\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "a.py.orig"]


def test_an_older_copy_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / "a.py.orig").write_text("mine\n")
    write_patch({"a.py": ("a = 1\n", "a = 2\n")})
    assert (tmp_path / "a.py.orig").read_text() == "mine\n"
    assert (tmp_path / "a.py.orig1").read_text() == "a = 1\n"


def git(*words: str) -> None:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def test_what_git_has_committed_gets_no_copy_and_what_it_has_not_gets_one(tmp_path: Path) -> None:
    git("init", "-q")
    for name in ("committed.py", "changed.py", "unknown.py"):
        (tmp_path / name).write_text("a = 1\n")
    git("add", "committed.py", "changed.py")
    git("commit", "-qm", "first")
    (tmp_path / "changed.py").write_text("a = 3\n")
    texts = {name: ((tmp_path / name).read_text(), "a = 2\n") for name in ("committed.py", "changed.py", "unknown.py")}
    assert write_patch(texts) == [
        "committed.py is mended",
        "changed.py is mended; the text before is in changed.py.orig",
        "unknown.py is mended; the text before is in unknown.py.orig",
    ]
    assert (tmp_path / "changed.py.orig").read_text() == "a = 3\n"
    assert (tmp_path / "unknown.py.orig").read_text() == "a = 1\n"


def test_a_file_that_was_changed_keeps_all_files_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / "b.py").write_text("b = 3  # changed\n")
    with pytest.raises(UnwritableOutputError, match=r"'b.py' is not what was run: it was changed since. Nothing"):
        write_patch({"a.py": ("a = 1\n", "a = 2\n"), "b.py": ("b = 3\n", "b = 4\n")})
    assert (tmp_path / "a.py").read_text() == "a = 1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "b.py"]


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnwritableOutputError, match=r"'a.py' cannot be read any more: No such file"):
        write_patch({"a.py": ("a = 1\n", "a = 2\n")})


def test_a_write_protected_file_stays(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / "a.py").chmod(0o444)
    with pytest.raises(UnwritableOutputError, match="write-protected"):
        write_patch({"a.py": ("a = 1\n", "a = 2\n")})
    assert (tmp_path / "a.py").read_text() == "a = 1\n"


def test_where_the_second_file_cannot_be_written_the_first_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("x = 1\n")
    real, calls = os.replace, []

    def replace(source: str, target: str) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(UnwritableOutputError, match=r"No space left on device. Nothing was changed."):
        write_patch({"a.py": ("x = 1\n", "x = 2\n"), "b.py": ("x = 1\n", "x = 2\n")})
    assert [(tmp_path / name).read_text() for name in ("a.py", "b.py")] == ["x = 1\n", "x = 1\n"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "b.py"]
