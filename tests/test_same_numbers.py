"""`watch` and `run` change nothing in what a loop computes: losses, gradients, parameters, random numbers, bit for
bit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import fxaudit
from tests.loops import LOOPS, computed

EVERY = pytest.mark.parametrize("loop", LOOPS)
SCRIPT = Path(__file__).with_name("loops.py")


def in_a_fork(work: Callable[[], object]) -> int:
    """The exit status of a forked copy that runs `work`; it prints nothing."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            torch.set_num_threads(1)
            sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - the process ends with it
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@EVERY
def test_watching_changes_no_number(loop: str) -> None:
    plain = computed(loop)
    with fxaudit.watch() as watching:
        watched = computed(loop)
    assert watched == plain
    assert len(set(plain)) == len(plain) > 3
    assert watching.report.parameters


@EVERY
def test_running_to_the_end_changes_no_number(loop: str, tmp_path: Path) -> None:
    from fxaudit.run.script import run_script

    plain, observed = tmp_path / "plain", tmp_path / "observed"
    assert in_a_fork(lambda: plain.write_text("\n".join(computed(loop)), encoding="utf-8")) == 0

    def run() -> None:
        report = run_script([str(SCRIPT), loop, str(observed)], to_end=True)
        assert report.parameters

    assert in_a_fork(run) == 0
    assert observed.read_text(encoding="utf-8") == plain.read_text(encoding="utf-8")
