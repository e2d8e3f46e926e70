"""A method of a subclass that was meant to take the place of one that runs, and is called otherwise."""

from __future__ import annotations

import ast
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at, was_entered
from fxaudit.program.source import SourceLine, actual_path, is_library
from fxaudit.program.spelling import letters_apart
from fxaudit.program.tree import Tree, tree_of

__all__ = ["with_misnamed_override"]


def with_misnamed_override(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line of the misspelt method, where one should run in the place of the method to blame."""
    line = finding.culprit
    found = _misnamed(audit, line) if line is not None and finding.level != "note" else None
    if found is None or line is None:
        return finding
    where, wrong, right = found
    role = f"`{right}` runs, and `{wrong}`, which nobody calls, was meant"
    related = (Related(line, role), *(r for r in finding.related if r.source != line))
    return replace(finding, culprit=where, related=related[:3])


def _misnamed(audit: Audit, line: SourceLine) -> tuple[SourceLine, str, str] | None:
    """(line of the misspelt method, its name, the name of the method that runs)."""
    tree = tree_of(actual_path(line.file))
    if tree is None or line.library or is_library(tree.file):
        return None
    statement = tree.statement_at(line.line)
    method = tree.function(statement) if statement is not None else None
    owner = tree.parents.get(method) if method is not None else None
    if not isinstance(method, ast.FunctionDef) or not isinstance(owner, ast.ClassDef) or method.name[:2] == "__":
        return None
    for kind in _classes_of_self(audit, tree, line.line) - {owner.name}:
        for file in audit.project_files:
            other = tree_of(file)
            if other is not None:
                found = _near_method(audit, other, kind, owner, method.name)
                if found is not None:
                    wrong, right = f"{kind}.{found.name}", f"{owner.name}.{method.name}"
                    return source_at(file, found.lineno), wrong, right
    return None


def _classes_of_self(audit: Audit, tree: Tree, line: int) -> set[str]:
    """The classes of the objects whose method was seen running at the line."""
    sights = audit.record.course.at(tree.file, line)
    found = {str(sight.read["self"].value) for sight in sights if "self" in sight.read}
    return {name.rpartition(".")[2] for name in found}


def _near_method(audit: Audit, tree: Tree, kind: str, base: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    known = {member.name for member in base.body if isinstance(member, ast.FunctionDef)}
    ran = audit.record.ran()
    for node in tree.parents:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.name not in known:
                    is_near = letters_apart(name, member.name) is not None
                    if is_near and not was_entered(tree, member, ran):
                        return member
    return None
