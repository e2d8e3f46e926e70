"""Where a configuration file says something: the line of a key with its value."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.program.source import of_text, read_source
from fxaudit.program.tree import tree_of

__all__ = [
    "SUFFIXES",
    "Replaced",
    "entry_of_file",
    "entry_of_texts",
    "is_based_on",
    "keys_of_file",
    "lines_with",
    "named_in",
    "put_together_in",
    "replaced_blocks",
    "settings_in",
    "texts_of_key",
    "without_passwords",
]

SUFFIXES = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".conf")

BASES = frozenset({"base", "bases", "extends", "extend", "inherit", "inherits", "parent", "parents", "defaults"})
"""The keys by which a file names the one that it begins with."""
MAX_BYTES = 200_000
"""A larger file holds data."""

_ENTRY = re.compile(r"""["']?([\w.\-]+)["']?\s*[:=]\s*("[^"]*"|'[^']*'|[^,#{}\[\]]+)""")
_COMMENT = re.compile(r"""^((?:"[^"]*"|'[^']*'|[^"'])*?)(?:(?<!\S)(?:\#|;|//).*)$""")
_KEY = re.compile(r"""^(\s*)(-\s+)?["']?([\w.\-]+)["']?\s*:(?:\s|$)""")
_SECRET = re.compile(
    r"pass(word|wd|phrase)|secret|credential|cookie|(^|[_.\-])(token|key|auth|pass|pw)s?$", re.IGNORECASE
)


@of_text
def named_in(file: str) -> list[str]:
    """The configuration files that the text of a program names, each with the folders that it is joined to: of
    `ROOT / "configs" / "base.yaml"`, `configs/base.yaml`; where only the end of a name is written, that. A folder that
    has a name only while the program runs leaves open which file it is, and none is named."""
    tree = tree_of(file)
    found = []
    for node in tree.nodes if tree is not None else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(SUFFIXES):
            folders = _in_front(node, tree.parents.get(node) if tree is not None else None)
            found += ["/".join([*folders, node.value])] if folders is not None else []
    return found


@of_text
def put_together_in(file: str) -> list[tuple[int, ast.JoinedStr, list[ast.expr]]]:
    """(first line of the statement, name, parts of the path before it) of the configuration files whose names a program
    puts together: `root / group / f"{choice}.yaml"`."""
    tree = tree_of(file)
    found = []
    for node in tree.nodes if tree is not None else ():
        match node:
            case ast.JoinedStr(values=[*_, ast.Constant(value=str(end))]) if (
                end.endswith(SUFFIXES) and tree is not None
            ):
                statement, outer = tree.statement(node), tree.parents.get(node)
                if statement is not None:
                    found.append((statement.lineno, node, _parts_of_path(node, outer)))
    return found


def _parts_of_path(node: ast.expr, outer: ast.AST | None) -> list[ast.expr]:
    """What stands before the name in `a / b / name` or `join(a, b, name)`."""
    match outer:
        case ast.BinOp(left=left, op=ast.Div(), right=right) if right is node:
            parts: list[ast.expr] = []
            while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Div):
                parts.insert(0, left.right)
                left = left.left
            return [left, *parts]
        case ast.Call(func=ast.Attribute(attr="join" | "joinpath") | ast.Name(id="Path"), args=args) if node in args:
            return args[: args.index(node)]
    return []


def _in_front(node: ast.Constant, outer: ast.AST | None) -> list[str] | None:
    """The texts right before this one in a path; None where something else stands there, but for the beginning."""
    parts = _parts_of_path(node, outer)
    folders = [*itertools.takewhile(lambda part: isinstance(part, ast.Constant), reversed(parts))][::-1]
    is_open = len(parts) - len(folders) > 1 or (len(parts) > 1 and not folders)
    return None if is_open else [str(part.value) for part in folders if isinstance(part, ast.Constant)]


def settings_in(file: str) -> list[str]:
    """The lines of a configuration file; none where it is something else, such as a table of data."""
    if not file.endswith(SUFFIXES):
        return []
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return read_source(file)  # the text of a recording
    return read_source(file) if stat.S_ISREG(found.st_mode) and found.st_size <= MAX_BYTES else []


def without_passwords(line: str) -> str:
    """The line, without the texts of entries whose key says that they are secret."""

    def hidden(entry: re.Match[str]) -> str:
        is_secret = _SECRET.search(entry[1]) is not None and not _is_number_or_flag(entry[2].strip())
        return entry[0].replace(entry[2], '"..."') if is_secret else entry[0]

    return _ENTRY.sub(hidden, line)


def _is_number_or_flag(written: str) -> bool:
    return (
        any(_means(written, flag) for flag in (True, False, None)) or re.fullmatch(r"[-+.\deE_]+", written) is not None
    )


def entry_of_file(file: str, key: str, value: object) -> Iterator[tuple[int, str]]:
    """(line, text) of each entry of that key in the file that holds the value; nothing where it is no such file."""
    for line, name, written, text in _entries(file):
        if name == key and _means(written, value):
            yield line, text


def entry_of_texts(file: str, key: str, value: object) -> Iterator[tuple[int, str]]:
    """(line, text) of each entry of that key that holds the value in a text of several lines within a program: a
    configuration that is written there."""
    for line, name, written, text in _entries_in_texts(file):
        if name == key and _means(written, value):
            yield line, text


@of_text
def _entries_in_texts(file: str) -> tuple[tuple[int, str, str, str], ...]:
    found = []
    tree = tree_of(file)
    for node in tree.parents if tree is not None else ():
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_lineno != node.lineno
        if tree is None or not is_text or isinstance(tree.parents.get(node), ast.Expr):
            continue
        for number, line in enumerate(node.value.splitlines(), node.lineno):  # type: ignore[attr-defined]
            found += [(number, *entry) for entry in _entries_of(line)]
    return tuple(found)


def keys_of_file(file: str) -> Iterator[tuple[int, str, str]]:
    """(line, key, text) of each entry of the file; nothing where it is no such file."""
    yield from ((line, key, text) for line, key, _, text in _entries(file))


def texts_of_key(file: str, key: str) -> Iterator[tuple[int, str]]:
    """(line, what is written for it) of each entry of that key in the file, without the quotes."""
    yield from ((line, written) for line, name, written in _written(file) if name == key)


def is_based_on(file: str, base: str) -> bool:
    """Whether a configuration file says of another that it begins with what stands there: `_base_: base.yaml`."""
    name = os.path.basename(base)
    known = {name, name.rpartition(".")[0]}
    named = any(key.strip("_$") in BASES and os.path.basename(text) in known for _, key, text in _written(file))
    return named or any(True for _ in lines_with(file, name))


def _written(file: str) -> Iterator[tuple[int, str, str]]:
    yield from ((line, key, written.strip("\"'")) for line, key, written, _ in _entries(file))


def lines_with(file: str, text: str) -> Iterator[tuple[int, str]]:
    """(line, its text) of each line of the file that has the text as a whole word; nothing where it is no such file."""
    word = re.compile(rf"(?<![\w.\-]){re.escape(text)}(?![\w.\-])")
    for number, line in enumerate(settings_in(file), 1):
        commented = _COMMENT.match(line)
        if word.search(line if commented is None else commented[1]):
            yield number, line.strip()


@dataclass(frozen=True, slots=True)
class Replaced:
    """A block of a YAML file that has no effect, because its key comes once more, and the last one counts."""

    key: str
    first: int
    last: int
    again: int
    """The line of the key that counts."""
    text: str


@of_text
def replaced_blocks(file: str) -> tuple[Replaced, ...]:
    """The blocks of a YAML file whose key comes again in the same mapping."""
    if not file.endswith((".yaml", ".yml")):
        return ()
    found: list[Replaced] = []
    scopes: list[tuple[int, dict[str, int]]] = []
    """(how far it is indented, key → its line) of the mappings around the line."""
    lines = settings_in(file)
    for number, line in enumerate(lines, 1):
        entry = _KEY.match(line)
        if entry is None:
            continue
        indent = len(entry[1]) + len(entry[2] or "")
        while scopes and (scopes[-1][0] > indent or (entry[2] and scopes[-1][0] >= indent)):
            scopes.pop()
        if not scopes or scopes[-1][0] < indent:
            scopes.append((indent, {}))
        first = scopes[-1][1].get(entry[3])
        if first is not None:
            found.append(Replaced(entry[3], first, _end_of_block(lines, first, indent), number, line.strip()))
        scopes[-1][1][entry[3]] = number
    return tuple(found)


def block_around(file: str, line: int) -> str | None:
    """The key of the block in which the line of a YAML or JSON file stands, the name of the section of a TOML or INI
    file; none at the top."""
    lines = settings_in(file)
    if file.endswith((".toml", ".ini", ".cfg")):
        heads = (one.strip().strip("[]").strip() for one in reversed(lines[:line]) if one.lstrip().startswith("["))
        return next(heads, None)
    indent = _indent(lines[line - 1]) if line <= len(lines) else 0
    for earlier in reversed(lines[: line - 1]):
        if earlier.strip() and _indent(earlier) < indent:
            found = _KEY.match(earlier)
            return found[3] if found is not None else None
    return None


def blocks_of_key(file: str, key: str) -> Iterator[int]:
    """The lines of a YAML or JSON file at which something begins, or is written, under that key."""
    for number, line in enumerate(settings_in(file), 1):
        found = _KEY.match(line)
        if found is not None and found[3] == key:
            yield number


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _end_of_block(lines: list[str], first: int, indent: int) -> int:
    """The last line of the block that begins at `first`."""
    for number, line in enumerate(lines[first:], first + 1):
        if line.strip() and not line.strip().startswith("#") and _indent(line) <= indent:
            return number - 1
    return len(lines)


@of_text
def _entries(file: str) -> tuple[tuple[int, str, str, str], ...]:
    return tuple((number, *entry) for number, line in enumerate(settings_in(file), 1) for entry in _entries_of(line))


def _entries_of(line: str) -> Iterator[tuple[str, str, str]]:
    """(key, what is written for it, the line) of each entry in a line."""
    commented = _COMMENT.match(line)
    for part in _ENTRY.finditer(line if commented is None else commented[1]):
        yield part[1].rpartition(".")[2], part[2].strip(), line.strip()


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
