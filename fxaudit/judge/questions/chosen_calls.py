"""A statement that calls what a table has for a setting: `INITS[options.init](weight)`. The setting is to blame."""

from __future__ import annotations

import ast
from dataclasses import replace

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.births import born_at
from fxaudit.judge.rule import Audit, related_lines
from fxaudit.program.births import Births
from fxaudit.program.evaluation import evaluated
from fxaudit.program.source import actual_path
from fxaudit.program.tree import tree_of

__all__ = ["with_chosen_call"]

FILLED = ("FXA501",)
"""The rules whose culprit may fill a tensor."""


def with_chosen_call(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line of the setting by which its culprit chose the function that filled something."""
    line = finding.culprit
    if line is None or line.library or finding.level == "note" or finding.code not in FILLED:
        return finding
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Subscript(value=table, slice=key))) if not isinstance(key, ast.Constant):
            pass
        case _:
            return finding
    course = audit.record.course
    sights = course.at(tree.file, statement.lineno) if tree is not None else []
    values = {evaluated(key, sight.read) for sight in sights}
    value = values.pop() if len(values) == 1 else None
    birth = Births(course).back(sights[-1], key, value) if isinstance(value, str) else None
    if birth is None or not birth.is_a_setting:
        return finding
    where, stations = born_at(birth)
    told = [(line, f"`{ast.unparse(table)}` is asked for `{value}` here"), *stations]
    told += [(related.source, related.role) for related in finding.related]
    fix = f"{finding.fix.rstrip('.')}: set another one than `{value}` here."
    return replace(finding, culprit=where, related=related_lines(where, told), fix=fix)
