"""Trials of a script that several processes run: as many are started again, with a store of their own.

`python -m fxaudit.run.rank_trials` is one of them: it reads what is asked from stdin, runs the script as its rank, and
the one that merges the reports writes the answer to stdout, which all of them share. What they write otherwise goes
nowhere.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from fxaudit.report import Report
from fxaudit.run.closure_trials import NoTrials
from fxaudit.run.ranks.exchange import Company
from fxaudit.run.trial import Trials, answer_in, pay_for_the_first_step, prepare

__all__ = ["RankTrials", "why_untriable"]

PULSE = 0.2
"""Seconds between two looks at whether the trial is still wanted."""
BEFORE = ("TORCHELASTIC_", "TORCH_NCCL_")
"""What a launcher sets for its own processes alone."""


def why_untriable(environment: Mapping[str, str]) -> str:
    """Why no trial of the script can be made from the rank that has this environment; "" where one can."""
    world, here = environment.get("WORLD_SIZE", ""), environment.get("LOCAL_WORLD_SIZE")
    if here is None:
        return "nothing tells whether all of its processes are on this machine"
    return "" if here == world else "its processes are on several machines"


@dataclass
class RankTrials(Trials):
    """The trials of a script on `world` ranks, all on this machine."""

    world: int = 2
    is_in_haste: Callable[[], bool] = lambda: False
    """Whether the launcher is about to end this process."""

    @classmethod
    def of(cls, company: Company, argv: list[str], **options: Any) -> RankTrials | NoTrials:
        """The trials that the environment of this rank allows; the options are those of `Trials`."""
        why = why_untriable(os.environ)
        return NoTrials(why) if why else cls(argv, world=company.world, is_in_haste=company.is_signalled, **options)

    def _asked(self, request: str) -> dict[str, Any]:
        if self.is_in_haste():
            return {"why": "the launcher ended the script's processes"}
        store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
        reading, writing = os.pipe()
        ranks: list[subprocess.Popen[str]] = []
        try:
            for rank in range(self.world):
                ranks.append(self._started(rank, store.port, writing))
            os.close(writing)
            writing = -1
            for process in ranks:
                assert process.stdin is not None
                process.stdin.write(request + "\n")
                process.stdin.close()
            return self._read(reading)
        except OSError as error:
            return {"why": f"its processes could not be started: {error.strerror}"}
        finally:
            for process in ranks:
                process.kill()
                process.wait()
            for end in (reading, writing):
                if end >= 0:
                    os.close(end)

    def _started(self, rank: int, port: int, out: int) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(BEFORE)}
        told = {
            "RANK": rank,
            "LOCAL_RANK": rank,
            "GROUP_RANK": 0,
            "WORLD_SIZE": self.world,
            "LOCAL_WORLD_SIZE": self.world,
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
            "TORCHELASTIC_USE_AGENT_STORE": "True",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "fxaudit.run.rank_trials"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            cwd=self.cwd,
            env={**kept, **{name: str(value) for name, value in told.items()}},
            text=True,
            encoding="utf-8",
        )

    def _read(self, pipe: int) -> dict[str, Any]:
        """The first line that comes, in time."""
        end, parts = time.monotonic() + self.limit, b""
        while b"\n" not in parts:
            if self.is_in_haste():
                return {"why": "the launcher ended the script's processes"}
            if time.monotonic() > end:
                return {"why": f"it did not end within {self.limit:.0f} seconds"}
            if select.select([pipe], [], [], PULSE)[0]:
                part = os.read(pipe, 1 << 16)
                if not part:
                    break
                parts += part
        return answer_in(parts.decode("utf-8"))


def _be_a_rank() -> None:
    """Run what stdin asks for as the rank that the environment names."""
    from fxaudit.run.script import run_rank

    request = json.loads(sys.stdin.readline())
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    company = Company.of_launcher()
    assert company is not None
    pay_for_the_first_step()
    prepare(request)

    def deliver(report: Report) -> int:
        kept.write(json.dumps({"report": report.to_json(), "why": ""}) + "\n")
        kept.flush()
        return 0

    options = {name: request[name] for name in ("module", "steps", "to_end")}
    run_rank(request["argv"], company, deliver, expect=request["expect"] or None, **options)


if __name__ == "__main__":
    _be_a_rank()
