"""Writing down the course of the user's program, as Python tells of its lines.

Nothing of the user's is called: attributes are read from the dictionaries that hold them, entries only of dicts and
lists, and no `repr`, no `==` and no hook of an object is asked. Objects are told apart without being kept alive.
"""

from __future__ import annotations

import io
import types
import weakref
from collections.abc import Mapping
from pathlib import PurePath
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.program.course import Course, Entered, Seen, Sight
from fxaudit.program.plain import INNER, Chain, Reading, readings

if TYPE_CHECKING:
    from fxaudit.capture.recording import Record

__all__ = ["CourseWriter"]

PASSES = 8
"""So many passes through a statement are kept."""
CALLS = 24
"""So many calls of a function."""
MAX_SIGHTS = 30_000
MAX_TEXT = 240
MAX_BITS = 62

_MISSING = object()
_PLAIN = (bool, int, float, str, type(None))
_ORDINARY = (object.__getattribute__, types.ModuleType.__getattribute__)


class CourseWriter:
    """The course between `start` and `stop` of the lines that are heard."""

    def __init__(self, record: Record) -> None:
        self.course = Course()
        self._record = record
        self._frames: dict[int, tuple[CodeType, int]] = {}
        """`id` of a frame that runs → its code and its number."""
        self._calls: dict[int, int] = {}
        """`id` of a code object → how many of its calls were noted."""
        self.open: dict[int, tuple[Sight, Reading]] = {}
        """`id` of a frame → the pass that has not been left yet."""
        self._tokens: dict[int, tuple[Any, int]] = {}
        self._next = 0

    def wanted(self, code: CodeType) -> dict[int, int]:
        """Line → how many passes through the statement that begins there are still to be kept."""
        first, last = code.co_firstlineno, max((line or 0 for _, _, line in code.co_lines()), default=0)
        known = readings(code.co_filename)
        lines = known.inner_lines() if code.co_name in INNER else known.lines()
        return {line: PASSES for line in lines if first <= line <= last}

    def enter(self, frame: FrameType, caller: FrameType | None) -> None:
        """Note that a function of the user's begins; a generator that goes on is the same call."""
        known = self._frames.get(id(frame))
        code = frame.f_code
        if known is not None and known[0] is code and code.co_flags & (0x20 | 0x80 | 0x200):
            return
        self._frames.pop(id(frame), None)
        count = self._calls.get(id(code), 0)
        if count >= CALLS or len(self.course.sights) >= MAX_SIGHTS:
            return
        self._calls[id(code)] = count + 1
        above, line = self._noted(caller)
        name = getattr(code, "co_qualname", code.co_name)
        self._frames[id(frame)] = (code, len(self.course.frames))
        self.course.frames.append(
            Entered(code.co_filename, name, code.co_firstlineno, above, line, len(self.course.sights))
        )

    def _noted(self, frame: FrameType | None) -> tuple[int, int]:
        """The number and the line of the innermost noted frame from `frame` upwards."""
        for _ in range(60):
            if frame is None:
                break
            known = self._frames.get(id(frame))
            if known is not None and known[0] is frame.f_code:
                return known[1], frame.f_lineno
            frame = frame.f_back
        return -1, 0

    def left(self, frame: FrameType) -> None:
        """Note that a call ends, or a generator waits."""
        self._close(frame)
        if not frame.f_code.co_flags & (0x20 | 0x80 | 0x200):
            self._frames.pop(id(frame), None)

    def passes(self, frame: FrameType, line: int, wanted: dict[int, int]) -> None:
        """Note that the frame has come to a line."""
        pending = self.open.get(id(frame))
        if pending is not None:
            _, reading = pending
            if reading.line < line <= reading.end or (line == reading.line < reading.end):
                return  # a statement of several lines goes on
            self._close(frame)
        if line not in wanted:
            return
        left = wanted[line] - 1
        if left:
            wanted[line] = left
        else:
            del wanted[line]
        known = self._frames.get(id(frame))
        if known is None or known[0] is not frame.f_code or len(self.course.sights) >= MAX_SIGHTS:
            return
        looked_at = readings(frame.f_code.co_filename)
        reading = looked_at.inner(line) if frame.f_code.co_name in INNER else looked_at.at(line)
        variables, outer = frame.f_locals, frame.f_globals
        sight = Sight(known[1], line, self._record.time, index=len(self.course.sights))
        for chain in reading.reads:
            value = _held(chain, variables, outer)
            if value is not _MISSING:
                sight.read[chain.text] = self._seen(value)
        self.course.sights.append(sight)
        if reading.bound or reading.end > line:
            self.open[id(frame)] = (sight, reading)

    def _close(self, frame: FrameType) -> None:
        pending = self.open.pop(id(frame), None)
        if pending is None:
            return
        sight, reading = pending
        variables, outer = frame.f_locals, frame.f_globals
        for chain in reading.bound:
            value = _held(chain, variables, outer)
            if value is _MISSING:
                continue
            sight.bound[chain.text] = self._seen(value)
            if chain.steps:
                owner = _held(Chain("", chain.name, chain.steps[:-1]), variables, outer)
                kind, key = chain.steps[-1]
                if kind == "index":
                    key = variables.get(key, outer.get(key, ""))  # type: ignore[call-overload]
                part = str(key) if type(key) in (str, int) else ""
                sight.owners[chain.text] = (self._token(owner), part)

    def _seen(self, value: Any) -> Seen:
        kind = type(value)
        if kind in _PLAIN:
            if (kind is str and len(value) > MAX_TEXT) or (kind is int and value.bit_length() > MAX_BITS):
                return Seen("object", kind.__name__)
            return Seen("plain", value)
        if kind is types.ModuleType:
            file = vars(value).get("__file__")
            return Seen("module", file if type(file) is str else "")
        if kind in (io.TextIOWrapper, io.BufferedReader):
            name = getattr(value, "name", "")
            return Seen("file", name if type(name) is str else "")
        if issubclass(kind, PurePath):
            return Seen("file", PurePath.__str__(value))
        return self._which(value, kind)

    def _which(self, value: Any, kind: type) -> Seen:
        token = self._token(value)
        if issubclass(kind, torch.Tensor):
            return Seen("tensor", None, token)
        if kind in (list, tuple, set, frozenset):
            return Seen("list", len(value), token)
        if issubclass(kind, dict):
            return Seen("dict", dict.__len__(value), token)
        if kind in (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type):
            return Seen("callable", str(getattr(value, "__qualname__", "")), token)
        return Seen("object", kind.__qualname__, token)

    def _token(self, value: object) -> int:
        """A number for the object; the memory of one that is gone may be another's by now."""
        if type(value) in _PLAIN:
            return -1
        known = self._tokens.get(id(value))
        if known is not None:
            reference = known[0]
            if (reference() if type(reference) is weakref.ref else value) is value and (
                type(reference) is weakref.ref or reference is type(value)
            ):
                return known[1]
        try:
            kept: Any = weakref.ref(value)
        except TypeError:
            kept = type(value)
        self._next += 1
        self._tokens[id(value)] = (kept, self._next)
        return self._next


def _held(chain: Chain, variables: Mapping[str, object], outer: Mapping[str, object]) -> object:
    """What the chain holds; `_MISSING` where it cannot be had without calling something."""
    value = variables.get(chain.name, _MISSING)
    if value is _MISSING:
        value = outer.get(chain.name, _MISSING)
    for kind, key in chain.steps:
        if value is _MISSING:
            return _MISSING
        if kind == "attribute":
            value = _attribute(value, key)  # type: ignore[arg-type]
            continue
        if kind == "index":
            key = variables.get(key, outer.get(key, _MISSING))  # type: ignore[call-overload]
        value = _entry(value, key)
    return value


def _attribute(owner: Any, name: str) -> object:
    """An attribute, as far as it stands in the object's own dictionary or in its class."""
    kind = type(owner)
    if issubclass(kind, torch.Tensor) or kind in _PLAIN:
        return _MISSING
    if issubclass(kind, type):
        return _in_class(owner, name)
    if _in_class(kind, "__getattribute__") not in _ORDINARY:
        return _MISSING
    found = _in_class(kind, name)
    if type(found) is types.MemberDescriptorType:
        try:
            return found.__get__(owner, kind)
        except AttributeError:
            return _MISSING
    if type(found) is property or hasattr(type(found), "__set__"):
        return _MISSING
    try:
        own = object.__getattribute__(owner, "__dict__")
    except AttributeError:
        own = None
    if type(own) is dict:
        if name in own:
            return own[name]
        for part in ("_modules", "_parameters", "_buffers"):
            members = own.get(part)
            if isinstance(members, dict) and name in members:
                return dict.get(members, name)
    if found is not _MISSING:
        return _MISSING if hasattr(type(found), "__get__") and type(found) not in _PLAIN else found
    if issubclass(kind, dict) and _in_class(kind, "__getattr__") is not _MISSING:
        return dict.get(owner, name, _MISSING)  # dictionaries whose entries are attributes
    return _MISSING


def _in_class(kind: type, name: str) -> object:
    for base in type.__dict__["__mro__"].__get__(kind):
        members = type.__dict__["__dict__"].__get__(base)
        if name in members:
            return members[name]
    return _MISSING


def _entry(owner: Any, key: Any) -> object:
    """An entry of a dict or a list."""
    kind = type(owner)
    if type(key) not in (str, int):
        return _MISSING
    if issubclass(kind, dict) and _in_class(kind, "__getitem__") is dict.__getitem__:
        return dict.get(owner, key, _MISSING)
    if kind in (list, tuple) and type(key) is int and -len(owner) <= key < len(owner):
        return owner[key]
    return _MISSING
