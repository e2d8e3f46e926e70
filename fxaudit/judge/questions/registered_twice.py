"""What never runs because another function was registered under its name."""

from __future__ import annotations

import ast
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at, was_entered
from fxaudit.program.registrations import shadowed

__all__ = ["with_shadowed_registration"]

UNUSED = ("FXA101", "FXA103", "FXA303")
"""The rules on what nothing uses."""
SHORT = 3
"""A word of fewer letters says nothing."""


def with_shadowed_registration(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line that takes the name of a function away which mentions what the finding is about."""
    if finding.code not in UNUSED or finding.level == "note" or finding.culprit is None:
        return finding
    files = list(dict.fromkeys([*audit.project_files, *audit.record.course.files()]))
    ran = audit.record.ran()
    wanted = {word for name in finding.parameters for word in _words(name)}
    for found in shadowed(files):
        if was_entered(found.tree, found.first, ran) or not was_entered(found.tree, found.second, ran):
            continue
        if wanted & _mentioned(found.first) - _mentioned(found.second):
            where = source_at(found.tree.file, found.line)
            words = (
                f"`{found.second.name}` takes the place of `{found.first.name}`: both are registered as {found.key!r}"
            )
            first = Related(source_at(found.tree.file, found.first.lineno), f"`{found.first.name}` never runs")
            related = (first, Related(finding.culprit, "what is made here goes unused"), *finding.related)
            fix = "Register each under a name of its own."
            return replace(finding, culprit=where, related=related[:3], fix=fix, fact=words)
    return finding


def _words(name: str) -> set[str]:
    return {word for part in name.split(".") for word in part.split("_") if len(word) >= SHORT}


def _mentioned(function: ast.FunctionDef | ast.ClassDef) -> set[str]:
    """The words of the names and texts in the body of a function."""
    found: set[str] = set()
    for statement in function.body:
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=word) | ast.Attribute(attr=word):
                    found |= _words(word)
                case ast.Constant(value=str() as word):
                    found |= _words(word) if len(word.split()) == 1 else set()
    return found
