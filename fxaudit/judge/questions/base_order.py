"""A method that never runs because its class, a mixin say, stands behind another base that has one of the same name."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.questions.misnamed import methods_called, reads_all
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at, was_entered
from fxaudit.program.overrides import Hidden, hidden_by_order
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, tree_of

__all__ = ["with_bases_to_turn"]


def with_bases_to_turn(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line that lists the bases, where the method to blame is hidden by their order, or one that
    would hand out what is left out."""
    line = finding.culprit
    if line is None or line.library or finding.level == "note":
        return finding
    hidden = _hidden_around(audit, line) or _hidden_behind(audit, line, finding.parameters)
    if hidden is None:
        return finding
    right, wrong = f"{hidden.owner}.{hidden.method.name}", f"{hidden.before}.{hidden.method.name}"
    where = source_at(hidden.tree.file, hidden.line)
    related = (
        Related(line, f"`{wrong}` runs, and hides `{right}`: its class comes first"),
        *(r for r in finding.related if r.source != line),
    )
    fix = f"List `{hidden.owner}` before the other bases: Python takes the method of the first one that has it."
    return replace(finding, culprit=where, related=related[:3], fix=fix)


def _hidden_around(audit: Audit, line: SourceLine) -> Hidden | None:
    """Where the line stands in a method that never ran: what hides it in the class of an object on which the other ran,
    and goes no further."""
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    method = tree.function(statement) if tree is not None and statement is not None else None
    owner = tree.parents.get(method) if tree is not None and method is not None else None
    if tree is None or not isinstance(method, ast.FunctionDef) or not isinstance(owner, ast.ClassDef):
        return None
    if was_entered(tree, method, audit.record.ran()):
        return None
    for kind, before in _seen_running(audit, method.name):
        for hidden in hidden_by_order(audit.project_files, kind, method.name):
            if hidden.method is method and hidden.before == before:
                return hidden
    return None


def _seen_running(audit: Audit, name: str) -> Iterator[tuple[str, str]]:
    """(class of the object, class of the method) of the methods of that name that were seen running."""
    course = audit.record.course
    for tree, owner, method in _methods(audit, name):
        kinds = {
            str(sight.read["self"].value).rpartition(".")[2]
            for statement in ast.walk(method)
            if isinstance(statement, ast.stmt) and statement is not method
            for sight in course.at(tree.file, statement.lineno)
            if "self" in sight.read
        }
        yield from ((kind, owner.name) for kind in sorted(kinds))


def _methods(audit: Audit, name: str) -> Iterator[tuple[Tree, ast.ClassDef, ast.FunctionDef]]:
    for tree in filter(None, map(tree_of, audit.project_files)):
        for node in tree.nodes:
            for member in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(member, ast.FunctionDef) and member.name == name:
                    assert isinstance(node, ast.ClassDef)
                    yield tree, node, member


def _hidden_behind(audit: Audit, line: SourceLine, left_out: Collection[str]) -> Hidden | None:
    """The same for a method that the line calls to get parameters: the one that is hidden reads all that are left
    out."""
    ran = audit.record.ran()
    for _, owner, method, kind in methods_called(audit, line):
        for hidden in hidden_by_order(audit.project_files, kind, method.name):
            tree = next((t for t, _, m in _methods(audit, method.name) if m is hidden.method), None)
            is_idle = tree is not None and not was_entered(tree, hidden.method, ran)
            if is_idle and hidden.before == owner.name and reads_all(hidden.method, left_out):
                return hidden
    return None
