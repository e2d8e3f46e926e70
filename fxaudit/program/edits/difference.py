"""Texts compared: the unified diff that `git apply` takes, and several changes of one text joined."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

__all__ = ["joined", "unified"]


def unified(file: str, old: str, new: str) -> str:
    """The diff of one file; "" where nothing differs."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    lines = []
    for line in difflib.unified_diff(before, after, f"a/{file}", f"b/{file}"):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


Hunk = tuple[int, int, tuple[str, ...]]


def _hunks(old: list[str], new: list[str]) -> list[Hunk]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [(a, b, tuple(new[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def joined(old: str, news: Sequence[str]) -> str | None:
    """All the changes of `old` at once; None where two of them are about the same lines."""
    lines = old.splitlines(keepends=True)
    hunks = sorted({hunk for new in news for hunk in _hunks(lines, new.splitlines(keepends=True))})
    for first, second in zip(hunks, hunks[1:], strict=False):
        if second[0] < first[1] or (second[0] == first[0]):
            return None
    for start, end, text in reversed(hunks):
        lines[start:end] = text
    return "".join(lines)
