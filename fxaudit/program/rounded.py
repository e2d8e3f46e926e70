"""Settings whose declaration says that they are whole numbers, where a fraction was given: `scale: int = 1` for 0.1."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.program.birth import Birth, Stations
from fxaudit.program.config_files import texts_of_key
from fxaudit.program.course import Course, Plain, Seen
from fxaudit.program.plain import lineage_of
from fxaudit.program.source import of_text
from fxaudit.program.tree import tree_of

__all__ = ["rounded_away"]


@dataclass(frozen=True, slots=True)
class _Declared:
    """A setting that is a whole number by its annotation, its type as an option, or its default."""

    name: str
    line: int
    text: str
    default: int | None
    owner: str = ""
    """The class in whose body it stands."""


def rounded_away(course: Course, owner: Seen, name: str, value: Plain, before: int, stations: Stations) -> Birth | None:
    """The one declaration by which the setting is a whole number, where the one text that gives it another value than
    its default is a fraction, and the whole part of that is the value."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    kinds = lineage_of(course.files(), str(owner.value)) if owner.kind == "object" else []
    known = [(file, one) for file in course.files() for one in _declared_whole(file) if one.name == name]
    known = [(file, one) for file, one in known if one.owner in kinds or not one.owner]
    if len(known) != 1 or known[0][1].default == value:
        return None
    given = [*_given(course, name, before)]
    if len(given) != 1 or not _is_cut_to(given[0][2], value):
        return None
    (file, one), (source, line, text) = known[0], given[0]
    told = (*stations, (source, line, f"`{name}` is {text} here, and {value} as a whole number"))
    return Birth(file, one.line, "rounded", one.text, value, told)


def _given(course: Course, name: str, before: int) -> Iterator[tuple[str, int, str]]:
    """(file, line, text) of what configuration files, or texts such as `--set key=0.1`, give the setting."""
    seen: set[str] = set()
    for file in course.config_files(before):
        for line, text in texts_of_key(file, name):
            seen.add(text)
            yield file, line, text
    assigned = re.compile(rf"(?:^|[.\-]){re.escape(name)}\s*=\s*(\S+)$")
    for sight in course.sights[:before]:
        for held in (*sight.read.values(), *sight.bound.values()):
            found = assigned.search(held.value) if held.kind == "plain" and isinstance(held.value, str) else None
            if found is not None and found[1] not in seen:
                seen.add(found[1])
                yield course.file_of(sight), sight.line, found[1]


def _is_cut_to(text: str, value: int) -> bool:
    try:
        number = float(text)
        return int(number) == value != number
    except (ValueError, OverflowError):
        return False


@of_text
def _declared_whole(file: str) -> tuple[_Declared, ...]:
    tree = tree_of(file)
    found: list[_Declared] = []
    for node in tree.nodes if tree is not None else ():
        match node:
            case ast.ClassDef(name=owner, body=body):
                found += [one for statement in body if (one := _field(statement, owner)) is not None]
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    whole = _whole(value)
                    if isinstance(key, ast.Constant) and isinstance(key.value, str) and whole is not None:
                        found.append(_Declared(key.value, key.lineno, f"{key.value!r}: {whole}", whole))
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=[*flags], keywords=keywords):
                given = {keyword.arg: keyword.value for keyword in keywords}
                kind, whole = given.get("type"), _whole(given.get("default"))
                if whole is not None and (kind is None or getattr(kind, "id", "") == "int"):
                    texts = [flag.value for flag in flags if isinstance(flag, ast.Constant)]
                    names = {str(text).lstrip("-").replace("-", "_") for text in texts}
                    found += [_Declared(name, node.lineno, ast.unparse(node), whole) for name in names]
    return tuple(found)


def _field(statement: ast.stmt, owner: str) -> _Declared | None:
    """The field of a class, where its annotation is `int`, or it has none and begins as a whole number."""
    match statement:
        case ast.AnnAssign(
            target=ast.Name(id=name), annotation=ast.Name(id="int") | ast.Constant(value="int"), value=value
        ):
            return _Declared(name, statement.lineno, ast.unparse(statement), _whole(value), owner)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _whole(value) is not None:
            return _Declared(name, statement.lineno, ast.unparse(statement), _whole(value), owner)
    return None


def _whole(value: ast.expr | None) -> int | None:
    is_whole = isinstance(value, ast.Constant) and isinstance(value.value, int) and not isinstance(value.value, bool)
    return value.value if is_whole else None  # type: ignore[union-attr]
