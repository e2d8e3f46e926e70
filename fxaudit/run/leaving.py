"""What is said before the process goes without coming back: on a signal that ends it, and at `os._exit` and its like.

A script's own handlers come first: ours stand only where the system's default stood, and `signal.getsignal` goes on
answering that. Nothing of the script is unwound. The process then goes as it would have gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Literal

from fxaudit.capture.patches import Patches
from fxaudit.program.source import PACKAGE, absolute_path, is_skipped
from fxaudit.report import Report

__all__ = ["LastWords"]

SIGNALS = ("SIGTERM", "SIGHUP", "SIGXCPU")
"""What schedulers, `timeout`, terminals that close and limits of time send; nothing of it unwinds a script."""
GOERS = ("_exit", "abort", "execv", "execve")
"""The functions of `os` that end the program where they are called; the rest of the family calls these."""
TRY_AGAIN = 0.05
LONGEST_WAIT = 10.0
"""Seconds that a signal waits where fxaudit itself is at work, so that nothing is judged half noted."""

# What the script sees of `signal` are our wrappers.
_plain_getsignal, _plain_signal = signal.getsignal, signal.signal

Way = Literal["signal", "exit", "abort", "exec"]
_attending: list[LastWords] = []


class LastWords:
    """Reports for a script whose process ends where no exception passes.

    Args:
        deliver: Called with the report; returns the exit status of the audit.
        keep: Called with what is known when a script goes on unobserved: where it is killed, that is left.
    """

    def __init__(self, deliver: Callable[[Report], int], keep: Callable[[Report], None] = lambda report: None) -> None:
        self.make: Callable[[Way, str], Report] | None = None
        """Makes the report: how the process goes, and what sent it or with which status."""
        self.keep = keep
        self._deliver = deliver
        self._process = os.getpid()
        self._numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
        self._ours: set[int] = set()
        self._speaking = threading.Lock()
        self._waited = 0.0
        self._over = False
        self._late: int | None = None
        self._blocked: set[int] = set()
        self._patches = Patches()

    @contextlib.contextmanager
    def attending(self) -> Iterator[None]:
        """The script runs inside, and the report is delivered there; a signal during the latter waits for it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._listen()
        _attending.append(self)
        try:
            yield
        finally:
            _attending.remove(self)
            self._restore()
        if self._late is not None:
            _die_of(self._late)

    @contextlib.contextmanager
    def of_the_script(self) -> Iterator[None]:
        """The script runs inside; what comes later is the report's own business."""
        try:
            yield
        finally:
            self._over = True

    # -- signals ------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        for number in self._numbers:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._signalled)
                self._ours.add(number)
        self._keep_apart()
        for name in GOERS:
            if hasattr(os, name):
                self._patches.replace(os, name, self._goer(name, getattr(os, name)))

    def _restore(self) -> None:
        self._patches.restore()
        for number in self._ours:
            if signal.getsignal(number) == self._signalled:
                signal.signal(number, signal.SIG_DFL)

    def _keep_apart(self) -> None:
        """To the script our handlers are the system's default, and it sets that default by setting ours again."""
        getsignal, set_signal = signal.getsignal, signal.signal

        def seen(found: Any) -> Any:
            return signal.SIG_DFL if found == self._signalled else found

        def asked(signalnum: int) -> Any:
            return seen(getsignal(signalnum))

        def given(signalnum: int, handler: Any) -> Any:
            ours = handler == signal.SIG_DFL and signalnum in self._ours and os.getpid() == self._process
            return seen(set_signal(signalnum, self._signalled if ours else handler))

        self._patches.replace(signal, "getsignal", asked)
        self._patches.replace(signal, "signal", given)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            _die_of(number)
        elif self._over:
            self._late = number
        elif _is_ours(frame) and self._waited < LONGEST_WAIT:
            self._waited += TRY_AGAIN
            again = threading.Timer(TRY_AGAIN, os.kill, (self._process, number))
            again.daemon = True
            again.start()
        elif self._speaking.acquire(blocking=False):
            try:
                self._speak("signal", signal.Signals(number).name)
            finally:
                _die_of(number)

    def hold_back(self) -> None:
        """Before a fork: nothing is delivered until it is over."""
        self._blocked = set(signal.pthread_sigmask(signal.SIG_BLOCK, self._ours))

    def let_through(self) -> None:
        """After it: what came meanwhile is delivered."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)

    def let_go(self) -> None:
        """In a forked process of the script's: the system's default stands where it stood for the script."""
        for number in self._ours:
            with contextlib.suppress(ValueError):
                if _plain_getsignal(number) == self._signalled:
                    _plain_signal(number, signal.SIG_DFL)

    def _speak(self, way: Way, what: str) -> int:
        if self.make is None:
            return 0
        status = self._deliver(self.make(way, what))
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # the script may have put anything there
                stream.flush()
        return status

    # -- functions that do not return --------------------------------------------------------------------------------

    def _goer(self, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def gone(*args: Any, **kwargs: Any) -> Any:
            is_the_script = os.getpid() == self._process and not self._over
            if not is_the_script or not self._speaking.acquire(blocking=False):
                return plain(*args, **kwargs)
            status = 0
            try:
                if name == "_exit":
                    status = self._speak("exit", str(int(args[0] if args else kwargs["status"])))
                else:
                    self._speak("abort" if name == "abort" else "exec", f"os.{name}")
            finally:
                self._speaking.release()
                if status:
                    plain(status)
            return plain(*args, **kwargs)

        gone.__name__ = gone.__qualname__ = name
        return gone


def _before_fork() -> None:
    # A signal that reaches the copy before it has the system's default again would be lost on it.
    for one in _attending:
        one.hold_back()


def _after_fork_in_parent() -> None:
    for one in _attending:
        one.let_through()


def _after_fork_in_child() -> None:
    for one in _attending:
        one.let_go()
        one.let_through()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


def _is_ours(frame: FrameType | None) -> bool:
    """Whether fxaudit is at work for the innermost line that is no library's."""
    while frame is not None:
        file = frame.f_code.co_filename
        if absolute_path(file).startswith(PACKAGE):
            return True
        if not is_skipped(file):
            return False
        frame = frame.f_back
    return False


def _die_of(number: int) -> None:
    """End this process as the signal would have, whatever stands for `signal.signal`."""
    _plain_signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
