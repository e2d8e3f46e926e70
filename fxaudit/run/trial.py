"""Trials: a script run again with other texts in the place of its files, in copies of a process of its own.

`python -m fxaudit.run.trial` is that process. It reads requests, one on a line, and answers each with a line; each is
tried in a forked copy, so that torch is imported once. Where there is no fork, each request gets a process. What a
trial writes goes nowhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from fxaudit.answer.document import from_text
from fxaudit.run.mending import Ran

__all__ = ["Trials", "answer_in", "pay_for_the_first_step", "prepare", "report_on"]

AT_LEAST, TIMES = 30.0, 6.0
"""A trial may take so many seconds, or so many times as long as the script's own run."""


@dataclass
class Trials:
    """The trials of one script. `with` it: its process ends at the end."""

    argv: list[str]
    module: bool = False
    steps: int | None = None
    to_end: bool = False
    expect: dict[str, str] = field(default_factory=dict)
    cwd: str = "."
    alone: float = 10.0
    """How many seconds the script's own run took."""
    count: int = 0
    seconds: list[float] = field(default_factory=list)
    subject: str = "script"
    _process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Trials:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    @property
    def limit(self) -> float:
        """How long a trial may take."""
        return max(AT_LEAST, TIMES * self.alone)

    def run(self, texts: Mapping[str, str], *, steps: int | None = None) -> Ran:
        """The report on the script with `texts`, or None and why there is none; `steps` fixes the number of steps."""
        request = {
            "argv": self.argv,
            "module": self.module,
            "steps": steps if steps is not None else self.steps,
            "to_end": self.to_end,
            "expect": self.expect,
            "texts": dict(texts),
            "seconds": self.limit,
        }
        self.count += 1
        begun = time.monotonic()
        found = self._asked(json.dumps(request))
        self.seconds.append(time.monotonic() - begun)
        text = found.get("report")
        return Ran(from_text(text) if text else None, found.get("why") or "")

    def _asked(self, request: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "fxaudit.run.trial"]
        options: dict[str, Any] = {"cwd": self.cwd, "stderr": subprocess.DEVNULL, "text": True, "encoding": "utf-8"}
        try:
            if not hasattr(os, "fork"):
                made = subprocess.run(
                    command, input=request + "\n", stdout=subprocess.PIPE, timeout=self.limit, **options
                )
                return answer_in(made.stdout)
            if self._process is None:
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
            assert self._process.stdin is not None and self._process.stdout is not None
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
            return answer_in(self._process.stdout.readline())
        except subprocess.TimeoutExpired:
            return {"why": f"it did not end within {self.limit:.0f} seconds"}
        except OSError as error:
            return {"why": f"no process could be started for it: {error.strerror}"}


def answer_in(line: str) -> dict[str, Any]:
    """What a line of an answering process says."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"why": "its process ended without an answer"}
    return found


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer requests until there are no more."""
    from fxaudit.run.copy import can_fork, in_copy

    pay_for_the_first_step()
    for line in requests:
        request = json.loads(line)
        if can_fork():
            begun = time.monotonic()
            report, why = in_copy(lambda r=request: report_on(r), request["seconds"])  # type: ignore[misc]
            if report is None and time.monotonic() - begun > request["seconds"] - 0.5:
                why = f"it did not end within {request['seconds']:.0f} seconds"
        else:
            report, why = report_on(request), ""
        answers.write(json.dumps({"report": report, "why": why}) + "\n")
        answers.flush()


def report_on(request: Mapping[str, Any]) -> str:
    """The report on a request's script, run in this process, which is good for nothing else afterwards."""
    from fxaudit.run.script import run_script

    process = os.getpid()
    prepare(request)
    options = {"module": request["module"], "steps": request["steps"], "to_end": request["to_end"]}
    report = run_script(request["argv"], expect=request["expect"] or None, **options)
    if os.getpid() != process:
        os._exit(0)  # a copy that the script itself forked came back; the answer is the original's
    return report.to_json()


def prepare(request: Mapping[str, Any]) -> None:
    """Put a request's texts in the place of files, and from here on write nothing."""
    import warnings

    import torch

    from fxaudit.run.overlay import lay_over
    from fxaudit.run.read_only import write_nothing

    lay_over(request["texts"])
    # A loader's workers hand tensors over through sockets in a directory, which is not made here.
    torch.multiprocessing.set_sharing_strategy("file_system")
    write_nothing()
    warnings.simplefilter("ignore")


def pay_for_the_first_step() -> None:
    """What the first optimizer of a process imports, so that the copies need not each."""
    import torch

    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.ones(1)
    torch.optim.SGD([weight], lr=0.1).step()


if __name__ == "__main__":
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    serve(sys.stdin, kept)
