"""Runs the command line in a process of its own: forked, so that torch is imported once for many of them, or fresh."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it printed."""

    status: int
    out: str
    err: str


def forked(args: list[str], cwd: Path) -> Ended:
    """`fxaudit.cli.main(args)` in a fork of this process, in the directory `cwd`."""
    import torch

    from fxaudit import cli

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            status = 99
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8")
                sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), encoding="utf-8", line_buffering=True)
                torch.set_num_threads(1)  # a pool that existed before the fork would hang
                os.chdir(cwd)
                status = cli.main(args)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status & 0xFF)
        _, waited = os.waitpid(child, 0)
        return Ended(os.waitstatus_to_exitcode(waited), _read(out.fileno()), _read(err.fileno()))


def fresh(args: list[str], cwd: Path) -> Ended:
    """`python -m fxaudit args` as a shell would run it."""
    process = subprocess.run(
        [sys.executable, "-m", "fxaudit", *args], cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )
    return Ended(process.returncode, process.stdout, process.stderr)


def together(args: list[str], cwd: Path) -> Ended:
    """The same on two ranks at once, as `torchrun` would run it: what the first of them says."""
    from fxaudit import cli
    from tests.launching import launched

    with tempfile.TemporaryDirectory() as folder:

        def work() -> int:
            os.chdir(cwd)
            return cli.main(args)

        ended = launched(work, Path(folder))
    assert ended.out[1] == ended.err[1] == ""
    return Ended(ended.statuses[0], ended.out[0], ended.err[0])


def _read(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, encoding="utf-8", closefd=False) as file:
        return file.read()
