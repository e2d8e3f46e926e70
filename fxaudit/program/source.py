"""Source lines: where in whose code something happened.

A stack is kept as an index into a `StackTable`: a tree of `(parent, code object, instruction)` triples, interned, so
that recording a call costs a few dictionary look-ups and lines are only computed for what a report names.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
import inspect
import itertools
import linecache
import os
import site
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, TypeVar

from fxaudit.program.generated import FINDERS, GENERATED, is_generated, origin_of
from fxaudit.program.qualified import qualified_names

__all__ = [
    "PACKAGE",
    "Frame",
    "KeptCode",
    "Moment",
    "SourceLine",
    "StackTable",
    "absolute_path",
    "actual_path",
    "cell_file",
    "cell_name",
    "count_as_own",
    "displayed_path",
    "forget_texts",
    "held_texts",
    "is_library",
    "is_skipped",
    "of_text",
    "portable_path",
    "qualified_name",
    "read_anew",
    "read_source",
    "running_text",
    "working_directory",
    "written_place",
]

Result = TypeVar("Result")

_OF_TEXTS: list[Any] = []
"""The caches of what was read from texts."""
_STAMPS: dict[str, tuple[int, int] | None] = {}
"""File → its size and time of change when it was first read."""

_HELD: list[Mapping[str, str]] = []
"""The texts that are held and read in place of the files, the last ones first of all."""
INSTALLED = "site-packages/"
"""How the portable names of installed files begin."""

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
CONTEXT_LINES = 3
MAX_BESIDE, MAX_FOLDERS = 100, 12
"""So many entries of a folder, and so many folders, are looked at."""


class _Then(threading.local):
    """Of the moments that are over, in which this thread is by `Moment.again`: where the process was, and the lines of
    files that have changed since."""

    def __init__(self) -> None:
        self.moments: list[tuple[str, Mapping[str, list[str]]]] = []


_THEN = _Then()


@functools.cache
def _torch_directory() -> str:
    found = importlib.util.find_spec("torch")
    return os.path.dirname(os.path.abspath(found.origin)) + os.sep if found is not None and found.origin else os.sep * 2


@functools.cache
def _standard_library() -> str:
    return os.path.abspath(sysconfig.get_paths()["stdlib"]) + os.sep


@functools.cache
def _installed_directories() -> tuple[str, ...]:
    found = {sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]}
    found.update(site.getsitepackages() if hasattr(site, "getsitepackages") else [])
    found.add(site.getusersitepackages())
    return tuple(os.path.abspath(path) + os.sep for path in sorted(found))


_OWN: list[str] = []
"""Folders that count as the user's project wherever they lie."""


def count_as_own(folders: Iterable[str | os.PathLike[str]]) -> None:
    """Files in these folders are the user's own from now on, though they are installed."""
    _OWN[:] = [os.path.abspath(folder) + os.sep for folder in folders]
    is_library.cache_clear()
    is_skipped.cache_clear()


@functools.cache
def is_library(file: str) -> bool:
    """Whether `file` belongs to an installed package or the standard library rather than to the user's project."""
    path = absolute_path(file)
    if _OWN and path.startswith(tuple(_OWN)):
        return False
    if path.startswith(_installed_directories()) or f"{os.sep}site-packages{os.sep}" in path:
        return True
    return path.startswith(_standard_library())


@functools.cache
def is_skipped(file: str) -> bool:
    """Whether frames of `file` never count as anybody's line: torch, fxaudit, the standard library, generated code."""
    if file.startswith("<"):
        # Notebook cells and `exec` with a registered source are the user's; `<frozen …>` is not, nor `<string>`: since
        # Python 3.13 it has the lines that `python -c` was given, but all that libraries make from text is called so.
        return file == "<string>" or not (file.startswith("<ipython-input") or linecache.getlines(file))
    path = absolute_path(file)
    if path.startswith((_torch_directory(), PACKAGE)) or os.path.basename(path) == "typing_extensions.py":
        return True  # before Python 3.13 torch's deprecated functions are wrapped there
    return path.startswith(_standard_library()) and not path.startswith(_installed_directories())


def working_directory() -> str:
    """Where the process is; the root where that folder is gone."""
    if _THEN.moments:
        return _THEN.moments[-1][0]
    try:
        return os.getcwd()
    except OSError:
        return os.sep


def absolute_path(file: str) -> str:
    """`os.path.abspath`, also where the working directory is gone."""
    return os.path.normpath(file if os.path.isabs(file) else os.path.join(working_directory(), file))


def displayed_path(file: str) -> str:
    """`file` as reports print it: relative to the working directory or to the package directory it lies under."""
    if _HELD:
        return file.removeprefix(INSTALLED)
    return cell_name(file) or _displayed_from(working_directory(), file)


def cell_name(file: str) -> str:
    """What IPython calls the cell that it keeps under this file name, such as `Cell In[2]`; "" where it knows none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    named = shell.compile.format_code_name(file) if shell is not None else None
    return " ".join(named) if named is not None else ""


CELL = "Cell In["


def cell_file(displayed: str) -> str:
    """The file name under which IPython keeps the cell that `cell_name` calls so; "" where it is no cell."""
    if not displayed.startswith(CELL):
        return ""
    return next((file for file in reversed(list(linecache.cache)) if cell_name(file) == displayed), "")


def written_place(file: str, line: int) -> str:
    """A line of a file, as it is written: `train.py:12`, and of a notebook's cell `Cell In[2], line 8`.

    Example:
        >>> written_place("Cell In[2]", 8)
        'Cell In[2], line 8'
    """
    return f"{file}, line {line}" if file.startswith("Cell In[") else f"{file}:{line}"


def portable_path(file: str) -> str:
    """`file` by a name that means the same on another machine: what is installed stays known as that."""
    if not file or file.startswith("<"):
        return file
    shown = displayed_path(file)
    if is_library(file):
        return INSTALLED + (os.path.basename(file) if os.path.isabs(shown) else shown)
    return os.path.relpath(file).replace(os.sep, "/") if os.path.isabs(shown) else shown


@functools.cache
def _displayed_from(directory: str, file: str) -> str:
    path = absolute_path(file)
    if file.startswith("<"):
        return file
    here = directory + os.sep
    if path.startswith(here) and not is_library(path):
        return path[len(here) :].replace(os.sep, "/")
    for root in _installed_directories():
        if path.startswith(root):
            return path[len(root) :].replace(os.sep, "/")
    return path.replace(os.sep, "/")


def actual_path(displayed: str) -> str:
    """The file that `displayed_path` printed as `displayed`: the inverse, as far as files have not moved."""
    if _HELD:
        installed = INSTALLED + displayed
        return installed if displayed not in _HELD[-1] and installed in _HELD[-1] else displayed
    if displayed.startswith(CELL):
        return cell_file(displayed) or displayed
    if displayed.startswith("<") or os.path.exists(displayed):
        return displayed if displayed.startswith("<") else absolute_path(displayed)
    candidates = (root + displayed for root in _installed_directories())
    return next((path for path in candidates if os.path.exists(path)), displayed)


def variables_of(frame: FrameType) -> dict[str, object]:
    """The local variables of `frame`, without leaving a trace in it.

    Until Python 3.12 a function's frame keeps the snapshot that `f_locals` makes, and every value in it with it; so
    it is emptied again, unless a debugger or the function itself holds it, too.
    """
    snapshot = frame.f_locals
    found = dict(snapshot)
    is_function = bool(frame.f_code.co_flags & inspect.CO_OPTIMIZED)
    if sys.version_info < (3, 13) and is_function and not _is_debugged() and sys.getrefcount(snapshot) <= 3:
        snapshot.clear()
    return found


def _is_debugged() -> bool:
    """Whether somebody traces who may look at the snapshots."""
    trace = sys.gettrace()
    return trace is not None and not is_skipped(getattr(getattr(trace, "__code__", None), "co_filename", ""))


def of_text(function: Callable[[str], Result]) -> Callable[[str], Result]:
    """Keep what `function` reads from the text of a file, until `read_anew` finds the file changed."""
    cached = functools.lru_cache(maxsize=256)(function)
    _OF_TEXTS.append(cached)
    return cached


def read_anew() -> None:
    """Forget what was read from files that have changed since: in a long session they are edited and loaded again."""
    changed = [file for file, stamp in _STAMPS.items() if _stamp(file) != stamp]
    for file in changed:
        del _STAMPS[file]
        linecache.checkcache(file)
    if changed:
        forget_texts()


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def held_texts(texts: Mapping[str, str] | None) -> Iterator[None]:
    """Read from `texts` alone, and from no file, inside the block; None changes nothing."""
    if texts is None:
        yield
        return
    forget_texts()
    _HELD.append(texts)
    try:
        yield
    finally:
        _HELD.pop()
        forget_texts()


class Moment:
    """What files are called and what stands in them now, for somebody who writes about them later.

    Args:
        files: The program's own files that will be written about; those of libraries stay as they are.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._directory = working_directory()
        self._held = _HELD[-1] if _HELD else None
        self._lines: dict[str, tuple[tuple[int, int] | None, list[str]]] = {}
        for file in () if _HELD else files:
            if not file.startswith("<") and not is_library(file):
                if file not in _STAMPS:
                    read_source(file)
                self._lines[file] = (_STAMPS.get(file), linecache.getlines(file))

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Inside, paths are shown and lines read as they were then."""
        changed = {file: lines for file, (stamp, lines) in self._lines.items() if _stamp(file) != stamp}
        _THEN.moments.append((self._directory, changed))
        if changed:
            forget_texts()
        try:
            with held_texts(self._held):
                yield
        finally:
            _THEN.moments.pop()
            if changed:
                forget_texts()


def forget_texts() -> None:
    """Forget what was read from the texts of files: they are others now."""
    for cached in _OF_TEXTS:
        cached.cache_clear()
    _positions.cache_clear()


def files_beside(file: str, suffix: str) -> list[str]:
    """The files with that end in the folder of `file` and in those directly below it, a few at most."""
    if _HELD:
        return [held for held in _HELD[-1] if held.endswith(suffix)]
    found: list[str] = []
    folders = [os.path.dirname(file)]
    for folder in folders:
        try:
            with os.scandir(folder) as scanned:
                entries = sorted(itertools.islice(scanned, MAX_BESIDE), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith(suffix):
                found.append(entry.path)
            elif len(folders) < MAX_FOLDERS and folder == folders[0] and entry.is_dir() and entry.name.isidentifier():
                folders.append(entry.path)
    return found


def found_beside(files: Iterable[str], named: str) -> str:
    """The file that a program calls by a relative name: from the working directory, or from the folder of one of its
    own `files`, as by `Path(__file__).parent`; the name itself where there is none."""
    if os.path.isabs(named) or (named in _HELD[-1] if _HELD else os.path.exists(named)):
        return named
    for file in files:
        near = [f"{folder}/{named}" for folder in (os.path.dirname(file), os.path.dirname(os.path.dirname(file)))]
        there = [path for path in near if (path in _HELD[-1] if _HELD else os.path.exists(path))]
        there = there or [p for p in files_beside(file, os.path.basename(named)) if p.endswith(f"/{named}")]
        if there:
            return there[0]
    return named


def read_source(file: str) -> list[str]:
    """The lines of `file` as Python sees them, without line ends; empty when it cannot be read."""
    if _HELD:
        return _HELD[-1].get(file, "").split("\n") if file in _HELD[-1] else []
    if _THEN.moments and file in _THEN.moments[-1][1]:
        return [line.rstrip("\r\n") for line in _THEN.moments[-1][1][file]]
    if file not in _STAMPS and not file.startswith("<"):
        _STAMPS[file] = _stamp(file)
        linecache.checkcache(file)  # another module may have read an older text of it
    return [line.rstrip("\r\n") for line in linecache.getlines(file)]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame above a source line: `file`, `line` (1-based) and the function's qualified name."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{written_place(self.file, self.line)} in {self.function}"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of somebody's code, with the frames above it, innermost caller first, up to the user's own project.

    `columns` is the half-open range of characters to underline, where the interpreter knows it; `context` holds the
    neighbouring lines as `(line, text)`, so that a saved report can show them without the file.
    """

    file: str
    line: int
    function: str
    code: str
    frames: tuple[Frame, ...] = ()
    columns: tuple[int, int] | None = None
    context: tuple[tuple[int, str], ...] = ()
    library: bool = False

    def __str__(self) -> str:
        return written_place(self.file, self.line)

    @classmethod
    def at(
        cls,
        file: str,
        line: int,
        function: str = "",
        frames: tuple[Frame, ...] = (),
        columns: tuple[int, int] | None = None,
    ) -> SourceLine:
        """The line `line` of the file `file`, its text and neighbours read from disk."""
        lines = read_source(file)
        code = lines[line - 1] if 0 < line <= len(lines) else ""
        first = max(1, line - CONTEXT_LINES)
        last = min(len(lines), line + CONTEXT_LINES)
        context = tuple((number, lines[number - 1]) for number in range(first, last + 1))
        return cls(displayed_path(file), line, function, code.strip(), frames, columns, context, is_library(file))

    def brief(self) -> SourceLine:
        """The line without what stands around it: pictures show no more of it, and there are thousands."""
        return SourceLine(self.file, self.line, self.function, self.code, library=self.library)


Positions = tuple[int, int, int | None, int | None]
"""(line, last line, first column, last column)."""


@dataclass(frozen=True, eq=False, slots=True)
class KeptCode:
    """What is asked of a code object, kept without it."""

    co_filename: str
    co_name: str
    co_qualname: str
    co_firstlineno: int
    positions: dict[int, Positions]
    """The instructions that are asked about."""


@functools.cache
def _positions(code: CodeType | KeptCode, lasti: int) -> Positions:
    """Where the instruction at byte offset `lasti` stands."""
    if isinstance(code, KeptCode):
        return code.positions[lasti]
    first = code.co_firstlineno
    if lasti < 0:
        line = _decorator_line(code) if lasti == -1 else first
        return line, line, None, None
    if sys.version_info >= (3, 11):
        found = next(itertools.islice(code.co_positions(), lasti // 2, None), None)
        if found is not None and found[0] is not None:
            return found[0], found[1] or found[0], found[2], found[3]
    for start, end, number in code.co_lines():
        if start <= lasti < end and number is not None:
            return number, number, None, None
    return first, first, None, None


def _characters(file: str, line: int, start: int, end: int) -> tuple[int, int]:
    """The columns `start` and `end`, which the interpreter counts in bytes of UTF-8, in characters."""
    lines = read_source(file)
    if not 0 < line <= len(lines):
        return start, end
    text = lines[line - 1].encode("utf-8", "surrogatepass")
    return len(text[:start].decode(errors="replace")), len(text[:end].decode(errors="replace"))


def running_text(code: CodeType, lasti: int) -> str:
    """The text of the expression that the instruction at `lasti` evaluates; before Python 3.11 of its line."""
    line, last, start, end = _positions(code, lasti)
    lines = read_source(code.co_filename)[line - 1 : last]
    if start is not None and end is not None and lines:
        first, behind = (
            _characters(code.co_filename, line, start, start)[0],
            _characters(code.co_filename, last, end, end)[0],
        )
        lines[-1] = lines[-1][:behind]
        lines[0] = lines[0][first:]
    return "\n".join(lines)


@dataclass
class StackTable:
    """Interned call stacks. Index -1 is the empty stack; every other index names a frame and its callers."""

    parents: list[int] = field(default_factory=list)
    codes: list[CodeType | KeptCode] = field(default_factory=list)
    lasti: list[int] = field(default_factory=list)
    outermost: set[CodeType] = field(default_factory=set)
    """Frames that run these, and all above them, belong to whoever runs the user's program."""
    _interned: dict[tuple[int, CodeType | KeptCode, int], int] = field(default_factory=dict)
    _skip: dict[CodeType, bool] = field(default_factory=dict)
    _kinds: dict[int, tuple[int, CodeType]] = field(default_factory=dict)
    """`id` of a code object → whether its frames are kept (0), skipped (1) or outermost (2); hashing the object itself
    would take longer than all the rest."""
    _quick: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """The same as `_interned`, by the code's `id`."""
    _sources: dict[int, SourceLine] = field(default_factory=dict)
    _unseen: dict[tuple[str, int, str, int], KeptCode] = field(default_factory=dict)
    """What stands for the code of lines that were not seen running."""

    def skips(self, code: CodeType) -> bool:
        """Whether frames running `code` never count as anybody's line."""
        known = self._skip.get(code)
        if known is None:
            known = self._skip[code] = is_skipped(code.co_filename)
        return known

    def from_frame(self, frame: FrameType | None, below: CodeType | None = None, base: int = -1) -> int:
        """The index of the stack that ends in `frame`; a frame that runs `below` is taken to be called from `base`."""
        kept: list[tuple[int, int]] = []
        kinds, quick = self._kinds, self._quick
        while frame is not None:
            code = frame.f_code
            if code is below:
                break
            known = kinds.get(id(code))
            kind = self._kind(code, frame) if known is None else known[0]
            if kind == 2:
                base = -1
                break
            if kind == 0:
                kept.append((id(code), frame.f_lasti))
            frame = frame.f_back
        else:
            base = -1
        for number, lasti in reversed(kept):
            index = quick.get((base, number, lasti))
            if index is None:
                index = quick[base, number, lasti] = self._intern(base, kinds[number][1], lasti)
            base = index
        return base

    def place(self, frame: FrameType | None, below: CodeType | None) -> tuple[int, int]:
        """(`id` of the code, instruction) of the innermost frame that is kept, up to one that runs `below`."""
        kinds = self._kinds
        while frame is not None:
            code = frame.f_code
            if code is below:
                break
            known = kinds.get(id(code))
            if (self._kind(code, frame) if known is None else known[0]) == 0:
                return id(code), frame.f_lasti
            frame = frame.f_back
        return 0, 0

    def _kind(self, code: CodeType, frame: FrameType) -> int:
        if code.co_filename.startswith(GENERATED) and not is_generated(code.co_filename):
            owner = variables_of(frame).get("self")
            for find in FINDERS:
                find(owner)
        kind = 2 if code in self.outermost else int(self.skips(code))
        self._kinds[id(code)] = (kind, code)
        return kind

    def _intern(self, base: int, code: CodeType | KeptCode, lasti: int) -> int:
        if lasti >= 0 and is_generated(code.co_filename):
            places = origin_of(code.co_filename, _positions(code, lasti)[0])
            for place in places:
                base = self.at(place.file, place.line, place.function, base=base)
            if places:
                return base
        key = (base, code, lasti)
        index = self._interned.get(key)
        if index is None:
            index = self._interned[key] = len(self.codes)
            self.parents.append(base)
            self.codes.append(code)
            self.lasti.append(lasti)
        return index

    def definition(self, code: CodeType, base: int) -> int:
        """The stack of the decorators over the function `code` describes, called from `base`."""
        return self._intern(base, code, -1)

    def at(self, file: str, line: int, function: str, column: int = -1, base: int = -1) -> int:
        """A stack for a line that was not seen running, called from `base`; `column` is where its expression begins."""
        place = (file, line, function, column)
        if place not in self._unseen:
            start = column if column >= 0 else None
            self._unseen[place] = KeptCode(file, function, function, line, {-2: (line, line, start, None)})
        return self._intern(base, self._unseen[place], -2)

    def chain(self, index: int) -> list[int]:
        """The frames of stack `index`, innermost first."""
        found = []
        while index >= 0:
            found.append(index)
            index = self.parents[index]
        return found

    def places(self, index: int) -> list[tuple[str, int]]:
        """(file, line) of the frame and of its callers."""
        return [(self.file(frame), self.line(frame)) for frame in self.chain(index)]

    def line(self, index: int) -> int:
        """The 1-based line number of the innermost frame."""
        return _positions(self.codes[index], self.lasti[index])[0]

    def column(self, index: int) -> int:
        """Where the innermost frame's expression begins on its line, in bytes of UTF-8; -1 where nobody knows."""
        start = _positions(self.codes[index], self.lasti[index])[2]
        return -1 if start is None else start

    def file(self, index: int) -> str:
        """The file of the innermost frame, as its code object names it."""
        return self.codes[index].co_filename

    def function(self, index: int) -> str:
        """The qualified name of the innermost frame's function."""
        return _function(self.codes[index])

    def kept(self) -> StackTable:
        """The same stacks without any code object."""
        known: dict[int, KeptCode] = {}
        codes = []
        for code, lasti in zip(self.codes, self.lasti, strict=True):
            if id(code) not in known:
                name = qualified_name(code)
                known[id(code)] = KeptCode(code.co_filename, code.co_name, name, code.co_firstlineno, {})
            codes.append(known[id(code)])
            codes[-1].positions[lasti] = _positions(code, lasti)
        return StackTable(list(self.parents), [*codes], list(self.lasti))

    def lines_seen(self) -> dict[str, set[int]]:
        """Every line that stands in some recorded stack, by file: lines that certainly ran."""
        seen: dict[str, set[int]] = {}
        for index in range(len(self.codes)):
            seen.setdefault(self.file(index), set()).add(self.line(index))
        return seen

    def source(self, index: int) -> SourceLine | None:
        """Stack `index` as a `SourceLine`, or None for the empty stack."""
        if index < 0:
            return None
        known = self._sources.get(index)
        if known is None:
            code = self.codes[index]
            line, last, start, end = _positions(code, self.lasti[index])
            columns = None
            if start is not None and end is not None and line == last:
                columns = _characters(code.co_filename, line, start, end)
            callers = self.chain(index)[1:]
            # The outermost started the user's program: the command line, pytest, a launcher. Of a public model that is
            # traced all frames are a library's, and they are the program.
            if not all(is_library(self.codes[each].co_filename) for each in (index, *callers)):
                while callers and is_library(self.codes[callers[-1]].co_filename):
                    callers.pop()
            frames = []
            for above in callers:
                where = self.codes[above]
                frames.append(Frame(displayed_path(where.co_filename), self.line(above), _function(where)))
            known = SourceLine.at(code.co_filename, line, _function(code), tuple(frames), columns)
            self._sources[index] = known
        return known


def _decorator_line(code: CodeType | KeptCode) -> int:
    """The line of the decorator that switches gradients off; the first decorator where none says so."""
    lines = read_source(code.co_filename)
    for line in range(code.co_firstlineno, min(code.co_firstlineno + 20, len(lines)) + 1):
        text = lines[line - 1].strip()
        if text.startswith("@") and any(word in text for word in ("no_grad", "inference_mode", "set_grad_enabled")):
            return line
        if text.startswith(("def ", "async def ", "class ")):
            break
    return code.co_firstlineno


def qualified_name(code: CodeType | KeptCode) -> str:
    """What the function is called in full. Before Python 3.11 that is read from the text, and a library's has its short
    name only."""
    known: str | None = getattr(code, "co_qualname", None)
    if known is not None:
        return known
    names = {} if is_library(code.co_filename) else _qualified_names(code.co_filename)
    return names.get((code.co_firstlineno, code.co_name), code.co_name)


@of_text
def _qualified_names(file: str) -> dict[tuple[int, str], str]:
    try:
        return qualified_names(ast.parse("\n".join(read_source(file)) + "\n"))
    except (SyntaxError, ValueError, RecursionError):
        return {}


def _function(code: CodeType | KeptCode) -> str:
    return qualified_name(code).replace("<locals>.", "")
