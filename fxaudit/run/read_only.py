"""Makes the world read-only for this process, without telling it.

A forked copy that goes on where the original died would write what the original never did: checkpoints, logs, runs on
a tracking server. What it writes goes nowhere, and making a directory does nothing, so that its training goes on;
starting a program, connecting to a server and whatever else would leave a trace raise `OSError`, as on a read-only file
system. Pipes and what was open before the fork still work.
"""

from __future__ import annotations

import builtins
import errno
import functools
import io
import os
import sys
import tempfile
from typing import Any, NoReturn

import torch

__all__ = ["write_nothing"]

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
REFUSED = frozenset(
    {
        "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod",
        "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "sqlite3.connect",
    }
)  # fmt: skip
"""The audit events (PEP 578) of everything that others would see."""


def write_nothing() -> None:
    """From here on; it cannot be undone in this process."""
    tempfile.gettempdir()  # torch asks for it when it first builds an optimizer, and the answer takes a file
    sys.dont_write_bytecode = True
    opener, zip_writer = io.open, torch.serialization._open_zipfile_writer

    @functools.wraps(opener)
    def open_for_nothing(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not isinstance(file, int) and set(mode) & set("wax+"):
            file, mode = os.devnull, mode.replace("x", "w")
        return opener(file, mode, *args, **kwargs)

    def zip_for_nothing(name_or_buffer: Any) -> Any:
        # `torch.save` opens the file in C++ (2.6 to 2.13), where no audit event tells of it.
        return zip_writer(io.BytesIO() if isinstance(name_or_buffer, str | os.PathLike) else name_or_buffer)

    builtins.open = io.open = open_for_nothing
    torch.serialization._open_zipfile_writer = zip_for_nothing
    os.mkdir = lambda *args, **kwargs: None
    sys.addaudithook(_refuse_writing)


def _refuse_writing(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & WRITING and not str(path).startswith("/dev/"):
            _refuse(path)
    elif event in REFUSED:
        _refuse(event)


def _refuse(what: object) -> NoReturn:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(what))
