"""Where what two configuration files say is put together."""

from __future__ import annotations

import os

from fxaudit.program.course import Course, Seen, Sight

__all__ = ["merged_at"]


def merged_at(course: Course, one: str, other: str) -> Sight | None:
    """The pass of the statement that first has what was read from both files: it is given the one, and the other as
    well, or calls what reads that."""
    first, second = (_read_from(course, file) for file in (one, other))
    for sight in course.sights if first and second else ():
        held = {seen.token for seen in sight.read.values()}
        if held.isdisjoint(first):
            continue
        if not held.isdisjoint(second) or any(_binds(course, frame, second) for frame in course.entered_from(sight)):
            return sight
    return None


def _read_from(course: Course, file: str) -> set[int]:
    """The dictionaries that were made in statements which were given the file."""
    found: set[int] = set()
    for sight in course.sights:
        if any(_is(seen, file) for seen in sight.read.values()):
            found |= {seen.token for seen in sight.bound.values() if seen.kind == "dict"}
    return found - {-1}


def _is(seen: Seen, file: str) -> bool:
    if seen.kind not in ("file", "plain") or not isinstance(seen.value, str) or not seen.value:
        return False
    named, known = os.path.normpath(seen.value), os.path.normpath(file)
    return named == known or known.endswith(f"/{named}") or named.endswith(f"/{known}")


def _binds(course: Course, frame: int, tokens: set[int]) -> bool:
    return any(seen.token in tokens for sight in course.in_frame(frame) for seen in sight.bound.values())
