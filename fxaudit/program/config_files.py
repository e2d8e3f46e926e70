"""Where a configuration file says something: the line of a key with its value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from fxaudit.program.source import of_text, read_source

__all__ = ["SUFFIXES", "entry_of_file", "keys_of_file"]

SUFFIXES = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".conf")


def entry_of_file(file: str, key: str, value: object) -> Iterator[tuple[int, str]]:
    """(line, text) of each entry of that key in the file that holds the value; nothing where it is no such file."""
    if not file.endswith(SUFFIXES):
        return
    for line, name, written, text in _entries(file):
        if name == key and _means(written, value):
            yield line, text


def keys_of_file(file: str) -> Iterator[tuple[int, str, str]]:
    """(line, key, text) of each entry of the file; nothing where it is no such file."""
    if file.endswith(SUFFIXES):
        yield from ((line, key, text) for line, key, _, text in _entries(file))


@of_text
def _entries(file: str) -> tuple[tuple[int, str, str, str], ...]:
    found = []
    for number, line in enumerate(read_source(file), 1):
        for part in re.finditer(r"""["']?([\w.\-]+)["']?\s*[:=]\s*("[^"]*"|'[^']*'|[^,#{}\[\]]+)""", line):
            found.append((number, part[1].rpartition(".")[2], part[2].strip(), line.strip()))
    return tuple(found)


def _means(written: str, value: object) -> bool:
    """Whether the text of an entry stands for the value."""
    lowered = written.lower().rstrip(",")
    if isinstance(value, bool):
        return lowered in (("true", "yes", "on", "1") if value else ("false", "no", "off", "0"))
    if value is None:
        return lowered in ("null", "none", "~", "")
    if isinstance(value, str):
        return written.strip("\"'") == value
    try:
        return isinstance(value, int | float) and float(json.loads(lowered)) == float(value)
    except (ValueError, TypeError):
        try:
            return isinstance(value, int | float) and float(lowered) == float(value)
        except ValueError:
            return False
