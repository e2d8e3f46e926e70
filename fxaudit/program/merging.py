"""Where what two configuration files say is put together."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass

from fxaudit.program.config_files import block_around, blocks_of_key, keys_of_file
from fxaudit.program.course import Course, Seen, Sight
from fxaudit.program.given import calls_in
from fxaudit.program.plain import readings

__all__ = ["ReplacedBlock", "merged_at", "merged_over", "replaced_block"]


@dataclass(frozen=True, slots=True)
class ReplacedBlock:
    """A block of one file that another file's block of the same key takes the place of, with all that it had."""

    key: str
    file: str
    line: int
    """Where the block begins that counts."""
    merged: Sight
    """The pass of the statement that puts the files together."""


def replaced_block(course: Course, files: list[str], file: str, line: int) -> ReplacedBlock | None:
    """What took the place of the block in which the entry at `line` of `file` stands: a block of the same key in
    another of the `files`, without that entry, where a statement has what was read from both."""
    around = block_around(file, line)
    entry = next((key for at, key, _ in keys_of_file(file) if at == line), None)
    for other in files if around is not None else ():
        if other == file or around is None:
            continue
        again = next(blocks_of_key(other, around), None)
        is_lost = again is not None and all(key != entry for _, key, _ in keys_of_file(other))
        merged = merged_at(course, other, file) if is_lost else None
        if again is not None and merged is not None:
            return ReplacedBlock(around, other, again, merged)
    return None


def merged_at(course: Course, one: str, other: str) -> Sight | None:
    """The pass of the statement that first has what was read from both files: it is given the one, and the other as
    well, or calls what reads that."""
    return merged_over(course, one, _read_from(course, other))


def merged_over(course: Course, file: str, second: set[int]) -> Sight | None:
    """The same for what was read from a file, and dictionaries that are known."""
    first = _read_from(course, file)
    for sight in course.sights if first and second else ():
        held = {seen.token for seen in sight.read.values()}
        if held.isdisjoint(first):
            continue
        if not held.isdisjoint(second) or any(_binds(course, frame, second) for frame in course.entered_from(sight)):
            return sight
    return None


def _read_from(course: Course, file: str) -> set[int]:
    """The dictionaries that were made in statements which were given the file, or name it."""
    found: set[int] = set()
    for sight in course.sights:
        made = {seen.token for seen in sight.bound.values() if seen.kind == "dict"} - {-1}
        if made and (any(_is(seen, file) for seen in sight.read.values()) or _names(course, sight, file)):
            found |= made
    return found


def _names(course: Course, sight: Sight, file: str) -> bool:
    """Whether the file stands in the statement itself, in what a call is given."""
    statement = readings(course.file_of(sight)).statement(sight.line)
    calls = calls_in(statement) if isinstance(statement, ast.Assign | ast.AnnAssign) else ()
    parts = (part for call in calls for part in ast.walk(call))
    texts = (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
    return any(_is_path(text, file) for text in texts)


def _is(seen: Seen, file: str) -> bool:
    return seen.kind in ("file", "plain") and isinstance(seen.value, str) and _is_path(seen.value, file)


def _is_path(text: str, file: str) -> bool:
    if not text:
        return False
    named, known = os.path.normpath(text), os.path.normpath(file)
    return named == known or known.endswith(f"/{named}") or named.endswith(f"/{known}")


def _binds(course: Course, frame: int, tokens: set[int]) -> bool:
    return any(seen.token in tokens for sight in course.in_frame(frame) for seen in sight.bound.values())
