"""Scripts that do what nobody expects run as under plain Python, to the same numbers, and are judged right.

Each runs plainly, under `fxaudit run` and under `fxaudit.watch`, in copies of this process, and is compared in its exit
status, in what it prints, and in what is true of its training.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import os
import runpy
import signal
import subprocess
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
import torch

import fxaudit
from fxaudit import cli
from fxaudit.program.source import PACKAGE
from fxaudit.report import Report
from tests.hostile_scripts import HOSTILE, Hostile

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of the process"),
    pytest.mark.skipif(sys.version_info < (3, 11), reason="some scripts use what Python has from 3.11 on"),
    pytest.mark.usefixtures("warmed"),
]


@pytest.fixture(scope="module")
def warmed(first_step_paid: None) -> Iterator[None]:
    """What an audit imports is imported once."""
    model = torch.nn.Linear(2, 1)
    report = fxaudit.audit(model, lambda: model(torch.ones(1, 2)).detach().sum(), torch.optim.SGD(model.parameters()))
    assert Report.from_json(report.to_json()).findings
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


UNCOUNTED = [part for family in (1, 2, 3, 4, 5, 6, 9) for part in ("--ignore", f"FXA{family}")]


@dataclass(frozen=True)
class Ran:
    """How a process ended, what it printed, and what was found."""

    status: int
    out: str
    err: str
    report: Report | None

    @property
    def verdicts(self) -> dict[str, set[str]]:
        """The first part of a parameter's name → what is said of those."""
        assert self.report is not None, self.err
        found: dict[str, set[str]] = {}
        for parameter in self.report:
            found.setdefault(parameter.name.split(".")[0], set()).add(str(parameter.verdict))
        return found


def plainly(given: Hostile, folder: Path) -> Ran:
    """As `python script` runs it."""
    return _in_a_copy(given, folder / "plain", lambda: _as_python_does(given))


def under_run(given: Hostile, folder: Path) -> Ran:
    """As `fxaudit run` runs it, whose own opinion does not count in the exit status."""
    named = ("-m", given.module) if given.module else (given.name,)
    command = ["run", "--to-end", "-q", *UNCOUNTED, "-o", str(folder / "report.json"), *named, *given.arguments]
    return _in_a_copy(given, folder / "run", lambda: cli.main(command), folder / "report.json")


def under_watch(given: Hostile, folder: Path) -> Ran:
    """With `fxaudit.watch()` around it."""

    def work() -> None:
        watching = fxaudit.watch()
        try:
            with watching:
                _as_python_does(given)
        finally:
            (folder / "watched.json").write_bytes(watching.report.to_json().encode())

    return _in_a_copy(given, folder / "watch", work, folder / "watched.json")


def _in_a_copy(given: Hostile, folder: Path, work: Callable[[], object], saved: Path | None = None) -> Ran:
    for name, text in given.written().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    child = os.fork()
    if child == 0:
        _be(folder, work)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    out, err = ((folder.parent / f"{folder.name}.{name}").read_text("utf-8", "replace") for name in ("out", "err"))
    report = Report.from_json(saved.read_text("utf-8")) if saved is not None and saved.exists() else None
    return Ran(status, out, err, report)


def _as_python_does(given: Hostile) -> None:
    """Run it in this process, as the interpreter runs what it is given."""
    sys.argv = [given.name, *given.arguments]
    if given.module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(given.module, run_name="__main__", alter_sys=True)
        return
    path = os.path.abspath(given.name)
    sys.path.insert(0, os.path.dirname(path))
    main = types.ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, vars(main))


def _be(folder: Path, work: Callable[[], object], leave: Callable[[int], NoReturn] = os._exit) -> None:
    """Be a process of Python that does `work`, from its streams to its last words; never returns."""
    os.chdir(folder)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder.parent / f"{folder.name}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout = sys.__stdout__ = out = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = err = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    sys.excepthook = sys.__excepthook__
    for one in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    faulthandler.disable()
    signal.alarm(100)
    torch.set_num_threads(1)
    atexit._clear()
    warnings.resetwarnings()
    last_words, shut_down = atexit._run_exitfuncs, threading._shutdown
    status = _status_of(work)
    for end in (shut_down, last_words, out.flush, err.flush):
        with contextlib.suppress(BaseException):
            end()
    leave(status)


def _status_of(work: Callable[[], object]) -> int:
    """The exit status that Python has after `work`."""
    try:
        answer = work()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return int(error.code or 0) & 0xFF
        with contextlib.suppress(Exception):
            os.write(2, f"{error.code}\n".encode())
        return 1
    except BaseException as error:
        with contextlib.suppress(BaseException):
            sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return int(answer) & 0xFF if isinstance(answer, int) else 0


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_script_runs_as_ever_and_is_judged_right(name: str, tmp_path: Path) -> None:
    given = HOSTILE[name]
    plain = plainly(given, tmp_path)
    for ran in (under_run(given, tmp_path), under_watch(given, tmp_path)):
        nothing = ran.status == 3 and set(given.verdicts.values()) == {"unknown"}
        assert (0 if nothing else ran.status, ran.out) == (plain.status, plain.out), ran.err
        assert PACKAGE not in ran.err
        for named, verdict in given.verdicts.items():
            assert ran.verdicts[named] == {verdict}


def test_files_in_the_working_directory_do_not_stand_for_what_fxaudit_imports(tmp_path: Path) -> None:
    for name in ("click", "rich", "networkx", "html"):
        (tmp_path / f"{name}.py").write_text("1 / 0\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": PACKAGE + os.pardir}
    command = [sys.executable, "-m", "fxaudit", "explain", "FXA104"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "detached-path" in ran.stdout
