"""Makes the world read-only for this process.

A forked copy that goes on where the original died would write what the original never did: checkpoints, logs, runs on a
tracking server. Opening a file to write, changing a directory, starting a program and connecting to a server raise
`OSError` in it, as on a read-only file system. Pipes and what was open before the fork still work.
"""

from __future__ import annotations

import errno
import os
import sys
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
    # `torch.save` opens the file in C++ (2.6 to 2.13), where no audit event tells of it.
    original = torch.serialization._open_zipfile_writer

    def _open_zipfile_writer(name_or_buffer: Any) -> Any:
        if isinstance(name_or_buffer, str | os.PathLike):
            _refuse(name_or_buffer)
        return original(name_or_buffer)

    torch.serialization._open_zipfile_writer = _open_zipfile_writer
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
