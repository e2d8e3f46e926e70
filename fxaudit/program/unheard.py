"""Settings that somebody wrote down and that have no effect, or another: misspelt, misplaced, or merged away."""

from __future__ import annotations

import ast

from fxaudit.program.birth import COUNTS, Birth, Stations
from fxaudit.program.config_files import (
    block_around,
    entry_of_file,
    is_based_on,
    keys_of_file,
    replaced_blocks,
    texts_of_key,
)
from fxaudit.program.course import Course, Plain, Seen, Sight
from fxaudit.program.keys import unasked_key
from fxaudit.program.merging import merged_at, merged_over, replaced_block
from fxaudit.program.plain import count_of, readings, stores_of, words_of
from fxaudit.program.spelling import abbreviates, letters_apart, means_the_same
from fxaudit.program.tree import tree_of

__all__ = ["Unheard"]

MORE_WORDS = 2
"""By so many words a key may be longer than the name that it was meant for."""
STEM = 5
"""What two words begin with alike, so many letters long, makes one of them nearly the other: `train`, `trainable`."""


class Unheard:
    """Answers for one course."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def misspelt(self, name: str, value: Plain, before: int, stations: Stations) -> Birth | None:
        """The entry of a configuration file that nobody reads, because its key is nearly this one."""
        files = self._course.config_files(before)
        if any(key == name for file in files for _, key, _ in keys_of_file(file)):
            return None
        read = frozenset[str]().union(*(words_of(file) for file in self._course.files()))
        for file in files:
            for line, key, text in keys_of_file(file):
                if key not in read and _is_nearly(name, key):
                    return Birth(file, line, "misspelt", text, value, stations)
        return None

    def written_in_vain(self, name: str, value: Plain, stations: Stations) -> Birth | None:
        """Where the program gives a value to something of nearly this name, which it mentions nowhere else."""
        files = self._course.files()
        for file in files:
            for word, line, text in stores_of(file):
                is_near = word != name and letters_apart(name, word) is not None
                if is_near and sum(count_of(other, word) for other in files) == 1:
                    return Birth(file, line, "misspelt", text, value, stations)
        return None

    def swallowed(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, value: Plain, stations: Stations
    ) -> Birth | None:
        """The keyword argument of a call that is nearly this one, and ends in the `**rest` of the function."""
        if function.args.kwarg is None:
            return None
        known = {a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
        for file in self._course.files():
            tree = tree_of(file)
            for node in tree.parents if tree is not None else ():
                given = node.arg if isinstance(node, ast.keyword) else None
                if (
                    isinstance(node, ast.keyword)
                    and given
                    and given not in known
                    and (_is_nearly(name, given) or _is_nearly(given, name))
                ):
                    text = f"{given}={ast.unparse(node.value)}"
                    return Birth(file, node.value.lineno, "misspelt", text, value, stations)
        return None

    def overruled_by(self, entry: Birth, name: str, defaults: set[int], before: int) -> Birth | None:
        """Where the `defaults` of the program are put over what a file says of the same key in a block of that name."""
        for special in self._course.config_files(before):
            said = [*texts_of_key(special, name)]
            merged = merged_over(self._course, special, defaults) if len(said) == 1 else None
            statement = self._statement(merged) if merged is not None else None
            if merged is None or statement is None or any(entry_of_file(special, name, entry.value)):
                continue
            if block_around(special, said[0][0]) not in (None, *_keys_around(entry)):
                continue
            return self._merged_wrongly(entry, name, (special, *said[0]), merged, statement)
        return None

    def _merged_wrongly(
        self, entry: Birth, name: str, said: tuple[str, int, str], merged: Sight, statement: ast.stmt
    ) -> Birth:
        """The birth of a value that counts, though a file says another one for it."""
        lost = (*said[:2], f"`{name}` is {said[2]} here, which is lost")
        counts = (entry.file, entry.line, f"`{name}` is {entry.value!r} {COUNTS}")
        place, text = self._course.file_of(merged), ast.unparse(statement)
        return Birth(place, merged.line, "overruled", text, entry.value, (*entry.stations, counts, lost))

    def overruled(self, entry: Birth, name: str, before: int) -> Birth | None:
        """Where a file that another one begins with, `_base_: base.yaml`, is merged over that one: its entry counts,
        and what the other says of the same key is lost."""
        files = self._course.config_files(before)
        for special in files:
            said = [*texts_of_key(special, name)]
            is_once = len(said) == 1 and len([*texts_of_key(entry.file, name)]) == 1
            if special == entry.file or not is_once or not is_based_on(special, entry.file):
                continue
            if any(True for _ in entry_of_file(special, name, entry.value)):
                continue
            merged = merged_at(self._course, special, entry.file)
            statement = self._statement(merged) if merged is not None else None
            if merged is not None and statement is not None:
                return self._merged_wrongly(entry, name, (special, *said[0]), merged, statement)
        return None

    def beside(self, entry: Birth, name: str, before: int) -> Birth | None:
        """The one entry of another file that nobody reads, because its key is nearly this one, in a block of the same
        key as that in which the entry stands: it was to switch on what the entry switches off, or to take its place,
        where the file begins with what the entry's says."""
        files = [file for file in self._course.config_files(before) if file != entry.file]
        read = frozenset[str]().union(*(words_of(file) for file in self._course.files()))
        known, around = {key for _, key, _ in keys_of_file(entry.file)}, block_around(entry.file, entry.line)
        counts = (entry.file, entry.line, f"`{name}` is {entry.value!r} {COUNTS}")
        found = [
            Birth(file, line, "misspelt", text, entry.value, (*entry.stations, counts))
            for file in files
            for line, key, text in keys_of_file(file)
            if key not in read | known
            and block_around(file, line) == around
            and _is_nearly(name, key)
            and all(line != at for at, _ in entry_of_file(file, key, entry.value))
        ]
        if len(found) != 1 or (entry.value and not self._is_put_over(found[0].file, entry.file, files)):
            return None
        return found[0]

    def _is_put_over(self, special: str, base: str, files: list[str]) -> bool:
        """Whether what a file says was seen to be put together with what stands in a file that it begins with, at once
        or by way of others."""
        based, waiting = {special}, [special]
        while waiting:
            file = waiting.pop()
            more = [other for other in (*files, base) if other not in based and is_based_on(file, other)]
            based.update(more)
            waiting += more
        return base in based and merged_at(self._course, special, base) is not None

    def near_member(self, owner: Seen, name: str, value: Plain, before: int, stations: Stations) -> Birth | None:
        """The one line of a configuration file with the key of the table that is nearly the one that is asked for."""
        near = [k for k in owner.members or () if isinstance(k, str) and letters_apart(name, k) is not None]
        found = [
            Birth(file, line, "misspelt", text, value, stations)
            for file in self._course.config_files(before)
            for line, key, text in keys_of_file(file)
            if key in near
        ]
        return found[0] if len(found) == 1 else None

    def unasked(self, sight: Sight, call: ast.Call, value: Plain, stations: Stations) -> Birth | None:
        """The entry of the table that nothing asks for, where `table.get(name, …)` finds others and not this one."""
        match call:
            case ast.Call(func=ast.Attribute(value=table), args=[key, *_]):
                found = unasked_key(self._course, sight, key, table)
                if found is not None:
                    return Birth(found.file, found.line, "misspelt", found.text, value, stations)
        return None

    def misplaced(self, name: str, value: Plain, before: int, stations: Stations) -> Birth | None:
        """Where a configuration file has the key after all: in another section, or in a block that has no effect
        because its own key comes once more further down."""
        found: list[Birth] = []
        for file in self._course.config_files(before):
            for line, key, text in keys_of_file(file):
                if key != name or any(line == at for at, _ in entry_of_file(file, name, value)):
                    continue
                idle = next((block for block in replaced_blocks(file) if block.first <= line <= block.last), None)
                if idle is not None:
                    here = (file, line, f"`{name}` stands here, and `{idle.key}` is given once more")
                    return Birth(file, idle.again, "misplaced", idle.text, value, (*stations, here))
                found.append(Birth(file, line, "misplaced", text, value, stations))
        return (self._replaced(found[0], name, before) or found[0]) if len(found) == 1 else None

    def _replaced(self, entry: Birth, name: str, before: int) -> Birth | None:
        """The statement that merges two files one level deep, so that a block without the key takes the place of the
        one that has it."""
        block = replaced_block(self._course, self._course.config_files(before), entry.file, entry.line)
        statement = self._statement(block.merged) if block is not None else None
        if block is None or statement is None:
            return None
        stands = (entry.file, entry.line, f"`{name}` stands here")
        counts = (block.file, block.line, f"this `{block.key}` takes the place of that block")
        place = self._course.file_of(block.merged)
        told = (*entry.stations, counts, stands)
        return Birth(place, block.merged.line, "replaced", ast.unparse(statement), entry.value, told)

    def _statement(self, sight: Sight) -> ast.stmt | None:
        return readings(self._course.file_of(sight)).statement(sight.line)


def _keys_around(entry: Birth) -> list[str]:
    """The keys of the displays in which an entry stands, from the outermost one."""
    tree = tree_of(entry.file)
    statement = tree.statement_at(entry.line) if tree is not None else None
    pairs = (
        pair
        for node in (ast.walk(statement) if statement is not None else ())
        if isinstance(node, ast.Dict)
        for pair in zip(node.keys, node.values, strict=True)
    )
    return [
        str(key.value)
        for key, value in pairs
        if isinstance(key, ast.Constant)
        and isinstance(value, ast.Dict)
        and value.lineno <= entry.line <= (value.end_lineno or 0)
    ]


def _is_nearly(name: str, key: str) -> bool:
    """Whether a key was meant for the name: a letter is wrong, a word is too many, or one is cut short."""
    words, others = set(name.split("_")), set(key.split("_"))
    is_longer = len(words ^ others) <= MORE_WORDS and ({name} < others or {key} < words)
    is_cut = min(len(name), len(key)) >= STEM and (name.startswith(key) or key.startswith(name))
    is_near = is_cut or letters_apart(name, key) is not None or is_longer or abbreviates(name, key)
    return is_near or means_the_same(name, key)
