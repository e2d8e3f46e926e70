"""Lookups that found nothing, so that what stands in for a missing entry was taken: `TABLE.get(name, default)`."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.config_files import SUFFIXES, lines_with
from fxaudit.program.course import Course, Plain, Seen, Sight
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.keys import constants_of, held_by, is_key, keys_of, missed_within, stray_key, unasked_key
from fxaudit.program.plain import readings
from fxaudit.program.source import files_beside, is_library
from fxaudit.program.spelling import letters_apart
from fxaudit.program.tree import Tree, tree_of

__all__ = ["Lookup", "Lookups"]

CHANGING = frozenset({"capitalize", "casefold", "lower", "replace", "swapcase", "title", "upper"})
"""The methods that spell a text otherwise."""
MAX_TOLD = 5
"""So many keys are told."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One that found nothing."""

    sight: Sight
    file: str
    line: int
    table: str
    """What was asked, as it is written."""
    key: Plain
    keys: tuple[Plain, ...]
    """The keys that there were."""
    taken: ast.expr | None
    """What was taken in its place; None for `None`."""
    birth: Birth | None
    """Where the key was written down, if that is elsewhere."""
    after: Sight
    """The pass of the statement in which it was taken."""
    of_object: bool = False
    """Whether an attribute was asked for; then `keys` are the functions of the program."""
    changed_at: int = 0
    """The line of the same file in which the key was made of a text that is written otherwise; 0 for none."""
    asked_from: tuple[str, int] | None = None
    """Where the function was called that looks its argument up, if nobody wrote the key down."""
    returned: str = ""
    """The qualified name of the function or class that the caller got of the statement, where that returns."""
    left_out: tuple[str, int, str] | None = None
    """(file, line, module) where a package takes in its other modules, and not the one that has the key."""
    unasked: str = ""
    """The key that nothing in the program asks for, where it is the one that may have been meant."""

    @property
    def near(self) -> str | None:
        """The key that was meant, where one is nearly the same, or the same as a text."""
        same = next((repr(key) for key in self.keys if key != self.key and str(key) == str(self.key)), None)
        if not isinstance(self.key, str) or same is not None:
            return same
        apart = {key: letters_apart(key, self.key) for key in self.keys if isinstance(key, str)}
        near = (key for key, by in apart.items() if by is not None)
        return min(near, key=lambda key: apart[key] or 0, default=self.unasked or None)

    @property
    def fits_no_key(self) -> bool:
        """Whether it is a whole number where all keys are such numbers written as texts, or the other way round."""
        keys = (*self.keys, self.key)
        kinds = {type(key) for key in self.keys}
        are_numbers = all(re.fullmatch(r"-?\d+", str(key)) for key in keys if not isinstance(key, bool))
        return are_numbers and {*kinds, type(self.key)} == {int, str} and len(kinds) == 1

    @property
    def stand_in(self) -> str:
        """The qualified name of the function or class that was taken; "" where it was none, or that is not known."""
        held = evaluated(self.taken, self.after.read) if self.taken is not None else None
        found = held if isinstance(held, Seen) else _bound_as(self.sight, self.taken)
        return str(found.value) if found is not None and found.kind == "callable" else self.returned

    @property
    def number_taken(self) -> float | None:
        """The number that was taken, where it was one."""
        held = evaluated(self.taken, self.after.read) if self.taken is not None else None
        return held if isinstance(held, int | float) and not isinstance(held, bool) else None

    @property
    def place(self) -> tuple[str, int]:
        """The line to edit: where the key was written down, where it was made another, else the lookup; where the key
        is in a module that nobody takes in, there."""
        if self.left_out is not None:
            return self.left_out[:2]
        if self.changed_at and (self.birth is None or self.birth.value in self.keys):
            return self.file, self.changed_at
        if self.birth is None and self.asked_from is not None and self.near is not None:
            return self.asked_from
        return (self.birth.file, self.birth.line) if self.birth is not None else (self.file, self.line)

    @property
    def sentence(self) -> str:
        """What happened."""
        if self.of_object:
            return f"`{self.table}` has no `{self.key}`"
        written = str if isinstance(self.key, str) and not self.fits_no_key else repr
        known = ", ".join(f"`{written(key)}`" for key in self.keys[:MAX_TOLD])
        more = f" and {len(self.keys) - MAX_TOLD} more" if len(self.keys) > MAX_TOLD else ""
        return f"`{self.table}` has no `{written(self.key)}`, only {known}{more}"

    @property
    def advice(self) -> str:
        """What to do."""
        raises = "`getattr` with two arguments" if self.of_object else f"`{self.table}[...]`"
        if self.left_out is not None:
            return f"Import `{self.left_out[2]}` here: it registers `{self.key}`, and nothing imports it."
        if self.fits_no_key or (self.near is not None and not isinstance(self.key, str)):
            kinds, others = ("texts", "numbers") if isinstance(self.keys[0], str) else ("numbers", "texts")
            meant = f"ask for `{self.near}`" if self.near is not None else "ask for one"
            return f"The keys are {kinds}: {meant}, or make {others} of the keys where the table is read."
        if self.near is not None and self.birth is None and self.near.lower() == str(self.key).lower():
            return f"The keys are written like `{self.near}`: bring what is asked for into that form, by `.lower()`."
        if self.unasked and self.birth is not None and self.birth.value == self.unasked:
            return f"Name it `{self.key}`: that is what is asked for, and nothing asks for `{self.unasked}`."
        if self.near is not None:
            return f"`{self.near}` was meant: correct the name. {_capital(raises)} raises where there is none."
        return f"Name one that there is, or add the missing one. {_capital(raises)} raises where there is none."


class Lookups:
    """Answers for one course."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._births = Births(course)

    @cached_property
    def all(self) -> tuple[Lookup, ...]:
        """Each that found nothing, once for each key."""
        return self._those(_asked)

    @cached_property
    def filters(self) -> tuple[Lookup, ...]:
        """The same of the tests of comprehensions, `… if key in T`, which leave out what has no entry."""
        return self._those(_filtering)

    def _those(self, asking: Callable[[str, int], Iterator[_Asked]]) -> tuple[Lookup, ...]:
        found: dict[tuple[str, int, Plain], Lookup] = {}
        for last in self.course.last_passes():
            file = self.course.file_of(last)
            asked = [*asking(file, last.line)]
            for sight in self.course.at(file, last.line) if asked else ():
                for one in asked:
                    lookup = self._missed(sight, one)
                    if lookup is not None:
                        found.setdefault((file, one.node.lineno, lookup.key), lookup)
        return tuple(found.values())

    def standing_in(self, function: str) -> Iterator[Lookup]:
        """Those that found nothing, so that the function or class of that qualified name was taken."""
        return (found for found in self.all if function and found.stand_in == function)

    def _missed(self, sight: Sight, one: _Asked) -> Lookup | None:
        value = evaluated(one.key, sight.read)
        keys = self._attributes(sight, one) if one.of_object else keys_of(sight, one.table)
        within = missed_within(self.course, sight, one.key, one.table) if value is NOT_KNOWN else None
        if within is not None:
            file, table = self.course.file_of(sight), ast.unparse(one.table)
            found = Lookup(
                sight, file, one.node.lineno, table, within[0], keys, one.taken, within[1], sight, one.of_object, 0
            )
            return replace(found, unasked=str(within[1].value))
        if not keys or value is NOT_KNOWN or isinstance(value, Seen) or value in keys:
            return None
        birth = None if isinstance(one.key, ast.Constant) else self._written(sight, one.key, value)  # type: ignore[arg-type]
        file, table = self.course.file_of(sight), ast.unparse(one.table)
        line = one.taken.lineno if one.taken is not None else sight.line
        later = (s for s in self.course.in_frame(sight.frame) if s.line == line and s.index > sight.index)
        after = next(later, sight)
        changed = self._changed_at(sight, one.key) if isinstance(value, str) else 0
        lookup = Lookup(
            sight,
            file,
            one.node.lineno,
            table,
            value,  # type: ignore[arg-type]
            keys,
            one.taken,
            birth,
            after,
            one.of_object,
            changed,
        )
        configured = self._configured(lookup) if not changed else None
        configured = configured or (self._key_written(lookup) if birth is None and not changed else None)
        if configured is not None:
            return replace(lookup, birth=configured)
        unasked = unasked_key(self.course, sight, one.key, one.table) if lookup.near is None else None
        if unasked is not None:
            return replace(lookup, birth=unasked, unasked=str(unasked.value))
        stray = stray_key(self.course, sight, one.key, one.table) if lookup.near is None else None
        if stray is not None:
            return replace(lookup, birth=stray[0], unasked=stray[1])
        is_given = (
            isinstance(one.key, ast.Name) and self.course.name_bound(sight.frame, one.key.id, sight.index) is None
        )
        # A number where the table has texts: the lookup itself is wrong, unless it finds what others ask it for.
        is_of_callers = is_given and (isinstance(value, str) or self._finds(file, sight.line, one))
        caller = self._births.caller(sight.frame) if is_of_callers else None
        place = (self.course.file_of(caller), caller.line) if caller is not None else None
        left_out = self._left_out(lookup) if lookup.near is None else None
        return replace(lookup, asked_from=place, returned=self._returned(sight), left_out=left_out)

    def _returned(self, sight: Sight) -> str:
        """What the caller bound, where the statement returns: the name of a function or a class."""
        caller = self._births.caller(sight.frame)
        if caller is None or not isinstance(self._births.statement(sight), ast.Return):
            return ""
        return next((str(seen.value) for seen in caller.bound.values() if seen.kind == "callable"), "")

    def _left_out(self, lookup: Lookup) -> tuple[str, int, str] | None:
        """Where the package of a module that registers the key, and that nobody imports, takes in others."""
        known = self.course.files()
        for file in known:
            if os.path.basename(file) != "__init__.py" or is_library(file):
                continue
            beside = (one for one in files_beside(file, ".py") if os.path.dirname(one) == os.path.dirname(file))
            having = [one for one in beside if one not in known and _registers(one, lookup.key)]
            line = _last_import(file) if len(having) == 1 else 0
            if line:
                return file, line, os.path.basename(having[0]).removesuffix(".py")
        return None

    def _finds(self, file: str, line: int, one: _Asked) -> bool:
        """Whether some pass of the statement was seen in which it found what it was asked for."""
        passes = ((evaluated(one.key, sight.read), keys_of(sight, one.table)) for sight in self.course.at(file, line))
        return any(value is not NOT_KNOWN and not isinstance(value, Seen) and value in keys for value, keys in passes)

    def _key_written(self, lookup: Lookup) -> Birth | None:
        """The one place of the program where the key is written that was meant, in a display, if what is asked for is
        written nowhere: it is a part of the name of a parameter, say."""
        if not isinstance(lookup.key, str) or lookup.near is None or lookup.of_object or lookup.fits_no_key:
            return None
        if any(lookup.key in constants_of(file) for file in self.course.files()):
            return None
        found = [
            Birth(file, node.lineno, "literal", ast.unparse(node), lookup.near)
            for file in self.course.files()
            for node in constants_of(file).get(lookup.near, ())
            if is_key(file, node)
        ]
        return found[0] if len(found) == 1 else None

    def _configured(self, lookup: Lookup) -> Birth | None:
        """The one line of a configuration file where the key is written that was meant, if the program itself asks for
        it otherwise: what is set is changed, not the program."""
        if not isinstance(lookup.key, str) or lookup.near is None or lookup.of_object or lookup.fits_no_key:
            return None
        if lookup.birth is not None and lookup.birth.file.endswith(SUFFIXES):
            return None
        files = self.course.config_files(lookup.sight.index)
        found = [(file, *place) for file in files for place in lines_with(file, lookup.near)]
        return Birth(found[0][0], found[0][1], "entry", found[0][2], lookup.near) if len(found) == 1 else None

    def always_misses(self, lookup: Lookup) -> bool:
        """Whether no pass of the statement was seen in which it found something in the same table.

        The frame around a comprehension passes the statement, too, and does not know what is asked for.
        """
        asked = [one for one in _asked(lookup.file, lookup.sight.line) if one.node.lineno == lookup.line]
        sights = self.course.at(lookup.file, lookup.sight.line)
        own = held_by(lookup.sight, asked[0].table) if asked else -1
        passes = [(sight, one) for sight in sights if held_by(sight, asked[0].table) == own for one in asked]
        known = [(sight, one) for sight, one in passes if evaluated(one.key, sight.read) is not NOT_KNOWN]
        return bool(known) and all(self._missed(sight, one) is not None for sight, one in known)

    def of_another_kind(self, file: str, node: ast.expr) -> Lookup | None:
        """The lookup in an expression, or in the statement that gave a variable in it its value, which asks for numbers
        where the keys are texts of such, or the other way round, and so can never find one."""
        tree = tree_of(file)
        scope = tree.function(node) if tree is not None else None
        lines = {node.lineno}
        for part in ast.walk(scope) if scope is not None else ():
            if isinstance(part, ast.Assign) and _binds(part, node):
                lines.add(part.value.lineno)
        own = [one for one in self.all if one.file == file and one.line in lines and one.fits_no_key]
        meant = next((one for one in own if one.near is not None), next(iter(own), None))
        return meant if meant is not None and self.always_misses(meant) else None

    def is_asked(self, lookup: Lookup, key: Plain) -> bool:
        """Whether some pass of the statement was seen in which that key was asked for."""
        asked = [*_asked(lookup.file, lookup.sight.line), *_filtering(lookup.file, lookup.sight.line)]
        asked = [one for one in asked if one.node.lineno == lookup.line]
        sights = self.course.at(lookup.file, lookup.sight.line)
        return any(evaluated(one.key, sight.read) == key for sight in sights for one in asked)

    def _changed_at(self, sight: Sight, key: ast.expr) -> int:
        """The line in which the name of the key was bound to a text that a method changed."""
        if not isinstance(key, ast.Name):
            return 0
        binding = [s for s in self.course.in_frame(sight.frame) if s.index < sight.index and key.id in s.bound]
        statement = self._births.statement(binding[-1]) if binding else None
        value = statement.value if isinstance(statement, ast.Assign) else None
        match value:
            case ast.Call(func=ast.Attribute(attr=name)) if name in CHANGING and statement is not None:
                return statement.lineno
        return 0

    def _attributes(self, sight: Sight, one: _Asked) -> tuple[Plain, ...]:
        """The names of the functions of the program, where what was taken shows that the object lacks the attribute."""
        if _bound_as(sight, one.taken) is None:
            return ()
        names = {frame.function.rpartition(".")[2] for frame in self.course.frames}
        return (*sorted(names | _functions(self.course.files())),)

    def _written(self, sight: Sight, key: ast.expr, value: Plain) -> Birth | None:
        """Where somebody wrote the key down; of `key.lower()`, the text that it was made of."""
        while isinstance(key, ast.Call) and isinstance(key.func, ast.Attribute) and not key.args:
            key = key.func.value
            value = evaluated(key, sight.read)  # type: ignore[assignment]
        parts = [key] if not isinstance(key, ast.JoinedStr | ast.BinOp) else [*ast.walk(key)]
        for part in parts:
            held = evaluated(part, sight.read) if isinstance(part, ast.expr) else None
            is_text = isinstance(held, str) and not isinstance(part, ast.Constant | ast.JoinedStr | ast.BinOp)
            birth = self._births.back(sight, part, held) if is_text else None  # type: ignore[arg-type]
            if birth is not None and birth.is_a_setting:
                return birth
        return self._only_place(value) if isinstance(value, str) else None

    def _only_place(self, text: str) -> Birth | None:
        """The one place of the program where the text stands, where there is only one."""
        found = [
            Birth(file, node.lineno, "literal", ast.unparse(node), text)
            for file in self.course.files()
            for node in constants_of(file).get(text, ())
        ]
        return found[0] if len(found) == 1 else None


def _binds(statement: ast.Assign, node: ast.expr) -> bool:
    """Whether the statement gives a variable its value that the expression reads."""
    read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return any(isinstance(target, ast.Name) and target.id in read for target in statement.targets)


def _registers(file: str, key: Plain) -> bool:
    """Whether a decorator of the file is given the key."""
    tree = tree_of(file)
    decorators = (
        part
        for node in (tree.statements if tree is not None else ())
        for decorator in getattr(node, "decorator_list", ())
        for part in ast.walk(decorator)
    )
    return isinstance(key, str) and any(isinstance(part, ast.Constant) and part.value == key for part in decorators)


def _last_import(file: str) -> int:
    """The line of the last import of a package's own modules; 0 for none."""
    tree = tree_of(file)
    own = [node for node in (tree.statements if tree is not None else ()) if isinstance(node, ast.ImportFrom)]
    return next((node.lineno for node in reversed(own) if node.level == 1), 0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _bound_as(sight: Sight, taken: ast.expr | None) -> Seen | None:
    """What the statement bound, where it is a function of the name that stands in `taken`."""
    bound = next(iter(sight.bound.values()), None)
    name = getattr(taken, "attr", getattr(taken, "id", ""))
    is_it = bound is not None and bound.kind == "callable" and str(bound.value).rpartition(".")[2] == name
    return bound if is_it else None


def _functions(files: Iterable[str]) -> set[str]:
    """The names of the functions that the files define."""
    trees = [tree for tree in map(tree_of, files) if tree is not None]
    return {node.name for tree in trees for node in tree.parents if isinstance(node, ast.FunctionDef)}


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a statement looks something up."""

    node: ast.expr
    table: ast.expr
    key: ast.expr
    taken: ast.expr | None
    """What is taken where there is no such key."""
    of_object: bool = False
    """Whether it is an attribute that is asked for."""


def _asked(file: str, line: int) -> Iterator[_Asked]:
    """The lookups that do not raise in the statement at the line, or in its header."""
    looked_at = readings(file)
    statement, tree = looked_at.statement(line), tree_of(file)
    for part in (part for node in looked_at.nodes_at(line) for part in ast.walk(node)):
        match part:
            case ast.Call(func=ast.Attribute(value=table, attr="get" | "pop"), args=[key, *rest], keywords=[]):
                if len(rest) < 2:
                    yield _Asked(part, table, key, rest[0] if rest else None)
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, key, taken]):
                yield _Asked(part, owner, key, taken, of_object=True)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                yield from _chosen(part, test, body, orelse)
            case ast.Subscript(value=table, slice=key) if tree is not None and statement is not None:
                yield from _caught(tree, statement, part, table, key)
    if isinstance(statement, ast.If):
        chosen = [*_chosen(statement.test, statement.test, _value(statement.body), _value(statement.orelse))]
        yield from chosen or _passed_over(statement)


def _filtering(file: str, line: int) -> Iterator[_Asked]:
    """The lookups in the tests of the comprehensions of the statement, or whose element begins, at the line."""
    looked_at = readings(file)
    within = (part for node in looked_at.nodes_at(line) for part in ast.walk(node))
    for test in (*looked_at.tests_at(line), *(test for part in within for test in getattr(part, "ifs", ()))):
        match test:
            case ast.Compare(left=key, ops=[ast.In()], comparators=[table]):
                yield _Asked(test, table, key, None)


def _chosen(node: ast.expr, test: ast.expr, body: ast.expr | None, orelse: ast.expr | None) -> Iterator[_Asked]:
    """`T[k] if k in T else d`, and the same as statements."""
    match test:
        case ast.Compare(left=key, ops=[ast.In()], comparators=[table]) if _reads(body, table):
            yield _Asked(node, table, key, orelse)
        case ast.Compare(left=key, ops=[ast.NotIn()], comparators=[table]) if body is not None:
            yield _Asked(node, table, key, body)


def _passed_over(statement: ast.If) -> Iterator[_Asked]:
    """`if k not in T: continue`, and `if k in T:` without an `else`."""
    match statement.test:
        case ast.Compare(left=key, ops=[ast.NotIn()], comparators=[table]):
            if isinstance(statement.body[-1], ast.Continue | ast.Return):
                yield _Asked(statement.test, table, key, None)
        case ast.Compare(left=key, ops=[ast.In()], comparators=[table]) if not statement.orelse:
            yield _Asked(statement.test, table, key, None)


def _reads(node: ast.expr | None, table: ast.expr) -> bool:
    text = ast.unparse(table)
    parts = ast.walk(node) if node is not None else ()
    return any(isinstance(part, ast.Subscript) and ast.unparse(part.value) == text for part in parts)


def _caught(tree: Tree, statement: ast.stmt, node: ast.expr, table: ast.expr, key: ast.expr) -> Iterator[_Asked]:
    """`T[k]` in a `try`, with what its handler takes."""
    outer = tree.parents.get(statement)
    if isinstance(outer, ast.Try) and statement in outer.body and outer.handlers:
        taken = _value(outer.handlers[0].body)
        if taken is not None:
            yield _Asked(node, table, key, taken)


def _value(body: list[ast.stmt]) -> ast.expr | None:
    """What a branch assigns or returns first."""
    for statement in body:
        if isinstance(statement, ast.Assign | ast.Return):
            return statement.value
    return None
