"""Texts compared: the unified diff that `git apply` takes, and several changes of one text joined."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Sequence

__all__ = ["Hunk", "hunks_of", "joined", "unified"]

Hunk = tuple[int, int, str]
"""The first line that changes, how many lines go, and the text that comes."""


def unified(file: str, old: str, new: str) -> str:
    """The diff of one file; "" where nothing differs."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    lines = []
    for line in difflib.unified_diff(before, after, f"a/{file}", f"b/{file}"):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


Change = tuple[int, int, tuple[str, ...]]


def _hunks(old: list[str], new: list[str]) -> list[Change]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [(a, b, tuple(new[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def joined(old: str, news: Sequence[str]) -> str | None:
    """All the changes of `old` at once; None where two of them are about the same lines.

    What several add at the same place comes in their order.
    """
    lines = old.splitlines(keepends=True)
    found = dict.fromkeys(hunk for new in news for hunk in _hunks(lines, new.splitlines(keepends=True)))
    hunks = sorted(found, key=lambda hunk: hunk[:2])
    for first, second in itertools.pairwise(hunks):
        both_add = first[:2] == second[:2] and first[0] == first[1]
        if second[0] < first[1] or (second[0] == first[0] and not both_add):
            return None
    for start, end, text in reversed(hunks):
        lines[start:end] = text
    return "".join(lines)


def hunks_of(diff: str) -> list[tuple[str, list[Hunk]]]:
    """The changes that a unified diff says: for each file, the pieces in which lines go and come."""
    found: list[tuple[str, list[Hunk]]] = []
    line, begun, gone, came = 0, 0, 0, ""
    for text in [*diff.splitlines(keepends=True), "@@ -0 +0 @@\n"]:
        if text[:1] in (" ", "@") or text.startswith("--- a/"):
            if gone or came:
                found[-1][1].append((begun, gone, came))
            gone, came = 0, ""
        if text.startswith("--- a/"):
            found.append((text[6:].rstrip("\n"), []))
        elif text.startswith("@@"):
            line = int(text.split()[1].lstrip("-").split(",")[0])
        elif not text.startswith(("+++ b/", "\\")):
            if not (gone or came):
                begun = line
            came += text[1:] if text.startswith("+") else ""
            gone += text.startswith("-")
            line += not text.startswith("+")
    return found
