"""Starts several processes that know of each other, as `torchrun` does.

The launcher here forks them, so that torch is imported once for all; it hosts the store that outlives them, sets the
environment that `torchrun` sets, and ends all of them as soon as one fails, as `torchrun` does.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch.distributed import TCPStore

from fxaudit.report import Report

SECONDS = 240.0
"""After this long everything is killed, and the test fails: nothing may ever hang."""


@dataclass(frozen=True)
class Launch:
    """How the processes ended: exit statuses (negative: signals), what they printed, and where the report is."""

    statuses: tuple[int, ...]
    out: tuple[str, ...]
    err: tuple[str, ...]
    saved: Path

    @property
    def report(self) -> Report:
        """The report that was written."""
        return Report.from_json(self.saved.read_text(encoding="utf-8"))


def audited(
    script: str, folder: Path, *options: str, args: Sequence[str] = (), world: int = 2, store: bool = True
) -> Launch:
    """`fxaudit run options script args` on `world` ranks."""
    from fxaudit import cli

    (folder / "train.py").write_text(script, encoding="utf-8")
    saved = folder / "report.json"
    command = ["run", "-o", str(saved), *options, "train.py", *args]
    return launched(lambda: cli.main(command), folder, world, store=store)


def launched(work: Callable[[], int], folder: Path, world: int = 2, *, store: bool = True) -> Launch:
    """`work` in `world` forked processes with a rank each, in the directory `folder`; it returns the exit status.

    Without `store` the launcher hosts none, as with `srun` or `mpirun`: rank 0 does, when the script asks for it.
    """
    hosted = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    port = hosted.port
    if not store:
        del hosted
    children: dict[int, int] = {}
    for rank in range(world):
        pid = os.fork()
        if pid == 0:
            _be(rank, world, port, store, folder, work)
        children[pid] = rank
    statuses = _ended(children)
    out = tuple((folder / f"out{rank}").read_text(encoding="utf-8") for rank in range(world))
    err = tuple((folder / f"err{rank}").read_text(encoding="utf-8") for rank in range(world))
    assert "late" not in statuses.values(), ("the processes hang", statuses, out, err)
    return Launch(tuple(int(statuses[rank]) for rank in range(world)), out, err, folder / "report.json")


def _be(rank: int, world: int, port: int, store: bool, folder: Path, work: Callable[[], int]) -> None:
    """Become the process `rank`; never returns."""
    import torch

    status = 99
    try:
        os.chdir(folder)
        for descriptor, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{name}{rank}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the process ends with it
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        os.environ.update(
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            WORLD_SIZE=str(world),
            LOCAL_WORLD_SIZE=str(world),
            MASTER_ADDR="127.0.0.1",
            MASTER_PORT=str(port),
            TORCHELASTIC_USE_AGENT_STORE=str(store),
            TORCHELASTIC_RESTART_COUNT="0",
        )
        torch.set_num_threads(1)  # a pool that existed before the fork would hang
        status = work()
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status & 0xFF)


def _ended(children: dict[int, int]) -> dict[int, int | str]:
    """Wait for all; after the first failure the others get SIGTERM, and SIGKILL half a minute later."""
    statuses: dict[int, int | str] = {}
    start, failed = time.monotonic(), 0.0
    left = dict(children)
    while left:
        pid, waited = _any(left)
        now = time.monotonic()
        if pid:
            status = os.waitstatus_to_exitcode(waited)
            statuses[left.pop(pid)] = status
            if status and not failed:
                failed = now
                for other in left:
                    os.kill(other, signal.SIGTERM)
        elif now - start > SECONDS or (failed and now - failed > 30):
            for other, rank in left.items():
                os.kill(other, signal.SIGKILL)
                os.waitpid(other, 0)
                statuses[rank] = "late"
            left.clear()
        else:
            time.sleep(0.02)
    return statuses


def _any(pids: dict[int, int]) -> tuple[int, int]:
    """The first of these children that has ended, with its status; (0, 0) where none has."""
    for pid in pids:
        found = os.waitpid(pid, os.WNOHANG)
        if found[0]:
            return found
    return 0, 0
