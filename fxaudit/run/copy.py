"""Trying something in a forked copy of the process and getting the answer back through a pipe."""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from fxaudit.capture.processes import is_one_of_several

__all__ = ["Copy", "can_fork", "in_copy"]

SECONDS = 300.0


def can_fork() -> bool:
    """Whether a forked copy can go on computing: the platform forks, no accelerator context would be lost, and no other
    process is talked to, whose connections the copy would use a second time."""
    if not hasattr(os, "fork") or is_one_of_several() or int(os.environ.get("WORLD_SIZE") or 1) > 1:
        return False
    return not (torch.cuda.is_available() and torch.cuda.is_initialized())


class Copy:
    """A forked copy of this process; `is_child` tells which of the two is running."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        state = random.getstate()
        self.pid = os.fork()
        self.is_child = self.pid == 0
        if self.is_child:
            random.setstate(state)  # Python seeds its generator anew in a fork; the copy must draw what we would
            os.close(self._read)
            _go_quiet()
        else:
            os.close(self._write)

    def send_and_leave(self, make: Callable[[], str]) -> None:
        """In the child: send what `make` returns and end, without running anybody's exit handlers."""
        try:
            data = json.dumps({"answer": make()}).encode()
        except BaseException as error:  # the parent must hear something, and this process must not go on
            data = json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()
        with contextlib.suppress(OSError):
            view = memoryview(data)
            while view:
                view = view[os.write(self._write, view) :]
        os._exit(0)

    def answer(self, seconds: float = SECONDS) -> tuple[str | None, str]:
        """In the parent: (the child's answer or None, why there is none)."""
        data = _read_all(self._read, seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        try:
            found: Any = json.loads(data)
        except ValueError:
            return None, "the forked copy gave no answer"
        return found.get("answer"), found.get("error", "")


def in_copy(work: Callable[[], str], seconds: float = SECONDS) -> tuple[str | None, str]:
    """Run `work` in a forked copy: (its answer or None, why there is none). Nothing it changes reaches this process."""
    copy = Copy()
    if copy.is_child:
        copy.send_and_leave(work)
    return copy.answer(seconds)


def _go_quiet() -> None:
    torch.set_num_threads(1)  # the parent's worker threads are not here; more would wait for them for ever
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read_all(pipe: int, seconds: float) -> bytes:
    end = time.monotonic() + seconds
    parts = []
    while (left := end - time.monotonic()) > 0:
        ready, _, _ = select.select([pipe], [], [], left)
        if not ready:
            break
        part = os.read(pipe, 1 << 16)
        if not part:
            break
        parts.append(part)
    os.close(pipe)
    return b"".join(parts)
