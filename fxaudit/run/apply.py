"""Writing a tried patch into the program's files: all of them or none, and only where they are what was run."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from fxaudit.errors import UnwritableOutputError
from fxaudit.program.source import actual_path, cell_file

__all__ = ["write_patch"]


def write_patch(texts: Mapping[str, tuple[str, str]]) -> list[str]:
    """Write new texts: file, as reports print it → (the text that ran, the new text).

    Returns:
        Sentences that say what was written, and where the old text is kept unless git has it committed.

    Raises:
        UnwritableOutputError: A file is not what was run, or cannot be written; then none is.
    """
    for file in texts:
        if cell_file(file):
            raise UnwritableOutputError(f"{file} is no file: put the edit into the cell. Nothing was changed.")
    paths = {file: Path(os.path.realpath(actual_path(file))) for file in texts}
    for file, path in paths.items():
        _check(file, path, texts[file][0])
    written: list[tuple[Path, str]] = []
    copies: list[Path] = []
    said = []
    try:
        for file, path in paths.items():
            old, new = texts[file]
            kept = _backup(path)
            copies += [kept] if kept else []
            _replace(path, new)
            written.append((path, old))
            said.append(f"{file} is mended" + (f"; the text before is in {kept.name}" if kept else ""))
    except OSError as error:
        for path, old in written:
            with suppress(OSError):
                _replace(path, old)
        for copy in copies:
            with suppress(OSError):
                copy.unlink()
        raise UnwritableOutputError(
            f"{error.filename or 'A file'} cannot be written: {error.strerror}. Nothing was changed."
        ) from error
    return said


def _check(file: str, path: Path, old: str) -> None:
    try:
        now = path.read_bytes()
    except OSError as error:
        raise UnwritableOutputError(
            f"{file!r} cannot be read any more: {error.strerror}. Nothing was changed."
        ) from error
    if now != old.encode():
        raise UnwritableOutputError(f"{file!r} is not what was run: it was changed since. Nothing was changed.")
    if not os.access(path, os.W_OK) or not path.stat().st_mode & 0o222:
        raise UnwritableOutputError(f"{file!r} is write-protected. Nothing was changed; `-o fix.patch` keeps the fix.")


def _backup(path: Path) -> Path | None:
    """A copy beside the file; None where git has the very text committed."""
    if _is_committed(path):
        return None
    number = 0
    while (kept := path.with_name(f"{path.name}.orig{number or ''}")).exists():
        number += 1
    shutil.copy2(path, kept)
    return kept


def _is_committed(path: Path) -> bool:
    """Whether git tracks the file, and it is as it was committed."""
    for question in (["ls-files", "--error-unmatch"], ["diff", "--quiet", "HEAD"]):
        try:
            said = subprocess.run(
                ["git", *question, "--", path.name], cwd=path.parent, capture_output=True, check=False
            )
        except OSError:  # there is no git
            return False
        if said.returncode:
            return False
    return True


def _replace(path: Path, text: str) -> None:
    """The file appears whole or not at all, with the rights it had."""
    unfinished = path.with_name(f".fxaudit-{secrets.token_hex(6)}.part")
    try:
        with unfinished.open("xb") as stream:
            stream.write(text.encode())
        shutil.copymode(path, unfinished)
        os.replace(unfinished, path)
    finally:
        with suppress(OSError):
            unfinished.unlink()
