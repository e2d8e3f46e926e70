"""Writing down the course of the user's program, as Python tells of its lines.

Nothing of the user's is called: attributes are read from the dictionaries that hold them, entries only of dicts and
lists, and no `repr`, no `==` and no hook of an object, of its class or of its class's class is asked. Objects are told
apart without being kept alive. An error of fxaudit's own ends the course, and never the program.
"""

from __future__ import annotations

import collections
import dis
import functools
import inspect
import io
import pathlib
import re
import sys
import types
import weakref
from collections.abc import Iterable, Mapping
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.attempts import note
from fxaudit.program.course import PASSES, Course, Entered, Plain, Seen, Sight
from fxaudit.program.plain import INNER, Chain, Reading, readings
from fxaudit.program.source import qualified_name, variables_of

if TYPE_CHECKING:
    from fxaudit.capture.inlined import Inlined
    from fxaudit.capture.recording import Record

__all__ = ["CourseWriter"]

CALLS = 24
"""So many calls of a function."""
MAX_SIGHTS = 30_000
MAX_TEXT = 240
MAX_BITS = 62
MAX_MEMBERS = 32
"""The members of a larger list, and the keys of a larger dictionary, are not written down."""
MAX_KEYS = 4096
"""An entry of a larger dictionary is not looked up."""

_MISSING = object()


def _ids(*kinds: type) -> frozenset[int]:
    """Classes told by identity: `in` would ask a class's own class whether it is equal."""
    return frozenset(map(id, kinds))


_PLAIN = _ids(bool, int, float, str, type(None))
_KEYS = _ids(str, int)
_LISTS = _ids(list, tuple, set, frozenset)
_FUNCTIONS = _ids(types.FunctionType, types.BuiltinFunctionType)
_PATHS = _ids(pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath)
_BUFFERS = _ids(io.BufferedReader, io.BufferedWriter, io.BufferedRandom)
_ORDINARY = frozenset(
    id(kind.__getattribute__)
    for kind in (
        object,
        types.ModuleType,
        types.SimpleNamespace,
        dict,
        list,
        tuple,
        set,
        str,
        int,
        float,
        BaseException,
    )
)
_FIELD_OF_TUPLE: Any = type(vars(collections.namedtuple("_Sample", "field"))["field"])
_NAME_OF_CLASS = type.__dict__["__qualname__"]
_SUSPENDING = 0x20 | 0x80 | 0x200
"""The flags of the code of generators, coroutines and asynchronous generators."""


class _Which(weakref.ref[Any]):
    """A weak reference of ours: plain ones are shared with everybody who asks for one."""

    __slots__ = ()


class CourseWriter:
    """The course between `start` and `stop` of the lines that are heard."""

    def __init__(self, record: Record) -> None:
        self.course = Course()
        self._record = weakref.proxy(record)  # which has this course
        self._frames: dict[int, tuple[CodeType, int]] = {}
        """`id` of a frame that runs → its code and its number."""
        self._calls: dict[object, int] = {}
        """`id` of a code object (and the first instruction of a comprehension in it) → how many of its calls were
        noted."""
        self.open: dict[int, tuple[Sight, Reading]] = {}
        """`id` of a frame → the pass that has not been left yet."""
        self._inside: dict[int, dict[Inlined, int]] = {}
        """`id` of a frame → the comprehensions that run in it, and the number of the call that each stands for."""
        self._open_inside: dict[int, dict[Inlined, tuple[Sight, Reading]]] = {}
        self._starts: dict[int, int] = {}
        """`id` of the code of a generator → where its first resumption stands."""
        self._tokens: dict[int, tuple[_Which, bool, int]] = {}
        """`id` of an object → a reference to it, or to its class; whether it is to itself; its number."""
        self._next = 0
        self.is_over = False
        """Whether writing has failed, so that no more is written."""
        self.notes: list[str] = []

    def wanted(self, code: CodeType) -> dict[int, int]:
        """Line → how many passes through the statement that begins there are still to be kept."""
        first, last = code.co_firstlineno, max((line or 0 for _, _, line in code.co_lines()), default=0)
        known = readings(code.co_filename)
        return dict.fromkeys(known.lines_between(first, last, inner=code.co_name in INNER), PASSES)

    def references_to(self, thing: object) -> list[weakref.ref[Any]]:
        """The weak references that are held to it."""
        known = self._tokens.get(id(thing))
        return [known[0]] if known is not None and known[1] and known[0]() is thing else []

    def release(self) -> None:
        """Hold no reference to anything of the program's any more."""
        self._tokens.clear()
        self._frames.clear()
        self._inside.clear()
        self._open_inside.clear()
        self.open.clear()

    def failed(self, error: Exception) -> None:
        """Write no more: what was written stands."""
        self.is_over = True
        self.open.clear()
        self._open_inside.clear()
        note("the course of the program", error, self.notes)

    @property
    def is_done(self) -> bool:
        """Whether nothing more will be written."""
        return self.is_over or len(self.course.sights) >= MAX_SIGHTS

    def knows(self, frame: FrameType) -> bool:
        """Whether the call was noted that the frame stands for."""
        known = self._frames.get(id(frame))
        return known is not None and known[0] is frame.f_code

    def has_all_calls(self, code: CodeType) -> bool:
        """Whether no further call of the function will be noted."""
        return self.is_done or self._calls.get(id(code), 0) >= CALLS

    def has_running(self, code: CodeType) -> bool:
        """Whether a call of the function was noted that has not ended."""
        return any(known is code for known, _ in self._frames.values())

    def has_open(self, code: CodeType) -> bool:
        """Whether a statement of the function has begun that has not been left yet."""
        return any(self._frames[key][0] is code for key in self.open if key in self._frames)

    def forget_suspended(self, code: CodeType) -> None:
        """Forget the calls of a generator: Python does not tell of the end of one that nobody asks any more."""
        if code.co_flags & _SUSPENDING:
            for key in [key for key, (known, _) in self._frames.items() if known is code]:
                self._forget(key)

    def places(self, frame: FrameType | None) -> dict[int, int]:
        """`id` of each noted frame from `frame` upwards → the instruction that it is at."""
        found = {}
        while frame is not None:
            if self.knows(frame):
                found[id(frame)] = frame.f_lasti
            frame = frame.f_back
        return found

    def keep_only(self, keys: set[int]) -> None:
        """Forget the calls of all other frames."""
        for key in self._frames.keys() - keys:
            self._forget(key)

    def _forget(self, key: int) -> None:
        self._frames.pop(key, None)
        self.open.pop(key, None)
        self._inside.pop(key, None)
        self._open_inside.pop(key, None)

    def goes_on(self, frame: FrameType) -> bool:
        """Whether the frame is that of a generator which was noted when it began."""
        code = frame.f_code
        return bool(code.co_flags & _SUSPENDING) and self.knows(frame) and not self._begins(frame)

    def _begins(self, frame: FrameType) -> bool:
        """Whether a generator begins, in the place in memory of one that has ended."""
        code = frame.f_code
        start = self._starts.get(id(code))
        if start is None:
            resumptions = (step.offset for step in dis.get_instructions(code) if step.opname == "RESUME")
            start = self._starts[id(code)] = next(resumptions, -1)
        return frame.f_lasti == start

    def enter(self, frame: FrameType, caller: FrameType | None) -> None:
        """Note that a function of the user's begins."""
        code = frame.f_code
        for known in (self._frames, self._inside, self._open_inside):
            known.pop(id(frame), None)
        if not self._counts(id(code)):
            return
        name = qualified_name(code)
        number = self._add_call(code.co_filename, name, code.co_firstlineno, caller)
        self._frames[id(frame)] = (code, number)

    def enter_inside(self, frame: FrameType, one: Inlined) -> bool:
        """Note that a comprehension begins, which is no call of its own; False where no more are kept."""
        self._inside.get(id(frame), {}).pop(one, None)
        code = frame.f_code
        if not self._counts((id(code), one.first)):
            return False
        outer = qualified_name(code)
        name = f"{outer}.<locals>.{one.name}" if outer != "<module>" else one.name
        number = self._add_call(code.co_filename, name, one.line, frame)
        self._inside.setdefault(id(frame), {})[one] = number
        return True

    def _counts(self, which: object) -> bool:
        """Whether one more call of it is kept."""
        count = self._calls.get(which, 0)
        if count >= CALLS or len(self.course.sights) >= MAX_SIGHTS:
            return False
        self._calls[which] = count + 1
        return True

    def _add_call(self, file: str, name: str, first_line: int, caller: FrameType | None) -> int:
        """The number of the call; only what has a number already can be its caller."""
        above, line = self._noted(caller)
        number = len(self.course.frames)
        self.course.frames.append(Entered(file, name, first_line, above, line, len(self.course.sights)))
        return number

    def _noted(self, frame: FrameType | None) -> tuple[int, int]:
        """The number and the line of the innermost noted frame from `frame` upwards."""
        for _ in range(60):
            if frame is None:
                break
            if id(frame) in self._inside:
                place = frame.f_lasti
                for one, number in reversed(self._inside[id(frame)].items()):
                    if one.code is frame.f_code and one.first < place <= one.last:
                        return number, frame.f_lineno
            if self.knows(frame):
                return self._frames[id(frame)][1], frame.f_lineno
            frame = frame.f_back
        return -1, 0

    def left(self, frame: FrameType) -> None:
        """Note that a call ends, or a generator waits."""
        self._close(frame)
        if not frame.f_code.co_flags & _SUSPENDING:
            self._forget(id(frame))

    def ended(self, frame: FrameType) -> None:
        """Note that a call ends for good."""
        self._close(frame)
        self._forget(id(frame))

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
        _count_down(wanted, line)
        if not self.knows(frame) or len(self.course.sights) >= MAX_SIGHTS:
            return
        looked_at = readings(frame.f_code.co_filename)
        reading = looked_at.inner(line) if frame.f_code.co_name in INNER else looked_at.at(line)
        sight = self._look(frame, self._frames[id(frame)][1], line, reading)
        if reading.bound or reading.end > line:
            self.open[id(frame)] = (sight, reading)

    def passes_inside(self, frame: FrameType, one: Inlined, line: int, wanted: dict[int, int]) -> None:
        """Note that the element of a comprehension that is no call of its own, or one of its tests, is computed."""
        self._close_inside(frame, one)
        number = self._inside.get(id(frame), {}).get(one)
        if line not in wanted:
            return
        _count_down(wanted, line)
        if number is None or len(self.course.sights) >= MAX_SIGHTS:
            return
        reading = readings(frame.f_code.co_filename).inner(line)
        sight = self._look(frame, number, line, reading)
        if reading.bound:
            self._open_inside.setdefault(id(frame), {})[one] = (sight, reading)

    def _look(self, frame: FrameType, number: int, line: int, reading: Reading) -> Sight:
        """Write down what is held before the statement runs."""
        variables, outer = _variables(frame), frame.f_globals
        sight = Sight(number, line, self._record.time, index=len(self.course.sights))
        for chain in reading.reads:
            value = _held(chain, variables, outer)
            if value is not _MISSING:
                sight.read[chain.text] = self._seen(value)
        self.course.sights.append(sight)
        return sight

    def _close(self, frame: FrameType) -> None:
        for one in [*self._open_inside.get(id(frame), ())]:
            self._close_inside(frame, one)
        pending = self.open.pop(id(frame), None)
        if pending is not None:
            self._bind(frame, *pending)

    def _close_inside(self, frame: FrameType, one: Inlined) -> None:
        pending = self._open_inside.get(id(frame), {}).pop(one, None)
        if pending is not None:
            self._bind(frame, *pending)

    def _bind(self, frame: FrameType, sight: Sight, reading: Reading) -> None:
        """Write down what the statement has bound."""
        variables, outer = _variables(frame), frame.f_globals
        for chain in reading.bound:
            value = _held(chain, variables, outer)
            if value is _MISSING:
                continue
            sight.bound[chain.text] = self._seen(value)
            if chain.steps:
                owner = _held(Chain("", chain.name, chain.steps[:-1]), variables, outer)
                kind, key = chain.steps[-1]
                if kind == "index":
                    key = _variable(key, variables, outer)  # type: ignore[arg-type]
                part = str(key) if id(type(key)) in _KEYS else ""
                sight.owners[chain.text] = (self._token(owner), part)

    def _seen(self, value: Any) -> Seen:
        kind = type(value)
        if id(kind) in _PLAIN:
            if (kind is str and len(value) > MAX_TEXT) or (kind is int and value.bit_length() > MAX_BITS):
                return Seen("object", kind.__name__)
            return Seen("plain", value)
        if kind is types.ModuleType:
            file = vars(value).get("__file__")
            return Seen("module", file if type(file) is str else "")
        if kind is io.TextIOWrapper or kind is io.BufferedReader:
            return Seen("file", _name_of_file(value))
        if id(kind) in _PATHS:
            return Seen("file", str(value))
        if kind is re.Pattern and type(value.pattern) is str and len(value.pattern) <= MAX_TEXT:
            return Seen("pattern", value.pattern, self._token(value))
        return self._which(value, kind)

    def _which(self, value: Any, kind: type) -> Seen:
        token = self._token(value)
        if issubclass(kind, torch.Tensor):
            return Seen("tensor", None, token)
        if id(kind) in _LISTS:
            return Seen("list", len(value), token, _members(value, len(value)))
        if issubclass(kind, dict):
            size = dict.__len__(value)
            return Seen("dict", size, token, _members(dict.__iter__(value), size))
        if kind is types.MethodType or kind is type or id(kind) in _FUNCTIONS:
            return Seen("callable", _name_of_callable(value), token)
        keys = vars(value).get(_KEYED[id(kind)]) if id(kind) in _KEYED else None
        members = _members(keys, len(keys)) if keys is not None else None
        return Seen("object", _NAME_OF_CLASS.__get__(kind), token, members)

    def _token(self, value: object) -> int:
        """A number for the object; the memory of one that is gone may be another's by now."""
        kind = type(value)
        if id(kind) in _PLAIN:
            return -1
        known = self._tokens.get(id(value))
        if known is not None and known[0]() is (value if known[1] else kind):
            return known[2]
        try:
            kept, is_its_own = _Which(value), True
        except TypeError:
            kept, is_its_own = _Which(kind), False
        self._next += 1
        self._tokens[id(value)] = (kept, is_its_own, self._next)
        return self._next


_KEYED = {id(torch.nn.ModuleDict): "_modules", id(torch.nn.ParameterDict): "_keys"}
"""Torch's own dictionaries → the attribute that has their keys."""


def _members(members: Iterable[object], size: int) -> tuple[Plain, ...] | None:
    """The members, where there are few and all of them are plain and short."""
    if size > MAX_MEMBERS:
        return None
    found: list[Any] = []
    for member in members:
        kind = type(member)
        is_short = kind is not str or len(member) <= MAX_TEXT  # type: ignore[arg-type]
        if id(kind) not in _PLAIN or not is_short or (kind is int and member.bit_length() > MAX_BITS):  # type: ignore[attr-defined]
            return None
        found.append(member)
    return tuple(found)


def _count_down(wanted: dict[int, int], line: int) -> None:
    left = wanted[line] - 1
    if left:
        wanted[line] = left
    else:
        del wanted[line]


_VIEW: type = type((lambda: sys._getframe().f_locals)())
"""What shows the variables of a function: until Python 3.12 a dictionary, then a view that no value is kept by."""


def _variables(frame: FrameType) -> Mapping[str, object]:
    """The variables of a frame; none where a class of the user's holds them.

    On Python 3.12 no tracer takes care of the copy that the frame keeps, and of the values in it.
    """
    if sys.version_info[:2] == (3, 12) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        return variables_of(frame)
    found: Any = frame.f_locals
    return found if type(found) is _VIEW or issubclass(type(found), dict) else {}


def _variable(name: str, variables: Mapping[str, object], outer: dict[str, object]) -> object:
    get: Any = variables.get if type(variables) is _VIEW else functools.partial(dict.get, variables)
    found = get(name, _MISSING)
    return dict.get(outer, name, _MISSING) if found is _MISSING else found


def _name_of_file(file: Any) -> str:
    """The name of a file of Python's own; nothing where a stream of the user's stands behind it, or none any more."""
    try:
        buffer = file.buffer if type(file) is io.TextIOWrapper else file
        raw = buffer.raw if id(type(buffer)) in _BUFFERS else None
        name = raw.name if type(raw) is io.FileIO else ""
    except (ValueError, AttributeError):
        return ""
    return name if type(name) is str else ""


def _name_of_callable(value: Any) -> str:
    while type(value) is types.MethodType:
        value = value.__func__
    is_known = type(value) is type or id(type(value)) in _FUNCTIONS
    name = value.__qualname__ if is_known else ""
    return name if type(name) is str else ""


def _held(chain: Chain, variables: Mapping[str, object], outer: dict[str, object]) -> object:
    """What the chain holds; `_MISSING` where it cannot be had without calling something."""
    value = _variable(chain.name, variables, outer)
    for kind, key in chain.steps:
        if value is _MISSING:
            return _MISSING
        if kind == "attribute":
            value = _attribute(value, key)  # type: ignore[arg-type]
            continue
        if kind == "index":
            key = _variable(key, variables, outer)  # type: ignore[arg-type]
        value = _entry(value, key)
    return value


def _attribute(owner: Any, name: str) -> object:
    """An attribute, as far as it stands in the object's own dictionary or in its class."""
    kind = type(owner)
    if issubclass(kind, torch.Tensor) or id(kind) in _PLAIN:
        return _MISSING
    if issubclass(kind, type):
        return _in_class(owner, name)
    if id(_in_class(kind, "__getattribute__")) not in _ORDINARY:
        return _MISSING
    found: Any = _in_class(kind, name)
    if type(found) is types.MemberDescriptorType or (type(found) is _FIELD_OF_TUPLE and issubclass(kind, tuple)):
        try:
            return found.__get__(owner, kind)
        except AttributeError:
            return _MISSING
    if type(found) is property or _in_class(type(found), "__set__") is not _MISSING:
        return _MISSING
    own = _own_dictionary(owner, kind)
    if own is not None:
        for members in (own, *(dict.get(own, part) for part in ("_modules", "_parameters", "_buffers"))):
            value: object = _MISSING
            if issubclass(type(members), dict):
                value = dict.get(members, name, _MISSING)  # type: ignore[call-overload]
            if value is not _MISSING:
                return value
    if found is not _MISSING:
        is_plain = id(type(found)) in _PLAIN
        return found if is_plain or _in_class(type(found), "__get__") is _MISSING else _MISSING
    if issubclass(kind, dict) and _in_class(kind, "__getattr__") is not _MISSING:
        return _entry(owner, name)  # dictionaries whose entries are attributes
    return _MISSING


def _own_dictionary(owner: object, kind: type) -> dict[str, object] | None:
    """The attributes of the object itself, where no property of the user's is in their place."""
    asked = type(_in_class(kind, "__dict__"))
    if asked is not types.GetSetDescriptorType and asked is not types.MemberDescriptorType:
        return None
    try:
        own = object.__getattribute__(owner, "__dict__")
    except AttributeError:
        return None
    return own if type(own) is dict else None


def _in_class(kind: type, name: str) -> object:
    for base in type.__dict__["__mro__"].__get__(kind):
        members = type.__dict__["__dict__"].__get__(base)
        if name in members:
            return members[name]
    return _MISSING


def _entry(owner: Any, key: Any) -> object:
    """An entry of a dict or a list."""
    kind = type(owner)
    if id(type(key)) not in _KEYS:
        return _MISSING
    if issubclass(kind, dict) and _in_class(kind, "__getitem__") is dict.__getitem__:
        return dict.get(owner, key, _MISSING) if _has_plain_keys(owner) else _MISSING
    if (kind is list or kind is tuple) and type(key) is int and -len(owner) <= key < len(owner):
        return owner[key]
    return _MISSING


def _has_plain_keys(owner: dict[object, object]) -> bool:
    """Whether looking one up asks none of the user's keys whether it is equal."""
    return dict.__len__(owner) <= MAX_KEYS and set(map(id, map(type, dict.keys(owner)))) <= _PLAIN
