"""What to do about a setting that is to blame: the word that was meant, or another value, where a test asks for it."""

from __future__ import annotations

import ast
import os
from dataclasses import replace

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.births import unread_setting
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.deciders import decider_at
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, tree_of

__all__ = ["decision_at_line", "stands_in", "with_setting_to_change"]

ENDINGS = {
    "FXA101": "or remove the module from the model",
    "FXA102": "or delete the parameter",
    "FXA103": "or leave the computation out",
    "FXA401": "so that the call runs",
    "FXA402": "so that the call runs",
    "FXA404": "so that the call runs",
}
"""How the help goes on where a setting decides, by the code of the rule."""


def with_setting_to_change(audit: Audit, finding: Finding) -> Finding:
    """The finding; where its culprit is a setting for which one of its other lines asks, with what to make of that."""
    line = finding.culprit
    if line is None or line.library or finding.level == "note":
        return finding
    for source in (related.source for related in finding.related):
        tree = None if source.library else tree_of(actual_path(source.file))
        fix = _edit(audit, finding.code, line, tree, source.line) if tree is not None else ""
        if fix:
            return replace(finding, fix=fix)
    return finding


def _edit(audit: Audit, code: str, line: SourceLine, tree: Tree, number: int) -> str:
    """What to make of the setting in the line, if the line of that number asks for it; "" where it does not."""
    meant = _nearly_asked(audit, tree, number)
    if meant is not None and stands_in(meant, line):
        return _written(meant, line, (tree.file, number))
    decision = decision_at_line(audit, tree, number)
    birth = decision.birth if decision is not None else None
    if decision is None or birth is None or not stands_in(birth, line):
        return ""
    if birth.asked:
        asking = (place[:2] for place in reversed(birth.stations) if repr(birth.asked) in place[2])
        return _written(birth, line, next(asking, (tree.file, number)))
    unread = unread_setting(birth)
    if unread or code not in ENDINGS or not birth.is_a_setting:
        return unread
    return f"Give `{decision.operand}` another value here, {ENDINGS[code]}."


def _written(meant: Birth, line: SourceLine, asking: tuple[str, int]) -> str:
    """To write the word that is asked for at a place (file, line)."""
    file, number = asking
    is_near = file in (line.file, actual_path(line.file))
    where = f"line {number}" if is_near else f"line {number} of `{os.path.basename(file)}`"
    return f"Write `{meant.asked}` in place of `{meant.value}`: {where} asks for that."


def stands_in(birth: Birth, line: SourceLine) -> bool:
    """Whether the value was written down in the line."""
    found = source_at(birth.file, birth.line)
    return (found.file, found.line) == (line.file, line.line)


def _nearly_asked(audit: Audit, tree: Tree, number: int) -> Birth | None:
    """The birth of a text that the statement in the line compares with one that it nearly is."""
    statement, births = tree.statement_at(number), Births(audit.record.course)
    tests = [node for node in ast.walk(statement) if isinstance(node, ast.Compare)] if statement is not None else []
    sights = audit.record.course.at(tree.file, statement.lineno) if statement is not None else []
    found = (births.respelt(sights[-1], test) for test in tests if sights)
    return next((birth for birth in found if birth is not None), None)


def decision_at_line(audit: Audit, tree: Tree, number: int) -> Decision | None:
    """Why the test in the line went the one way whenever it was seen."""
    found, decisions = decider_at(tree.file, number), Decisions(audit.record.course)
    told = (decisions.of(tree.file, number, found[1], outcome=gave) for gave in (False, True)) if found else ()
    return next((decision for decision in told if decision is not None), None)
