"""What never runs because another function was registered under its name."""

from __future__ import annotations

import ast
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at, was_entered
from fxaudit.program.ran import Ran
from fxaudit.program.registrations import Shadowed, shadowed, stores_by_name
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree

__all__ = ["with_shadowed_registration"]

UNUSED = ("FXA101", "FXA103", "FXA303")
"""The rules on what nothing uses."""
SHORT = 3
"""A word of fewer letters says nothing."""


def with_shadowed_registration(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line that takes the name of a function away which mentions what the finding is about."""
    if finding.level == "note" or finding.culprit is None:
        return finding
    files = list(dict.fromkeys([*audit.project_files, *audit.record.course.files()]))
    ran = audit.record.ran()
    wanted = {word for name in finding.parameters for word in _words(name)}
    for found in shadowed(files):
        if _was_used(found.first_tree, found.first, ran, found.second) or not _was_used(found.tree, found.second, ran):
            continue
        is_guilty = _is_within(finding.culprit, found) and stores_by_name(files, _decorated_by(found))
        is_missed = finding.code in UNUSED and wanted & _mentioned(found.first) - _mentioned(found.second)
        if is_guilty or is_missed:
            where = source_at(found.tree.file, found.line)
            words = (
                f"`{found.second.name}` takes the place of `{found.first.name}`: both are registered as {found.key!r}"
            )
            first = Related(source_at(found.first_tree.file, found.first.lineno), f"`{found.first.name}` never runs")
            role = "what runs instead does this" if is_guilty else "what is made here goes unused"
            related = (first, Related(finding.culprit, role), *finding.related)
            fix = "Register each under a name of its own."
            message = f"{finding.message}; {words}" if is_guilty else finding.message
            return replace(finding, message=message, culprit=where, related=related[:3], fix=fix, fact=words)
    return finding


def _was_used(
    tree: Tree, node: ast.FunctionDef | ast.ClassDef, ran: Ran, heir: ast.FunctionDef | ast.ClassDef | None = None
) -> bool:
    """Whether the function, or a method of the class, was called; of methods that `heir` has from it only those that it
    has of its own, too."""
    if isinstance(node, ast.FunctionDef):
        return was_entered(tree, node, ran)
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    bases = {getattr(base, "attr", getattr(base, "id", "")) for base in getattr(heir, "bases", ())}
    if heir is not None and node.name in bases:
        own = {part.name for part in heir.body if isinstance(part, ast.FunctionDef)}
        methods = [method for method in methods if method.name in own]
    return any(was_entered(tree, method, ran) for method in methods)


def _is_within(culprit: SourceLine, found: Shadowed) -> bool:
    """Whether the line stands in what took the other's place."""
    second = found.second
    return actual_path(culprit.file) == found.tree.file and second.lineno <= culprit.line <= (second.end_lineno or 0)


def _decorated_by(found: Shadowed) -> str:
    calls = (node for node in found.second.decorator_list if isinstance(node, ast.Call) and node.lineno == found.line)
    return next((str(getattr(call.func, "attr", getattr(call.func, "id", ""))) for call in calls), "")


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
