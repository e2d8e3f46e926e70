"""What was seen is told before a process goes without coming back: a signal, `os._exit` and its like; it goes as it
would have gone."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest
import torch

from fxaudit import cli
from fxaudit.report import Report

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="signals as POSIX has them"),
    pytest.mark.usefixtures("first_step_paid"),
]

TRAINING = """
import os, signal, sys, time
import torch

torch.manual_seed(0)
body, head = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], 0.1)

def step():
    optimizer.zero_grad()
    head(body(torch.ones(1, 2)).detach()).sum().backward()
    optimizer.step()
"""


class Ended:
    """`fxaudit run` of a script, in a forked copy: its exit status, what it printed, and its report."""

    def __init__(self, folder: Path, text: str, *options: str, sends: int = 0, stdout: str = "out") -> None:
        script, page = folder / "train.py", folder / "report.json"
        script.write_text(TRAINING + text, encoding="utf-8")
        child = os.fork()
        if child == 0:
            _be(folder, ["run", *options, "-o", page.name, script.name], stdout)
        if sends:
            end = time.monotonic() + 60
            while not (folder / "ready").exists() and time.monotonic() < end:
                time.sleep(0.05)
            os.kill(child, sends)
        self.status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.out = (folder / "out").read_text("utf-8") if stdout == "out" else ""
        self.err = (folder / "err").read_text("utf-8")
        self.report = Report.from_json(page.read_text("utf-8")) if page.exists() else None
        self.left = sorted(path.name for path in folder.iterdir() if ".part" in path.name)

    @property
    def cut(self) -> set[str]:
        assert self.report is not None, self.err
        return {parameter.name.split(".")[0] for parameter in self.report if parameter.verdict == "unreachable"}


def _be(folder: Path, command: list[str], stdout: str) -> NoReturn:
    """Be the process that runs the command, as a shell would start it."""
    status = 99
    try:
        os.chdir(folder)
        for number, name in ((1, stdout), (2, "err")):
            file = os.open(name, os.O_CREAT | os.O_WRONLY)
            os.dup2(file, number)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU):
            signal.signal(one, signal.SIG_DFL)
        faulthandler.disable()
        signal.alarm(100)
        torch.set_num_threads(1)
        status = cli.main(command)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(ValueError, OSError):
                stream.flush()
    finally:
        os._exit(status)


READY = "open('ready', 'w').close()\n"
WAITING = f"try:\n    step()\n    {READY}    time.sleep(100)\nfinally:\n    print('unwound')\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGXCPU"])
def test_a_signal_that_ends_the_process_ends_it_after_the_report(name: str, tmp_path: Path) -> None:
    ended = Ended(tmp_path, WAITING, sends=getattr(signal, name))
    assert ended.status == -getattr(signal, name)
    assert ended.cut == {"body"} and ended.left == []
    assert "FXA104" in ended.out and f"The script did not finish: {name}" in ended.out
    assert "unwound" not in ended.out  # nor does plain Python unwind
    assert "Traceback" not in ended.err


def test_a_script_that_had_not_trained_yet_blames_nobody(tmp_path: Path) -> None:
    ended = Ended(tmp_path, READY + "time.sleep(100)\n", sends=signal.SIGTERM)
    assert ended.status == -signal.SIGTERM
    assert ended.report is not None and {p.verdict for p in ended.report} <= {"unknown"}
    assert ended.report.findings == ()


OWN = f"""
def leave(number, frame):
    print("its own")
    sys.exit(5)

assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
assert signal.signal(signal.SIGTERM, leave) is signal.SIG_DFL
assert signal.getsignal(signal.SIGTERM) is leave
step()
{READY}
time.sleep(100)
"""


def test_the_scripts_own_handler_is_the_one_that_is_called(tmp_path: Path) -> None:
    ended = Ended(tmp_path, OWN, "--ignore", "FXA104", sends=signal.SIGTERM)
    assert "its own" in ended.out
    assert ended.status == 5
    assert ended.cut == {"body"}


IGNORING = f"""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
step()
{READY}
time.sleep(0.3)
sys.exit(4)
"""
BACK = """
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
step()
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(100)
"""


def test_a_script_may_ignore_the_signal(tmp_path: Path) -> None:
    ended = Ended(tmp_path, IGNORING, "--ignore", "FXA104", sends=signal.SIGTERM)
    assert (ended.status, ended.cut) == (4, {"body"})


def test_a_script_that_sets_the_default_again_dies_of_it(tmp_path: Path) -> None:
    ended = Ended(tmp_path, BACK)
    assert (ended.status, ended.cut) == (-signal.SIGTERM, {"body"})


@pytest.mark.parametrize(
    ("goes", "options", "status"),
    [
        ("os._exit(7)", (), 1),
        ("os._exit(7)", ("--ignore", "FXA104"), 7),
        ("os._exit(status=0)", ("--ignore", "FXA104"), 0),
        ("os.abort()", (), -signal.SIGABRT),
        ("os.execlp('true', 'true')", (), 0),
    ],
)
def test_a_function_that_never_returns_tells_first(
    goes: str, options: tuple[str, ...], status: int, tmp_path: Path
) -> None:
    ended = Ended(tmp_path, f"step()\ntry:\n    {goes}\nfinally:\n    print('unwound')\n", *options)
    assert ended.status == status, ended.err
    assert ended.cut == {"body"} and ended.left == []
    assert "unwound" not in ended.out


def test_a_forked_process_of_the_scripts_goes_as_it_likes(tmp_path: Path) -> None:
    text = """
step()
for _ in range(2):
    child = os.fork()
    if child == 0:
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        os._exit(9)
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
child = os.fork()
if child == 0:
    time.sleep(100)
os.kill(child, signal.SIGTERM)
print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
step()
"""
    ended = Ended(tmp_path, text)
    assert ended.status == 1
    assert [line for line in ended.out.splitlines() if line.startswith("child")] == ["child 9", "child 9", "child -15"]
    assert ended.out.count("error[FXA104]") == 1


def test_what_is_known_when_the_script_goes_on_is_on_disk_before_it_is_killed(tmp_path: Path) -> None:
    text = "for _ in range(20):\n    step()\nos.kill(os.getpid(), signal.SIGKILL)\n"
    ended = Ended(tmp_path, text, "--to-end", "--steps", "3")
    assert ended.status == -signal.SIGKILL
    assert ended.cut == {"body"} and ended.left == []
    assert ended.report is not None and "The script was still running when this was written." in ended.report.notes


# -- streams ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "closing", ["sys.stdout.close()", "os.close(1)", "os.dup2(os.open('log', os.O_CREAT | os.O_WRONLY), 1)"]
)
def test_the_report_goes_where_the_shell_expects_it_though_the_script_closed_that(closing: str, tmp_path: Path) -> None:
    ended = Ended(tmp_path, f"step(); step()\n{closing}\n")
    assert ended.status == 1
    assert "error[FXA104]" in ended.out
    assert ended.err == ""
    assert not (tmp_path / "log").exists() or (tmp_path / "log").read_text("utf-8") == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device there")
def test_the_files_come_and_one_line_says_so_where_stdout_is_full(tmp_path: Path) -> None:
    ended = Ended(tmp_path, "step(); step()\n", stdout="/dev/full")
    assert ended.status == 2
    assert ended.err == "fxaudit: error: The report cannot be printed: No space left on device.\n"
    assert ended.cut == {"body"}
