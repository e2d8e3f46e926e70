"""Which lines of the user's own files ran, as they ran.

Python tells of each line: from 3.12 on through `sys.monitoring` (see `monitoring`), else through `sys.settrace`.
Nothing of the user's is called. Libraries are told of once per function and then left alone. Where a debugger or a
coverage tool already traces, nothing is installed, and what the recorded calls came through is all that is known.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from fxaudit.capture.course import CourseWriter
from fxaudit.capture.monitoring import IDLE_EVENTS, Monitor, is_of_the_user, sees_its_variables
from fxaudit.program.source import is_library, is_skipped, read_source

if TYPE_CHECKING:
    from fxaudit.capture.recording import Record

__all__ = ["Lines"]

Trace = Callable[[FrameType, str, Any], Any]
Result = TypeVar("Result")

_bootstrap: Any = importlib._bootstrap
_FIND_AND_LOAD: Any = _bootstrap._find_and_load

_GETTRACE = sys.gettrace

LOOK_EVERY = 1 << 14
"""Calls between two looks at the clock."""
IDLE_SECONDS = 0.5
"""CPU time without any call of torch after which watching pauses: data is being made, which would take longer."""


class Lines:
    """The lines that ran between `start` and `stop`, by code object."""

    def __init__(self, record: Record) -> None:
        self._record = weakref.proxy(record)  # which has these lines
        self.is_paused = False
        self.is_whole = True
        """Whether nothing that ran while calls were recorded was left out."""
        self._ran: dict[int, tuple[CodeType, set[int]]] = {}
        self._traces: dict[int, tuple[CodeType, Trace | None]] = {}
        self._monitor: Monitor | None = None
        self._started = False
        self._calls = 0
        self._looked = (0, 0.0)
        """The moment of the record and the CPU time at the last look at the clock."""
        self._listens = self._hushed = False
        """Whether the function for `sys.settrace` is in force; whether fxaudit has put it aside for work of its own."""
        self._paused_at: tuple[FrameType | None, int] | None = None
        """Where the user's program was when it seemed to make data only; None where the recording paused as well."""
        self._thread = 0
        self.writer = CourseWriter(record)
        record.course = self.writer.course

    def ran(self) -> dict[str, set[int]]:
        """File → the lines that ran."""
        found: dict[str, set[int]] = {}
        for code, lines in self._ran.values():
            found.setdefault(code.co_filename, set()).update(lines)
        return found

    def start(self, frame: FrameType | None) -> None:
        """Begin to listen; `frame` and its callers go on running, and their further lines count too."""
        if self._started:
            return
        monitors = sys.version_info >= (3, 12)
        if _GETTRACE() is not None or (not monitors and _has_other_threads()):
            self.is_whole = False
            return
        self._thread = threading.get_ident()
        self.is_whole = self.is_whole and not any(is_of_the_user(outer.f_code) for outer in self._callers(frame))
        if monitors:
            self._monitor = Monitor(self.writer, self._lines_of)
            self._started = self._monitor.start(self._callers(frame))
            self.is_whole = self.is_whole and self._started
            return
        self._started = True
        self._listen(frame)

    def stop(self) -> None:
        """Stop listening, unless somebody else listens by now."""
        if not self._started:
            return
        if self._monitor is not None:
            self._monitor.stop()
        elif not self.is_paused:
            self._unlisten()
        self._started, self._paused_at = False, None
        self._traces.clear()  # which lead back to here

    def pause(self, told_of: FrameType | None = None) -> None:
        """Let the program run at full speed until `resume`. Where the recording pauses as well, nothing is missed."""
        if not self._started or self.is_paused:
            return
        if self._monitor is not None:
            self._monitor.pause(sys._getframe(1))
        else:
            self._unlisten(told_of)
        self.is_paused = True

    def resume(self, frame: FrameType | None) -> None:
        """Listen again after a `pause`, if nobody else does by now."""
        self.is_paused = False
        if self._paused_at is not None and self._paused_at != self._own_place(frame):
            self.is_whole = False
        self._paused_at = None
        if not self._started or threading.get_ident() != self._thread:
            return
        if self._monitor is not None:
            self._monitor.resume(self._callers(frame))
        elif _GETTRACE() is None:
            self._listen(frame)

    def hush(self) -> bool:
        """Hear nothing of fxaudit's own work, which makes many calls; True where `unhush` has to follow."""
        if not self._listens or self._hushed or not self._is_ours(_GETTRACE()):
            return False
        sys.settrace(None)
        self._hushed = True
        return True

    def unhush(self) -> None:
        """Listen again, if nothing has ended or begun to trace meanwhile."""
        self._hushed = False
        if self._listens and _GETTRACE() is None:
            sys.settrace(self._entered)

    def unheard(self, function: Callable[..., Result]) -> Callable[..., Result]:
        """`function`, run while nobody listens."""

        def run(*args: Any) -> Result:
            hushed = self.hush()
            try:
                return function(*args)
            finally:
                if hushed:
                    self.unhush()

        return run

    # -- with sys.settrace ---------------------------------------------------------------------------------------

    def _listen(self, frame: FrameType | None) -> None:
        for outer in reversed([*self._callers(frame)]):
            trace = self._trace_of(outer.f_code)
            if trace is not None and outer.f_trace is None:
                outer.f_trace = trace
                self._enters(outer)
        self._looked = (self._record.time, time.process_time())
        if vars(_bootstrap)["_find_and_load"] is _FIND_AND_LOAD:
            _bootstrap._find_and_load = _resting(self)
        sys.gettrace = _debugger  # programs ask it whether they are debugged, and then run otherwise
        self._listens = True
        sys.settrace(self._entered)

    def _callers(self, frame: FrameType | None) -> Iterator[FrameType]:
        """`frame` and its callers, up to where the user's program was started."""
        while frame is not None and frame.f_code not in self._record.stacks.outermost:
            yield frame
            frame = frame.f_back

    def _unlisten(self, told_of: FrameType | None = None) -> None:
        """Hear nothing more. Python still writes the copy of `told_of` back into its variables, so that one stays."""
        trace = _GETTRACE()
        if self._is_ours(trace):
            sys.settrace(None)
        elif not self._hushed or trace is not None:
            self.is_whole = False
        self._listens = False
        if vars(_bootstrap)["_find_and_load"] is not _FIND_AND_LOAD:
            _bootstrap._find_and_load = _FIND_AND_LOAD
        sys.gettrace = _GETTRACE
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if getattr(frame.f_trace, "__qualname__", "").startswith("Lines._listener."):
                frame.f_trace, frame.f_trace_lines = None, True
            if sys.version_info < (3, 13) and frame is not told_of:
                _drop_snapshot(frame)
            frame = frame.f_back

    @contextlib.contextmanager
    def at_rest(self, module: str) -> Iterator[None]:
        """Hear nothing while a library's module is imported: it runs many calls, and none of them is the user's."""
        if not self._is_ours(_GETTRACE()) or not _is_of_a_library(module):
            yield
            return
        sys.settrace(None)
        try:
            yield
        finally:
            if self._started and not self.is_paused and _GETTRACE() is None:
                sys.settrace(self._entered)

    def _own_place(self, frame: FrameType | None) -> tuple[FrameType | None, int]:
        """The innermost frame of the user's, and its instruction: while both stay, it waits for the same call."""
        own = next((outer for outer in self._callers(frame) if is_of_the_user(outer.f_code)), None)
        return own, own.f_lasti if own is not None else -1

    def _is_ours(self, trace: object) -> bool:
        return getattr(trace, "__func__", None) is Lines._entered and getattr(trace, "__self__", None) is self

    def _entered(self, frame: FrameType, event: str, argument: object) -> Trace | None:
        self._calls += 1
        if self._calls >= LOOK_EVERY:
            self._look_at_the_clock(frame)
        code = frame.f_code
        known = self._traces.get(id(code))
        trace = known[1] if known is not None else self._trace_of(code)
        if trace is not None:
            self._enters(frame)
        return trace

    def _enters(self, frame: FrameType) -> None:
        try:
            if not self.writer.is_over and not self.writer.goes_on(frame):
                self.writer.enter(frame, frame.f_back)
        except Exception as error:
            self.writer.failed(error)

    def _look_at_the_clock(self, frame: FrameType) -> None:
        self._calls = 0
        moment, then = self._looked
        now = time.process_time()
        if _has_other_threads():
            self.is_whole = False
            self._unlisten(frame)
            self._started = False
        elif self._record.time != moment:
            self._looked = (self._record.time, now)
        elif now - then > IDLE_SECONDS:
            self.pause(frame)
            self._paused_at = self._own_place(frame)

    def _trace_of(self, code: CodeType) -> Trace | None:
        """What listens to the lines of `code`; None where they are nobody's, or enough was heard."""
        known = self._traces.get(id(code))
        if known is None:
            known = self._traces[id(code)] = (code, self._listener(code))
        return known[1]

    def _listener(self, code: CodeType) -> Trace | None:
        if not is_of_the_user(code):
            return None
        if sys.version_info < (3, 13) and sees_its_variables(code):
            self.is_whole = False
            return None
        read_source(code.co_filename)  # as it is now: it may be edited while it runs
        lines = self._lines_of(code)
        idle = 0
        writer, wanted = self.writer, self._wanted(code)
        pending = writer.open

        def listen(frame: FrameType, event: str, argument: object) -> Trace | None:
            nonlocal idle
            line = frame.f_lineno
            try:
                if event == "return":
                    writer.left(frame)
                    return frame.f_trace
                if event == "line" and (line in wanted or id(frame) in pending):
                    writer.passes(frame, line, wanted)
            except Exception as error:
                wanted.clear()
                writer.failed(error)
            if line not in lines:
                lines.add(line)
                idle = 0
                return frame.f_trace
            idle += 1
            if idle > IDLE_EVENTS:
                self.is_whole = False
                self._traces[id(code)] = (code, None)
                frame.f_trace_lines = False
            return frame.f_trace

        return listen

    def _wanted(self, code: CodeType) -> dict[int, int]:
        try:
            return {} if self.writer.is_over else self.writer.wanted(code)
        except Exception as error:
            self.writer.failed(error)
            return {}

    def _lines_of(self, code: CodeType) -> set[int]:
        known = self._ran.get(id(code))
        if known is None:
            known = self._ran[id(code)] = (code, set())
        return known[1]


def _resting(lines: Lines) -> Callable[[str, Any], Any]:
    """What imports a module, `lines` resting meanwhile. Python leaves it out of tracebacks like its own machinery."""

    def _find_and_load(name: str, import_: Any) -> Any:
        with lines.at_rest(name):
            return _FIND_AND_LOAD(name, import_)

    code = _find_and_load.__code__
    _find_and_load.__code__ = code.replace(co_filename=_FIND_AND_LOAD.__code__.co_filename)
    return _find_and_load


def _debugger() -> Any:
    """What `sys.gettrace` says while we listen: a debugger, if one has come in between."""
    trace = _GETTRACE()
    return None if getattr(trace, "__func__", None) is Lines._entered else trace


def _has_other_threads() -> bool:
    """Until Python 3.12, `sys.settrace` may lose what two threads write to a variable that they share in a closure."""
    return sys.version_info < (3, 13) and threading.active_count() > 1 + sum(
        thread.daemon and type(thread).__name__ == "TMonitor" for thread in threading.enumerate()
    )


def _drop_snapshot(frame: FrameType) -> None:
    """Each frame that was told of keeps a copy of its variables, unless it, or somebody else, looks at it."""
    if frame.f_code.co_flags & inspect.CO_OPTIMIZED and not sees_its_variables(frame.f_code):
        snapshot = frame.f_locals
        if sys.getrefcount(snapshot) <= 3:
            snapshot.clear()


def _is_of_a_library(module: str) -> bool:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return True
    loaded = sys.modules.get(top)
    try:
        spec = loaded.__spec__ if loaded is not None else importlib.util.find_spec(top)
    except (ImportError, AttributeError, ValueError):
        return False
    file = spec.origin if spec is not None else None
    return file is not None and (is_library(file) or is_skipped(file))
