"""A branch that runs because of a text that means no, and is true: `if config["freeze"]:` where it is `"off"`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.slips import NO
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import tree_of

__all__ = ["COMPARE", "means_no", "with_text_flag"]

COMPARE = "Write a flag (`false`, `False`), or compare the text: `value.lower() in ('1', 'true', 'on')`."


def with_text_flag(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line of the text, where its culprit runs only because the text is taken for a flag."""
    line = finding.culprit
    if line is None or line.library or finding.level == "note":
        return finding
    decision = next((found for found in _around(audit, line) if means_no(found)), None)
    if decision is None:
        return finding
    where = source_at(*decision.place)
    words = f"`{decision.operand}` is the text {decision.value!r}, and every text but the empty one is true"
    told = [Related(line, "this runs because of it"), *finding.related]
    if (decision.file, decision.line) != decision.place:
        told.insert(0, Related(source_at(decision.file, decision.line), "taken for a flag here"))
    related = tuple(one for one in told if one.source != where)[:3]
    return replace(finding, culprit=where, related=related, fix=COMPARE, fact=words)


def means_no(decision: Decision) -> bool:
    """Whether the test was passed because of a text that means no."""
    return isinstance(decision.value, str) and decision.value.strip().lower() in NO and not decision.is_compared


def _around(audit: Audit, line: SourceLine) -> Iterator[Decision]:
    """Why the branches around the line were taken, the innermost first."""
    tree = tree_of(actual_path(line.file))
    inner: ast.AST | None = tree.statement_at(line.line) if tree is not None else None
    decisions = Decisions(audit.record.course)
    for outer in tree.ancestors(inner) if tree is not None and inner is not None else ():
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        if isinstance(outer, ast.If) and inner in outer.body and tree is not None:
            decision = decisions.of(tree.file, outer.lineno, outer.test, outcome=True)
            if decision is not None:
                yield decision
        inner = outer
