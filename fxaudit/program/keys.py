"""Where the keys of tables are written down, and which of them nobody asks for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.program.birth import Birth
from fxaudit.program.config_files import entry_of_file, lines_with
from fxaudit.program.course import PASSES, Course, Plain, Seen, Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.plain import chain_of, count_of, readings
from fxaudit.program.source import of_text
from fxaudit.program.spelling import plain
from fxaudit.program.tree import is_zero, tree_of

__all__ = [
    "constants_of",
    "held_by",
    "is_key",
    "is_put_together",
    "keys_of",
    "missed_within",
    "never_asked",
    "only_key",
    "stray_key",
    "unasked_key",
]

SHORTEST = 3
"""A text is a part of another by so many letters."""


def never_asked(course: Course, sight: Sight, test: ast.expr) -> list[Birth]:
    """Where the one text is written, as a key of a display or of a configuration file, that the table of `k in T` has,
    and that no pass of the statement asked for; none where there are several such texts or places."""
    match test:
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[table]):
            asked = [evaluated(key, other.read) for other in course.at(course.file_of(sight), sight.line)]
            left = [k for k in keys_of(sight, table) if isinstance(k, str) and k not in asked]
            places = [*_places_of_key(course, left[0], sight.index)] if len(left) == 1 else []
            return places if len(places) == 1 else []
    return []


def unasked_key(course: Course, sight: Sight, key: ast.expr, table: ast.expr) -> Birth | None:
    """Where the one key is written that nothing in the program asks for, of a table that has no entry for `key`, though
    it has one for others that the same statement asks it for in turn.

    None where several keys may have been meant, where the entry is 0 or empty, for then it makes no difference, and
    where the statement was not heard until it asked for something once more: then others may have come.
    """
    wanted, token = evaluated(key, sight.read), held_by(sight, table)
    if isinstance(key, ast.Constant) or token < 0 or _is_gone_through(course, token):
        return None
    if not isinstance(wanted, str):
        return None
    passes = [s for s in course.at(course.file_of(sight), sight.line) if held_by(s, table) == token]
    keys = {k for s in passes for k in keys_of(s, table) if isinstance(k, str)}
    texts = [text for s in passes if isinstance(text := evaluated(key, s.read), str)]
    asked, is_all = set(texts), len(texts) > len(set(texts)) or len(passes) < PASSES
    if not is_all or not asked & keys or wanted in keys:
        return None
    left = [found for k in sorted(keys - asked) if (found := _written_for_nobody(course, k, sight.index)) is not None]
    if len(left) > 1 or len(asked - keys) > 1:
        left = [found for found in left if _is_part_of(wanted, str(found.value))]
    return left[0] if len(left) == 1 else None


def stray_key(course: Course, sight: Sight, key: ast.expr, table: ast.expr) -> tuple[Birth, str] | None:
    """(where the key is written that the table has no entry for, and that nothing else in the program mentions; the one
    key of the table that the statement never asks for), where it asks for all others in turn: the first was to be the
    second."""
    wanted, token = evaluated(key, sight.read), held_by(sight, table)
    if isinstance(key, ast.Constant) or not isinstance(wanted, str):
        return None
    passes = course.at(course.file_of(sight), sight.line)
    texts = [text for s in passes if isinstance(text := evaluated(key, s.read), str)]
    keys = {k for s in passes if held_by(s, table) == token for k in keys_of(s, table) if isinstance(k, str)}
    asked, is_all = set(texts), len(texts) > len(set(texts)) or len(passes) < PASSES
    if not is_all or not asked & keys or asked - keys != {wanted} or len(keys - asked) != 1:
        return None
    written = _written_for_nobody(course, wanted, sight.index)
    return (written, next(iter(keys - asked))) if written is not None else None


def missed_within(course: Course, sight: Sight, key: ast.expr, table: ast.expr) -> tuple[str, Birth] | None:
    """The one text that a comprehension asks the table for in vain, as it goes through the keys of another dictionary,
    or a list, and the one key of the table that nothing in the program asks for."""
    tree = tree_of(course.file_of(sight))
    statement = tree.statement_at(sight.line) if tree is not None else None
    loops = [part for node in ast.walk(statement) for part in getattr(node, "generators", ())] if statement else []
    through = next((part.iter for part in loops if ast.unparse(key) in _first_names(part.target)), None)
    match through:
        case ast.Call(func=ast.Attribute(value=held, attr="items" | "keys")):
            through = held
    asked = {k for k in keys_of(sight, through) if isinstance(k, str)} if through is not None else set()
    keys = {k for k in keys_of(sight, table) if isinstance(k, str)}
    if not asked & keys or len(asked - keys) != 1 or _is_gone_through(course, held_by(sight, table)):
        return None
    left = [found for k in sorted(keys - asked) if (found := _written_for_nobody(course, k, sight.index)) is not None]
    return (next(iter(asked - keys)), left[0]) if len(left) == 1 else None


def _first_names(target: ast.expr) -> set[str]:
    """The variable of a loop, and the first of several: the key of what `items()` gives."""
    first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
    return {first.id} if isinstance(first, ast.Name) else set()


def _is_gone_through(course: Course, token: int) -> bool:
    """Whether some statement goes through the entries of the table, and so needs none by its key."""
    for sight in course.sights:
        names = [name for name, seen in sight.read.items() if seen.token == token]
        statement = readings(course.file_of(sight)).statement(sight.line) if names else None
        for node in ast.walk(statement) if statement is not None else ():
            match node:
                case ast.Call(func=ast.Attribute(value=table, attr="items" | "values")) if ast.unparse(table) in names:
                    return True
    return False


def only_key(course: Course, key: str) -> tuple[str, int] | None:
    """(file, line) of the one place of the program where an entry of a dictionary is written under the text."""
    found = [(file, line) for file in course.files() for line in _entries(file).get(key, ())]
    return found[0] if len(found) == 1 else None


def keys_of(sight: Sight, table: ast.expr) -> tuple[Plain, ...]:
    """The keys, or members, that the table was seen to have."""
    seen = _seen(sight, table)
    return (seen.members or ()) if seen is not None else ()


def held_by(sight: Sight, table: ast.expr) -> int:
    """Which object the table was; -1 where that is not known."""
    seen = _seen(sight, table)
    return seen.token if seen is not None else -1


def _seen(sight: Sight, table: ast.expr) -> Seen | None:
    chain = chain_of(table)
    return sight.read.get(chain.text) if chain is not None else None


def _written_for_nobody(course: Course, key: str, before: int) -> Birth | None:
    """The one place where the key is written, if the program mentions it nowhere else, and its entry is not 0."""
    places = [*_places_of_key(course, key, before)]
    mentioned = sum(count_of(file, key) + (key in _defined(file)) for file in course.files())
    if len(places) != 1 or mentioned != (places[0].kind == "literal"):
        return None
    file, line = places[0].file, places[0].line
    idle = {at for nothing in (0, None, False) for at, _ in entry_of_file(file, key, nothing)}
    return None if line in idle or _is_idle_entry(file, line, key) else places[0]


def _is_idle_entry(file: str, line: int, key: str) -> bool:
    """Whether a display at the line has the key for a 0, or for something that is no number: one of several functions,
    say, of which nobody has to ask for each."""
    tree = tree_of(file)
    for node in tree.nodes if tree is not None else ():
        if isinstance(node, ast.Dict) and node.lineno <= line <= (node.end_lineno or line):
            for name, value in zip(node.keys, node.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key:
                    return is_zero(value) or not isinstance(value, ast.Constant | ast.UnaryOp | ast.BinOp)
    return False


def _is_part_of(one: str, other: str) -> bool:
    """Whether one text stands in the other."""
    shorter, longer = sorted((plain(one), plain(other)), key=len)
    return len(shorter) >= SHORTEST and shorter in longer


def _places_of_key(course: Course, key: str, before: int) -> Iterator[Birth]:
    for file in course.files():
        for node in constants_of(file).get(key, ()):
            if is_key(file, node):
                yield Birth(file, node.lineno, "literal", ast.unparse(node), key)
    for file in course.config_files(before):
        for line, written in lines_with(file, key):
            yield Birth(file, line, "entry", written, key)


@of_text
def _defined(file: str) -> frozenset[str]:
    """The names of the functions and classes of a file: a registry may know them by these."""
    tree = tree_of(file)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset(node.name for node in (tree.statements if tree is not None else ()) if isinstance(node, kinds))


@of_text
def constants_of(file: str) -> dict[str, list[ast.Constant]]:
    """The texts that stand in a file."""
    tree = tree_of(file)
    found: dict[str, list[ast.Constant]] = {}
    for node in tree.parents if tree is not None else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.setdefault(node.value, []).append(node)
    return found


def is_put_together(files: list[str], name: str) -> bool:
    """Whether the program may put the text together: `f"on_{event}"`, with the rest of it written down somewhere."""
    begins = {begin for file in files for begin in _beginnings(file) if name.startswith(begin)}
    return any(name.removeprefix(begin) in constants_of(file) for begin in begins for file in files)


@of_text
def _beginnings(file: str) -> frozenset[str]:
    """How the texts of a file begin that go on with a variable."""
    tree = tree_of(file)
    found: set[str] = set()
    for node in tree.nodes if tree is not None else ():
        match node:
            case ast.JoinedStr(values=[ast.Constant(value=str(begin)), ast.FormattedValue()]):
                found.add(begin)
            case ast.BinOp(left=ast.Constant(value=str(begin)), op=ast.Add(), right=ast.Name()):
                found.add(begin)
    return frozenset(found)


def is_key(file: str, node: ast.Constant) -> bool:
    """Whether the text is a key of a display."""
    tree = tree_of(file)
    outer = tree.parents.get(node) if tree is not None else None
    return isinstance(outer, ast.Dict) and node in outer.keys


@of_text
def _entries(file: str) -> dict[str, list[int]]:
    """Key → the lines at which the file writes an entry under it: in a display, by `d[key] = …`, by `dict(key=…)`."""
    tree = tree_of(file)
    found: dict[str, list[int]] = {}
    for node in tree.nodes if tree is not None else ():
        outer = tree.parents.get(node) if tree is not None else None
        match node:
            case ast.Constant(value=str(key)) if is_key(file, node) or (
                isinstance(outer, ast.Subscript) and isinstance(outer.ctx, ast.Store)
            ):
                found.setdefault(key, []).append(node.lineno)
            case ast.Call(func=ast.Name(id="dict" | "OrderedDict") | ast.Attribute(attr="update"), keywords=keywords):
                for keyword in keywords:
                    found.setdefault(keyword.arg or "", []).append(keyword.value.lineno)
    return found
