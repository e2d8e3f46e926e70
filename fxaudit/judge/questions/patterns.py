"""Texts that choose parameters for an optimizer, in a program or its configuration file, and that no name fits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.questions.left_out import Told
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.asked_texts import Asked, asked_in, names_seen
from fxaudit.program.config_files import keys_of_file, lines_with, texts_of_key
from fxaudit.program.keys import constants_of
from fxaudit.program.name_tests import tests_around
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["fitting_nothing", "pattern_in_vain"]

COMPARING = frozenset({"compile", "endswith", "fnmatch", "fnmatchcase", "fullmatch", "match", "search", "startswith"})
WORD = re.compile(r"(?<![A-Za-z_\\])[A-Za-z_]{3,}")
"""A name in a pattern."""


def fitting_nothing(
    audit: Audit, states: list[ParameterState], info: OptimizerInfo, places: Iterable[tuple[str, int]]
) -> Told | None:
    """The line of the texts that one round of a test at one of the places was seen to ask for, and no name fits, where
    other rounds ask for what the optimizer holds, and none for `states`."""
    course, names = audit.record.course, {state.local_name for state in audit.states if state.root is not None}
    held = [s.local_name for s in audit.states if any(index == info.index for index, _ in s.held)]
    missed = [state.local_name for state in states]
    for file, line in places:
        tree = tree_of(file)
        for test in [test for test, passing in tests_around(tree, line) if passing] if tree is not None else ():
            rounds = asked_in(course, tree, test) if tree is not None else []
            seen = names_seen(course, tree, test) if tree is not None and rounds else set()
            vain = _idle_texts(rounds, names) if seen and seen <= names else ()
            is_for_others = any(one.fitting(name) for one in rounds for name in held)
            place = _written(audit, vain) if is_for_others and not _fit(rounds, missed) else None
            if place is not None:
                what = " or ".join(f"`{text}`" for text in vain)
                return source_at(*place), [(source_at(file, test.lineno), f"asked here: no name fits {what}")]
    return None


def _fit(rounds: list[Asked], names: Iterable[str]) -> bool:
    return any(one.fitting(name) for one in rounds for name in names)


def _idle_texts(rounds: list[Asked], names: Iterable[str]) -> tuple[str, ...]:
    """The texts of the one round that no name fits; where each fits some, the one text that none does."""
    idle = [one for one in rounds if not _fit([one], names)]
    used = {text for one in rounds for name in names for text in one.fitting(name)}
    texts = tuple(dict.fromkeys(text for one in rounds for text in one.texts if text not in used))
    return idle[0].texts if len(idle) == 1 else texts if not idle and len(texts) == 1 else ()


def _written(audit: Audit, texts: tuple[str, ...]) -> tuple[str, int] | None:
    """(file, line) of the one place at which the first of the texts is written, be it without the dot at its end."""
    for text in dict.fromkeys((texts[0], texts[0].strip("."))) if texts else ():
        spelt = dict.fromkeys((text, text.replace("\\", "\\\\")))
        found = [(file, node.lineno) for file in audit.project_files for node in constants_of(file).get(text, ())]
        files = audit.record.course.config_files()
        found += [(file, line) for file in files for one in spelt for line, _ in lines_with(file, one)]
        if text and found:
            return found[0] if len(found) == 1 else None
    return None


def pattern_in_vain(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> tuple[SourceLine, str] | None:
    """(the line, the name) of the one pattern of its key that asks for a name which no parameter has, where the others
    ask for what the optimizer holds, and none for `states`."""
    names = [state.local_name for state in audit.states if state.root is not None]
    held = [s.local_name for s in audit.states if any(index == info.index for index, _ in s.held)]
    missed = [state.local_name for state in states]
    asking = _keys_compared(audit)
    for file in audit.record.course.config_files():
        for key in dict.fromkeys(key for _, key, _ in keys_of_file(file) if key in asking):
            asked = [(line, word) for line, text in texts_of_key(file, key) for word in WORD.findall(text)]
            vain = [(line, word) for line, word in asked if not _has(names, word)]
            others = [word for _, word in asked if _has(held, word)]
            texts = [text for line, text in texts_of_key(file, key) if len(vain) == 1 and line == vain[0][0]]
            is_for_others = not any(_has(missed, word) for _, word in asked)
            if len(vain) == 1 and others and (is_for_others or _would_fit(texts, vain[0][1], missed)):
                return source_at(file, vain[0][0]), vain[0][1]
    return None


def _would_fit(texts: list[str], word: str, missed: list[str]) -> bool:
    """Whether one of the patterns would find what is missed with a name in the place of the word that all of it has, or
    all of that with a word of such a name: `query` of `query_tower`."""
    parts = set.intersection(*({*name.split(".")} for name in missed)) if missed else set()
    corrected = [text.replace(word, re.escape(part)) for text in texts for part in parts if part.isidentifier()]
    words = {one for part in parts for one in part.split("_") if one.isidentifier()}
    in_part = [text.replace(word, one) for text in texts for one in words]
    return any(_finds(text, name) for text in corrected for name in missed) or any(
        all(_finds(text, name) for name in missed) for text in in_part
    )


def _finds(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def _keys_compared(audit: Audit) -> set[str]:
    """The words in the statements by which the program asks a text for a pattern, or how it begins."""
    found: set[str] = set()
    for tree in filter(None, map(tree_of, audit.project_files)):
        for call in tree.calls:
            statement = tree.statement(call) if getattr(call.func, "attr", "") in COMPARING else None
            for node in ast.walk(statement) if statement is not None else ():
                match node:
                    case ast.Constant(value=str(word)) | ast.Attribute(attr=word) | ast.Name(id=word):
                        found.add(word)
    return found


def _has(names: list[str], word: str) -> bool:
    return any(word in name for name in names)
