"""Texts in the place of files: what this process imports comes from memory, and the files stay as they are."""

from __future__ import annotations

import builtins
import functools
import importlib.machinery
import io
import linecache
import os
from collections.abc import Mapping
from typing import Any

__all__ = ["lay_over"]


def lay_over(texts: Mapping[str, str]) -> None:
    """From here on imports, `runpy`, tracebacks and `open` read `texts` (real path → text); it cannot be undone.

    Compiled files are passed by, and none is written.
    """
    found = {os.path.realpath(path): text for path, text in texts.items()}
    opener, stats = io.open_code, importlib.machinery.SourceFileLoader.path_stats

    def open_code(path: str) -> Any:
        text = found.get(os.path.realpath(path))
        return io.BytesIO(text.encode()) if text is not None else opener(path)

    def path_stats(self: Any, path: str) -> Any:
        if os.path.realpath(path) in found:
            raise OSError("read from memory")  # so that no compiled file is looked for
        return stats(self, path)

    _open_from_memory({path: text for path, text in found.items() if not path.endswith(".py")})
    io.open_code = open_code
    vars(_io_module())["open_code"] = open_code
    importlib.machinery.SourceFileLoader.path_stats = path_stats  # type: ignore[method-assign]
    for path, text in found.items():
        for spelling in {path, os.path.relpath(path), *(p for p in texts if os.path.realpath(p) == path)}:
            # Without a time of change `checkcache` leaves an entry alone.
            linecache.cache[spelling] = (len(text), None, text.splitlines(keepends=True), spelling)


def _open_from_memory(texts: Mapping[str, str]) -> None:
    """What the program reads itself, such as a configuration file, comes from memory, too."""
    if not texts:
        return
    opener = io.open

    @functools.wraps(opener)
    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        named = isinstance(file, str | os.PathLike) and not set(mode) & set("wax+")
        text = texts.get(os.path.realpath(os.fspath(file))) if named else None
        if text is None:
            return opener(file, mode, *args, **kwargs)
        return io.BytesIO(text.encode()) if "b" in mode else io.StringIO(text)

    builtins.open = io.open = opened


def _io_module() -> Any:
    """The module that the import system opens files with."""
    import _io

    return _io
