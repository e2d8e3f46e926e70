"""Recordings that are kept while tests or programs run, also in the copies of a process that may write no file.

A copy that goes on where the original died writes nowhere, but for what was open before it was made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Keeper", "kept"]

SIZE = 8
"""Bytes that say how long the recording is that follows."""
SUFFIX = ".kept"


class Keeper:
    """A file that takes one recording after another, from this process and its copies."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{os.getpid()}{SUFFIX}"
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def keep(self, recording: bytes) -> None:
        """Write one, in one piece: copies write into the same file."""
        os.write(self._file, len(recording).to_bytes(SIZE, "big") + recording)

    def close(self) -> None:
        """Nothing more is to be kept by this process."""
        os.close(self._file)


def kept(folder: Path) -> Iterator[bytes]:
    """All that was kept in the folder."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            size = int.from_bytes(data[at : at + SIZE], "big")
            yield data[at + SIZE : at + SIZE + size]
            at += SIZE + size
