"""Code that a program generated, such as the forward of a `torch.fx.GraphModule`: the lines that it was made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["FINDERS", "GENERATED", "Place", "is_generated", "note_generated", "origin_of", "places_in"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, and the function that it stands in."""

    file: str
    line: int
    function: str


GENERATED = "<eval_with_key>"
"""How the files begin that `torch.fx` calls its code by."""
_ORIGINS: dict[str, Mapping[int, tuple[Place, ...]]] = {}
"""File → line → the stack that its code was made from, outermost first. Such files bear a new name each time."""
FINDERS: list[Callable[[object], None]] = []
"""Each is given the object whose method is generated code, and notes what it knows of it."""
_FRAME = re.compile(r'\s*File "(.+)", line (\d+), in (.+?)\s*$')


def note_generated(file: str, lines: Mapping[int, tuple[Place, ...]]) -> None:
    """Note what the lines of the generated code `file` were made from."""
    _ORIGINS[file] = lines


def is_generated(file: str) -> bool:
    """Whether something is known of the lines of `file`."""
    return file in _ORIGINS


def origin_of(file: str, line: int) -> Sequence[Place]:
    """The stack that a line of generated code was made from, outermost first; empty where nobody knows."""
    return _ORIGINS.get(file, {}).get(line, ())


def places_in(stack_trace: str) -> tuple[Place, ...]:
    """The frames of a stack as Python writes it."""
    found = (_FRAME.match(line) for line in stack_trace.splitlines())
    return tuple(Place(one[1], int(one[2]), one[3]) for one in found if one is not None)
