"""Tests that ask what a name begins with, where all names begin with something else: that of a wrapper, say."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.evaluation import evaluated
from fxaudit.program.name_tests import InVain
from fxaudit.program.tree import tree_of

__all__ = ["begun_otherwise"]


def begun_otherwise(audit: Audit, wanted: list[ParameterState]) -> Iterator[InVain]:
    """The texts with which no name began when the program asked, though a `wanted` one has them further in."""
    course = audit.record.course
    for file in audit.project_files:
        tree = tree_of(file)
        for node in tree.calls if tree is not None else ():
            match node:
                case ast.Call(
                    func=ast.Attribute(value=name, attr="startswith"), args=[ast.Constant(value=str(text))]
                ) if text.strip("."):
                    pass
                case _:
                    continue
            statement = tree.statement(node) if tree is not None else None
            sights = course.at(file, statement.lineno) if statement is not None else []
            asked = {worth for sight in sights if isinstance(worth := evaluated(name, sight.read), str)}
            named = tuple(state.local_name for state in wanted if f".{text}" in state.local_name)
            further = [one for one in asked if f".{text}" in one]
            if named and further and not any(one.startswith(text) for one in asked):
                before = further[0][: further[0].index(f".{text}") + 1]
                yield InVain(file, node.lineno, text, text, 0, named, before)
