"""Hearing the user's lines through `sys.monitoring`, from Python 3.12 on.

A library's function is told of once. In the user's own code a line stays loud while something in its function has still
to be noted: what a statement bound is read when the next line comes, whichever that is. Then it falls silent, line by
line, and costs nothing more.
"""

from __future__ import annotations

import dis
import inspect
import sys
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

from fxaudit.capture.course import CourseWriter
from fxaudit.capture.inlined import Inlined, inlined_in
from fxaudit.program.course import PASSES
from fxaudit.program.source import is_library, is_skipped, read_source

__all__ = ["IDLE_EVENTS", "Monitor", "is_of_the_user", "sees_its_variables"]

IDLE_EVENTS = 20_000
"""Lines of a function that may run without a new one among them, before it is left alone: some 10 ms."""
TOOLS = (4, 3)
"""The numbers that Python keeps for nobody in particular."""

_LOOKING = frozenset({"locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe", "stack", "f_locals"})
_BY_THEMSELVES = _LOOKING - {"f_locals"}
"""What looks at variables where it is called by its own name: `model.eval()` and `torch.stack(…)` do not."""
_OF_MODULES = {"_getframe": "sys", "currentframe": "inspect", "stack": "inspect"}
_OF_MODULES |= dict.fromkeys(("locals", "vars", "dir", "eval", "exec"), "builtins")
"""The modules that they are functions of."""


class _Heard:
    """What is known of one code object of the user's."""

    __slots__ = ("at", "code", "idle", "inner", "lines", "wanted")

    def __init__(self, code: CodeType, lines: set[int]) -> None:
        self.code = code
        self.lines = lines
        self.idle = 0
        self.wanted: dict[int, int] = {}
        """Line → how many passes through the statement that begins there are still to be kept."""
        self.inner: dict[int, dict[int, int]] = {}
        """The same for each comprehension that runs in frames of this code; by its first instruction."""
        self.at: dict[int, list[tuple[Inlined, int]]] = {}
        """Instruction → the comprehensions that begin there, with 0, and those a part of which does, with its line."""

    def listens_to(self, found: Iterable[Inlined]) -> None:
        for one in found:
            self.inner[one.first] = dict.fromkeys(one.parts.values(), PASSES)
            for offset, line in ((one.first, 0), *one.parts.items()):
                self.at.setdefault(offset, []).append((one, line))

    def gives_up(self) -> None:
        self.wanted.clear()
        self.inner.clear()


class Monitor:
    """What Python tells of, from `start` to `stop`."""

    NAME = "fxaudit"

    def __init__(self, writer: CourseWriter, lines_of: Callable[[CodeType], set[int]]) -> None:
        self._writer = writer
        self._lines_of = lines_of
        self._thread = threading.get_ident()
        self._tool = -1
        self._heard: dict[int, _Heard] = {}
        """`id` of a code object of the user's → what is known of it."""
        self._places: dict[int, int] = {}
        self._api: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self._silent = self._api.DISABLE
        events = self._api.events
        self._callbacks = {
            events.PY_START: self._starts,
            events.PY_RESUME: self._resumes,
            events.PY_UNWIND: self._unwinds,
            events.LINE: self._line,
            events.PY_RETURN: self._returns,
            events.PY_YIELD: self._yields,
            events.INSTRUCTION: self._instruction,
        }
        self._everywhere = events.PY_START | events.PY_RESUME | events.PY_UNWIND
        self._in_own_code = events.LINE | events.PY_RETURN | events.PY_YIELD

    # -- on and off ----------------------------------------------------------------------------------------------

    def start(self, callers: Iterable[FrameType]) -> bool:
        """Whether Python tells us; not where all tools are taken. `callers` run already, the innermost first."""
        tool = next((tool for tool in TOOLS if self._api.get_tool(tool) is None), -1)
        if tool < 0:
            return False
        self._tool = tool
        self._api.use_tool_id(tool, self.NAME)
        for event, callback in self._callbacks.items():
            self._api.register_callback(tool, event, callback)
        try:
            self._on(callers)
        except BaseException:
            self.stop()
            raise
        return True

    def stop(self) -> None:
        """Leave nothing behind."""
        if self._is_ours():
            self._off()
            for event in self._callbacks:
                self._api.register_callback(self._tool, event, None)
            self._api.free_tool_id(self._tool)
        self._tool = -1

    def pause(self, frame: FrameType) -> None:
        """Hear nothing until `resume`."""
        self._places = self._writer.places(frame)
        if self._is_ours():
            self._off()

    def resume(self, callers: Iterable[FrameType]) -> None:
        """Hear again; a call that has gone on in between counts as another one."""
        outer = [*callers]
        now = self._writer.places(outer[0] if outer else None)
        self._writer.keep_only({key for key, place in self._places.items() if now.get(key) == place})
        if self._is_ours():
            self._on(outer)

    def _is_ours(self) -> bool:
        return self._tool >= 0 and self._api.get_tool(self._tool) == self.NAME

    def _on(self, callers: Iterable[FrameType]) -> None:
        self._api.set_events(self._tool, self._everywhere)
        for heard in self._heard.values():
            self._listen(heard)
        for frame in reversed([*callers]):
            if self._known(frame.f_code) is not None and not self._writer.knows(frame):
                self._writes(self._writer.enter, frame, frame.f_back)

    def _off(self) -> None:
        self._api.set_events(self._tool, 0)
        for heard in self._heard.values():
            self._api.set_local_events(self._tool, heard.code, 0)

    def _listen(self, heard: _Heard) -> None:
        events = self._in_own_code | (self._api.events.INSTRUCTION if heard.at else 0)
        self._api.set_local_events(self._tool, heard.code, events)

    def _known(self, code: CodeType) -> _Heard | None:
        """What is known of the code; None where it is not the user's."""
        heard = self._heard.get(id(code))
        if heard is None and is_of_the_user(code):
            heard = self._heard[id(code)] = _Heard(code, self._lines_of(code))
            read_source(code.co_filename)  # as it is now: it may be edited while it runs
            if not self._writer.is_done and (sys.version_info >= (3, 13) or not sees_its_variables(code)):
                self._writes(self._look_at, heard)
            self._listen(heard)
        return heard

    def _look_at(self, heard: _Heard) -> None:
        heard.wanted = self._writer.wanted(heard.code)
        heard.listens_to(inlined_in(heard.code))

    # -- what Python tells ---------------------------------------------------------------------------------------

    def _starts(self, code: CodeType, offset: int) -> object:
        heard = self._known(code)
        if heard is None:
            return self._silent
        if not self._is_told(heard):
            return self._silent if heard.idle > IDLE_EVENTS else None
        frame = sys._getframe(1)
        self._writes(self._writer.enter, frame, frame.f_back)
        if not self._writer.has_all_calls(code):
            return None
        self._writer.forget_suspended(code)
        return self._silent

    def _resumes(self, code: CodeType, offset: int) -> object:
        heard = self._known(code)
        if heard is not None and self._is_told(heard):
            frame = sys._getframe(1)
            if not self._writer.knows(frame):
                self._writes(self._writer.enter, frame, frame.f_back)
        return self._silent

    def _line(self, code: CodeType, line: int) -> object:
        heard = self._heard.get(id(code))
        if heard is None:
            return self._silent
        if line not in heard.lines:
            heard.lines.add(line)
            heard.idle = 0
        if self._is_told(heard):
            frame = sys._getframe(1)
            if line in heard.wanted or id(frame) in self._writer.open:
                self._writes(self._writer.passes, frame, line, heard.wanted)
        return None if heard.wanted or self._writer.has_open(code) else self._silent

    def _returns(self, code: CodeType, offset: int, value: object) -> object:
        if id(code) in self._heard and threading.get_ident() == self._thread:
            self._writes(self._writer.ended, sys._getframe(1))
        over = self._writer.has_all_calls(code) and not self._writer.has_running(code)
        return self._silent if over else None

    def _yields(self, code: CodeType, offset: int, value: object) -> object:
        heard = self._heard.get(id(code))
        if heard is not None and threading.get_ident() == self._thread:
            self._writes(self._writer.left, sys._getframe(1))
        return None if heard is not None and (heard.wanted or self._writer.has_open(code)) else self._silent

    def _unwinds(self, code: CodeType, offset: int, error: BaseException) -> object:
        if id(code) in self._heard and threading.get_ident() == self._thread:
            self._writes(self._writer.ended, sys._getframe(1))
        return None

    def _instruction(self, code: CodeType, offset: int) -> object:
        heard = self._heard.get(id(code))
        if heard is None or offset not in heard.at:
            return self._silent
        is_told = self._is_told(heard)
        again = False
        for one, line in heard.at[offset]:
            if is_told and one.first in heard.inner:
                self._writes(self._goes_into, heard, sys._getframe(1), one, line)
            wanted = heard.inner.get(one.first)
            again = again or (wanted is not None and (not line or line in wanted))
        return None if again else self._silent

    def _goes_into(self, heard: _Heard, frame: FrameType, one: Inlined, line: int) -> None:
        if line:
            self._writer.passes_inside(frame, one, line, heard.inner[one.first])
        elif not self._writer.enter_inside(frame, one):
            del heard.inner[one.first]

    def _is_told(self, heard: _Heard) -> bool:
        """Whether something may be written now: of the thread that is recorded, and within the bounds."""
        heard.idle += 1
        if self._writer.is_done or heard.idle > IDLE_EVENTS:
            heard.gives_up()
        return threading.get_ident() == self._thread

    def _writes(self, function: Callable[..., object], *given: object) -> None:
        try:
            if not self._writer.is_over:
                function(*given)
        except Exception as error:
            self._writer.failed(error)


@lru_cache(maxsize=512)
def sees_its_variables(code: CodeType) -> bool:
    """Whether a function takes its own variables as a dictionary: until Python 3.12 looking at them writes into it."""
    if not code.co_flags & inspect.CO_OPTIMIZED or _LOOKING.isdisjoint(code.co_names):
        return False
    before = module = ""
    for instruction in dis.get_instructions(code):
        name = instruction.argval if isinstance(instruction.argval, str) else ""
        match instruction.opname:
            case "LOAD_ATTR" | "LOAD_METHOD" if name == "f_locals" or _OF_MODULES.get(name) == before:
                return True
            case "LOAD_GLOBAL" | "LOAD_NAME" if name in _BY_THEMSELVES:
                return True
            case "IMPORT_FROM" if _OF_MODULES.get(name) == module:
                return True
            case "IMPORT_NAME":
                module = name
        before = name
    return False


def is_of_the_user(code: CodeType) -> bool:
    """Whether the code stands in a file of the user's own project."""
    file = code.co_filename
    return not is_skipped(file) and not is_library(file)
