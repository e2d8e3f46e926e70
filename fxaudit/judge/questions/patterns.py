"""Patterns in a configuration file that choose parameters for an optimizer, and ask for a name that nobody has."""

from __future__ import annotations

import ast
import re

from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.config_files import keys_of_file, texts_of_key
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["pattern_in_vain"]

COMPARING = frozenset({"compile", "endswith", "fnmatch", "fnmatchcase", "fullmatch", "match", "search", "startswith"})
WORD = re.compile(r"(?<![A-Za-z_\\])[A-Za-z_]{3,}")
"""A name in a pattern."""


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
            if len(vain) == 1 and others and not any(_has(missed, word) for _, word in asked):
                return source_at(file, vain[0][0]), vain[0][1]
    return None


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
