"""Entries of configuration files that are 0: the value that another place of the program has under the same key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fxaudit.program.edits.syntax import Place

__all__ = ["other_entry", "placeholder"]

RATES = ("lr", "learning_rate", "base_lr", "rate", "eta")
_ZERO = re.compile(r"""(?<![\w.])["']?([A-Za-z_][\w.\-]*)["']?\s*[:=]\s*(-?0+(?:\.0*)?)(?![\w.])""")
_NUMBER = r"(\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?)(?![\w.])"


def other_entry(text: str, place: Place, texts: Iterable[str]) -> Iterator[str]:
    """A 0 on the line as one of the texts has it under the same key: an entry, an option's default, an argument."""
    for zero in _zeros(text, place):
        known = dict.fromkeys(value for other in (text, *texts) for value in _values(other, zero[1]))
        for value in known:
            yield _exchanged(text, place, zero, value)


def placeholder(text: str, place: Place) -> Iterator[str]:
    """A placeholder for a 0 on the line."""
    for zero in _zeros(text, place):
        yield _exchanged(text, place, zero, "1e-3" if _last(zero[1]) in RATES else "1.0")


def _zeros(text: str, place: Place) -> list[re.Match[str]]:
    lines = text.splitlines()
    return list(_ZERO.finditer(lines[place.line - 1])) if place.line <= len(lines) else []


def _exchanged(text: str, place: Place, zero: re.Match[str], value: str) -> str:
    lines = text.splitlines(keepends=True)
    line = lines[place.line - 1]
    lines[place.line - 1] = line[: zero.start(2)] + value + line[zero.end(2) :]
    return "".join(lines)


def _last(key: str) -> str:
    return key.rpartition(".")[2].replace("-", "_")


def _values(text: str, key: str) -> Iterator[str]:
    """The numbers but 0 that a text has under a key, in whatever way it is written."""
    name = re.escape(_last(key)).replace("_", "[_-]")
    option = rf"""["']--{name}["'][^()\n]*default\s*=\s*{_NUMBER}"""
    entry = rf"""(?<![\w-])["']?{name}["']?\s*(?::\s*float\s*=|[:=,])\s*{_NUMBER}"""
    for found in re.finditer(f"{option}|{entry}", text, re.IGNORECASE):
        value = found[1] or found[2]
        if float(value) != 0:
            yield value
