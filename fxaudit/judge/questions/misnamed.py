"""A method of a subclass that was meant to take the place of one that runs, and is called otherwise."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at, was_entered
from fxaudit.program.keys import is_put_together
from fxaudit.program.plain import count_of
from fxaudit.program.source import SourceLine, actual_path, is_library
from fxaudit.program.spelling import abbreviates, letters_apart
from fxaudit.program.tree import Tree, sliced_statements, tree_of

__all__ = ["methods_called", "reads_all", "with_misnamed_override"]

Called = tuple[Tree, ast.ClassDef, ast.FunctionDef, str]
"""A method that ran, where it stands, and the class of the object whose method it was."""


def with_misnamed_override(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line of the misspelt method, where one should run in the place of the method to blame."""
    line = finding.culprit
    if line is None or finding.level == "note":
        return finding
    found = _misnamed(audit, line)
    behind = _misnamed_behind(audit, line, finding.parameters) if found is None else None
    found = found or behind
    if found is None:
        return finding
    where, wrong, right = found
    role = f"`{right}` runs, and `{wrong}`, which nobody calls, was meant"
    related = (Related(line, role), *(r for r in finding.related if r.source != line))
    fix = (
        f"Call the method `{right.rpartition('.')[2]}`, as the one whose place it is to take."
        if behind
        else finding.fix
    )
    return replace(finding, culprit=where, related=related[:3], fix=fix)


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
                found = _near_method(
                    audit, other, kind, owner, lambda name: letters_apart(method.name, name) is not None
                )
                if found is not None:
                    wrong, right = f"{kind}.{found.name}", f"{owner.name}.{method.name}"
                    return source_at(file, found.lineno), wrong, right
    return None


def _classes_of_self(audit: Audit, tree: Tree, line: int) -> set[str]:
    """The classes of the objects whose method was seen running at the line."""
    sights = audit.record.course.at(tree.file, line)
    found = {str(sight.read["self"].value) for sight in sights if "self" in sight.read}
    return {name.rpartition(".")[2] for name in found}


def _misnamed_behind(audit: Audit, line: SourceLine, left_out: Collection[str]) -> tuple[SourceLine, str, str] | None:
    """The same for a method that the line calls to get parameters: the other one reads all that are left out, its name
    is that of the one that runs but for a word cut short, or a letter, and stands nowhere else in the program."""
    for _, owner, method, kind in methods_called(audit, line):
        if kind == owner.name or method.name[:2] == "__":
            continue
        for file in audit.project_files:
            tree = tree_of(file)
            if tree is None:
                continue
            found = _near_method(audit, tree, kind, owner, partial(_is_near, method.name))
            if found is not None and reads_all(found, left_out) and not _is_named(audit, found.name):
                wrong, right = f"{kind}.{found.name}", f"{owner.name}.{method.name}"
                return source_at(file, found.lineno), wrong, right
    return None


def methods_called(audit: Audit, line: SourceLine) -> Iterator[Called]:
    """The methods that were seen running while the statement at the line did, or one that decided what it was given."""
    course = audit.record.course
    file = actual_path(line.file)
    places = [(file, line.line), *((f, at) for f, at, _ in sliced_statements(file, line.line))]
    seen: set[tuple[str, int, frozenset[str]]] = set()
    for place, at in dict.fromkeys(places):
        tree = tree_of(place)
        statement = tree.statement_at(at) if tree is not None else None
        for sight in course.at(place, statement.lineno) if statement is not None else ():
            for number in course.entered_from(sight):
                entered = course.frames[number]
                passes = course.in_frame(number)
                kinds = frozenset(
                    str(one.read["self"].value).rpartition(".")[2] for one in passes if "self" in one.read
                )
                found = _method_at(entered.file, entered.first_line) if len(kinds) == 1 else None
                key = (entered.file, entered.first_line, kinds)
                if found is not None and key not in seen:
                    seen.add(key)
                    yield (*found, next(iter(kinds)))


def reads_all(method: ast.FunctionDef, names: Collection[str]) -> bool:
    """Whether each of the parameters lies below an attribute of its own object that the method reads."""
    read = {
        node.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    return bool(names) and all(not read.isdisjoint(name.split(".")) for name in names)


def _method_at(file: str, first_line: int) -> tuple[Tree, ast.ClassDef, ast.FunctionDef] | None:
    tree = tree_of(file) if not is_library(file) else None
    for node in tree.nodes if tree is not None else ():
        owner = tree.parents.get(node) if tree is not None else None
        if isinstance(node, ast.FunctionDef) and isinstance(owner, ast.ClassDef):
            begins = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if tree is not None and begins == first_line:
                return tree, owner, node
    return None


def _is_near(name: str, other: str) -> bool:
    return letters_apart(name, other) is not None or abbreviates(name, other)


def _is_named(audit: Audit, name: str) -> bool:
    """Whether anything in the program but the method itself has the name, or puts it together."""
    files = audit.project_files
    return any(count_of(file, name) for file in files) or is_put_together(files, name)


def _near_method(
    audit: Audit, tree: Tree, kind: str, base: ast.ClassDef, is_near: Callable[[str], bool]
) -> ast.FunctionDef | None:
    known = {member.name for member in base.body if isinstance(member, ast.FunctionDef)}
    ran = audit.record.ran()
    for node in tree.parents:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            for member in node.body:
                if not isinstance(member, ast.FunctionDef) or member.name in known:
                    continue
                if is_near(member.name) and not was_entered(tree, member, ran):
                    return member
    return None
