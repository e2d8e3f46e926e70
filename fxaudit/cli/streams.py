"""Where the shell expects a report: the stream that stood for it at the start, whatever the script did to it since."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO

import click

from fxaudit.errors import UnwritableOutputError

__all__ = ["Stream", "say", "told"]

_SPARES: list[int] = []


class Stream:
    """One of the process's streams, held on to while a script may close it or put another file in its place."""

    def __init__(self, stream: IO[str]) -> None:
        self._first = stream
        self._spare: int | None = None
        with contextlib.suppress(OSError, ValueError, AttributeError):  # what stands in a test has no file behind it
            self._identity = _identity(stream.fileno())
            self._spare = os.dup(stream.fileno())
            _SPARES.append(self._spare)

    def now(self) -> IO[str]:
        """The stream, or another on the same file where the script has closed or replaced it."""
        if self._spare is None:
            return self._first
        with contextlib.suppress(OSError, ValueError):
            if not self._first.closed and _identity(self._first.fileno()) == self._identity:
                return self._first
        encoding = getattr(self._first, "encoding", None) or "utf-8"
        return open(self._spare, "w", encoding=encoding, errors="replace", closefd=False)

    def close(self) -> None:
        """Let go of the file."""
        if self._spare in _SPARES:
            _SPARES.remove(self._spare)
            os.close(self._spare)
        self._spare = None


def say(text: str, stream: IO[str]) -> None:
    """Write a line, whatever the stream's encoding, and whether or not its reader is still there.

    Raises:
        UnwritableOutputError: The stream is closed, or takes no more.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    with told(stream):
        click.echo(text.encode(encoding, "replace").decode(encoding), file=stream)


@contextlib.contextmanager
def told(stream: IO[str]) -> Iterator[None]:
    """What goes wrong with the stream inside is told as an error of ours, once, and not again when Python ends.

    Raises:
        UnwritableOutputError: The stream is closed, or takes no more.
    """
    try:
        yield
    except BrokenPipeError:
        # `fxaudit … | head`: the reader has seen enough; the exit status still counts.
        _give_up(stream)
    except OSError as error:
        _give_up(stream)
        raise UnwritableOutputError(f"The report cannot be printed: {error.strerror or error}.") from error
    except ValueError as error:
        if not getattr(stream, "closed", False):
            raise
        raise UnwritableOutputError("The report cannot be printed: the stream is closed.") from error


def _give_up(stream: IO[str]) -> None:
    """What is still to be written to the stream goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _identity(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def _let_go() -> None:
    """A forked process of the script's keeps nobody waiting for the end of our output."""
    while _SPARES:
        with contextlib.suppress(OSError):
            os.close(_SPARES.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
