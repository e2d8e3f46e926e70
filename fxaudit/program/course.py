"""The course of a program: which statements ran in which call, what their names held, and what they bound.

It was seen as it ran, without calling anything of the user's: a number, a flag, a short text or None stands for itself,
everything else only for what it is and which one it is. Of each statement the first passes are kept.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from fxaudit.program.config_files import SUFFIXES, named_in, put_together_in
from fxaudit.program.source import files_beside, found_beside, is_library

__all__ = ["PASSES", "Course", "Entered", "Plain", "Seen", "Sight"]

PASSES = 8
"""So many passes through a statement are kept."""

Plain = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Seen:
    """What an expression held."""

    kind: str
    """`plain`; or `tensor`, `list`, `dict`, `file`, `pattern`, `callable`, `module`, `object`."""
    value: Plain = None
    """A plain value itself; how many members a list or dict has; the name of a file (also a module's), of a function
    or of a class; the text of a regular expression."""
    token: int = -1
    """Which object it was, where that can be told apart."""
    members: tuple[Plain, ...] | None = None
    """The keys of a small dict, or the members of a small list, where all of them are plain; of a set in any order."""

    def __str__(self) -> str:
        return repr(self.value) if self.kind == "plain" else str(self.value)

    @property
    def is_plain(self) -> bool:
        """Whether the value itself is known."""
        return self.kind == "plain"


@dataclass(slots=True)
class Sight:
    """One pass through a statement, or through the header of a compound one."""

    frame: int
    line: int
    """The first line of the statement."""
    moment: int
    """How many operations were recorded before it."""
    read: dict[str, Seen] = field(default_factory=dict)
    """Expression, as it is written → what it held before the statement ran."""
    bound: dict[str, Seen] = field(default_factory=dict)
    """Target, as it is written → what it held afterwards."""
    owners: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Target that is an attribute or an entry → the object whose it is, and its name or key."""
    index: int = -1


@dataclass(frozen=True, slots=True)
class Entered:
    """A call of a function of the user's; `first_line` is where the function begins, `line` where the caller stood."""

    file: str
    function: str
    first_line: int
    caller: int
    """The frame of the caller; -1 where it was not seen."""
    line: int
    after: int
    """So many sights came before it."""


@dataclass
class Course:
    """All that was seen, in order."""

    frames: list[Entered] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)

    @cached_property
    def _by_line(self) -> dict[tuple[str, int], list[Sight]]:
        found: dict[tuple[str, int], list[Sight]] = {}
        for sight in self.sights:
            found.setdefault((self.frames[sight.frame].file, sight.line), []).append(sight)
        return found

    @cached_property
    def _by_frame(self) -> dict[int, list[Sight]]:
        found: dict[int, list[Sight]] = {}
        for sight in self.sights:
            found.setdefault(sight.frame, []).append(sight)
        return found

    @cached_property
    def _bindings(self) -> dict[tuple[str, int, str], list[Sight]]:
        found: dict[tuple[str, int, str], list[Sight]] = {}
        for sight in self.sights:
            for target in sight.bound:
                owner = sight.owners.get(target)
                key = ("name", sight.frame, target) if owner is None else ("part", *owner)
                found.setdefault(key, []).append(sight)
        return found

    @cached_property
    def _called_from(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, frame in enumerate(self.frames):
            found.setdefault(frame.caller, []).append(number)
        return found

    def files(self) -> list[str]:
        """The files of which something ran, each once."""
        return list(dict.fromkeys(frame.file for frame in self.frames))

    def last_passes(self) -> Iterator[Sight]:
        """The last pass that was kept through each statement."""
        return (sights[-1] for sights in self._by_line.values())

    def file_of(self, sight: Sight) -> str:
        """The file of the statement."""
        return self.frames[sight.frame].file

    def at(self, file: str, line: int) -> list[Sight]:
        """The passes through the statement that begins at `line`."""
        return self._by_line.get((file, line), [])

    def in_frame(self, frame: int) -> list[Sight]:
        """What ran in one call, in order."""
        return self._by_frame.get(frame, [])

    def name_bound(self, frame: int, name: str, before: int) -> Sight | None:
        """The last sight before that number which bound a name in the frame."""
        return _last_before(self._bindings.get(("name", frame, name), ()), before)

    def part_bound(self, owner: int, part: str, before: int) -> Sight | None:
        """The last sight before that number which bound an attribute or an entry of the object."""
        return _last_before(self._bindings.get(("part", owner, part), ()), before) if owner >= 0 else None

    def made(self, token: int) -> Iterator[tuple[Sight, str]]:
        """The sights that bound the object to something, with the target, in order."""
        yield from self._made.get(token, ())

    @cached_property
    def _made(self) -> dict[int, list[tuple[Sight, str]]]:
        found: dict[int, list[tuple[Sight, str]]] = {}
        for sight in self.sights:
            for target, seen in sight.bound.items():
                if seen.token >= 0:
                    found.setdefault(seen.token, []).append((sight, target))
        return found

    def config_files(self, before: int | None = None) -> list[str]:
        """The configuration files that the program has named, before the sight of that number: in a variable, or in
        its text."""
        named = dict.fromkeys(
            seen.value
            for sight in self.sights[:before]
            for seen in (*sight.read.values(), *sight.bound.values())
            if isinstance(seen.value, str) and seen.kind in ("plain", "file") and seen.value.endswith(SUFFIXES)
        )
        for file in self.files():
            for text in named_in(file):
                named |= dict.fromkeys([text] if text not in SUFFIXES else files_beside(file, text))
            named |= dict.fromkeys(self._put_together(file))
        beside = [file for file in self.files() if not is_library(file)]
        found: dict[str, None] = {}
        for file in named:
            found[found_beside([*beside, *found], file)] = None
        return [file for file in found if not any(other.endswith(f"/{file}") for other in found)]

    def _put_together(self, file: str) -> Iterator[str]:
        """The configuration files whose names the program was seen to put together, with the folders that are known."""
        for line, name, before in put_together_in(file):
            for sight in self.at(file, line):
                folders = [text for part in before if (text := _text_of(part, sight)) is not None]
                text = _text_of(name, sight)
                if text is not None and text not in SUFFIXES:
                    yield "/".join([*folders, text])

    def passes_at(self, passes: Iterable[Sight], moment: int) -> list[Sight]:
        """Those of the passes through a statement in which the operation of that moment may have run."""
        return [sight for sight in passes if sight.moment <= moment < self._next_moment(sight)]

    def _next_moment(self, sight: Sight) -> int:
        """How many operations had been recorded when the next statement began."""
        following = sight.index + 1
        return self.sights[following].moment if following < len(self.sights) else sight.moment + 1

    def goes_on_at(self, sight: Sight) -> int:
        """The line of the statement that ran next in the same frame; -1 where that was the last."""
        own = self.in_frame(sight.frame)
        following = own[own.index(sight) + 1 :][:1]
        return following[0].line if following else -1

    def calls_in(self, sight: Sight) -> Iterator[int]:
        """The frames that were entered from the statement while it ran."""
        own = self.in_frame(sight.frame)
        position = own.index(sight)
        following = own[position + 1].index if position + 1 < len(own) else len(self.sights)
        for number in self._called_from.get(sight.frame, ()):
            if sight.index < self.frames[number].after <= following:
                yield number

    def entered_from(self, sight: Sight) -> Iterator[int]:
        """The frames that were entered while the statement ran, however deep."""
        waiting = [*self.calls_in(sight)]
        while waiting:
            number = waiting.pop()
            yield number
            waiting += self._called_from.get(number, ())


def _text_of(node: ast.expr, sight: Sight) -> str | None:
    """The text that an expression was, of one that is written down, named, or put together of such."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=value):
            return _text_of(value, sight)
        case ast.JoinedStr(values=values):
            parts = [_text_of(value, sight) for value in values]
            return None if None in parts else "".join(map(str, parts))
    seen = sight.read.get(ast.unparse(node))
    return seen.value if seen is not None and seen.kind == "plain" and isinstance(seen.value, str) else None


def _last_before(sights: Iterable[Sight], before: int) -> Sight | None:
    listed = list(sights)
    position = bisect_left([sight.index for sight in listed], before)
    return listed[position - 1] if position else None
