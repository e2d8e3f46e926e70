"""Why what a test asks for was never given another value: what would have given it one never ran."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.recording import Record
from fxaudit.judge.questions.never_told import never_told
from fxaudit.judge.questions.told_another import told_another
from fxaudit.judge.trail import blamed, decision_at, never_called, project_files, registered, source_at, was_entered
from fxaudit.program.decisions import Decision
from fxaudit.program.defaults import given_for, parameter_at
from fxaudit.program.plain import stores_of
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, call_sites, obstacles, tree_of

__all__ = ["never_set"]

Lines = list[tuple[SourceLine, str]]
OPPOSITE = ("un", "de", "dis")
"""How the name of a function begins that takes back what another one does."""


def never_set(record: Record, decision: Decision) -> Lines:
    """Why nothing ran that gives what a test asks for another value than the one it began with: (line, role) pairs, the
    line to edit first; none where there is no such thing."""
    birth = decision.birth
    if birth is None or not birth.is_a_setting:
        return []
    if "." in decision.operand:
        name = decision.operand.rpartition(".")[2]
        stored = _never_stored(record, name) or _kept_from_storing(record, name, decision.value)
        return stored or never_told(record, decision) or told_another(record, decision)
    return _never_given(record, decision) if birth.kind == "default" else []


def _never_stored(record: Record, name: str) -> Lines:
    """Why the function never ran that stores something else under the name."""
    ran = record.ran()
    for tree, line, statement in _stores(record, name):
        scope = tree.function(statement)
        if scope is None or was_entered(tree, scope, ran):
            continue
        found = _never_taken_back(record, getattr(scope, "name", ""))
        found = found or registered(_files(record), tree, scope) or never_called(record, tree, scope)
        if found:
            return [*found, (source_at(tree.file, line), f"`{name}` would get another value here")]
    return []


def _kept_from_storing(record: Record, name: str, value: object) -> Lines:
    """What keeps the one statement from running that stores another constant under the name, in a function that runs;
    or the call that is never taken back, where nobody calls the function of the opposite name."""
    ran = record.ran()
    for tree, line, statement in _stores(record, name):
        constant = getattr(statement, "value", None)
        if not isinstance(constant, ast.Constant) or constant.value == value:
            continue
        scope = tree.function(statement)
        if scope is None or getattr(scope, "name", "") == "__init__" or line in ran.of(tree.file):
            continue
        told = (source_at(tree.file, line), f"`{name}` would get another value here, and this never runs")
        if not was_entered(tree, scope, ran):
            return [*_never_taken_back(record, getattr(scope, "name", "")), told][:2]
        for obstacle in obstacles(tree, statement, ran.of(tree.file))[:1]:
            return [(source_at(obstacle.file, obstacle.line), obstacle.role), told]
    return []


def _files(record: Record) -> list[str]:
    """The files of the project, and those of which something ran."""
    return list(dict.fromkeys([*project_files(record), *record.course.files()]))


def _stores(record: Record, name: str) -> Iterator[tuple[Tree, int, ast.stmt]]:
    """(file, line, statement) of each place that stores something under the name."""
    for tree in filter(None, map(tree_of, _files(record))):
        for word, line, _ in stores_of(tree.file):
            statement = tree.statement_at(line) if word == name else None
            if statement is not None:
                yield tree, line, statement


def _never_taken_back(record: Record, name: str) -> Lines:
    """The call of what `name`, or a function that calls it, is the opposite of, where nobody calls the latter."""
    files, ran = project_files(record), record.ran()
    scopes = {name}
    for tree, call in call_sites(files, name):
        scope = tree.function(call)
        if scope is not None and not was_entered(tree, scope, ran):
            scopes.add(getattr(scope, "name", ""))
    for function in sorted(scopes, key=len, reverse=True):
        opposite = next((function.removeprefix(p) for p in OPPOSITE if function.startswith(p)), "")
        for tree, call in call_sites(files, opposite) if opposite else ():
            if call.lineno in ran.of(tree.file):
                words = f"`{opposite}` is called here, and nothing calls `{function}` afterwards"
                return [(source_at(tree.file, call.lineno), words)]
    return []


def _never_given(record: Record, decision: Decision) -> Lines:
    """Why the call never ran that gives the parameter something else than its default."""
    birth = decision.birth
    found = parameter_at(birth.file, birth.line, decision.operand) if birth is not None else None
    if birth is None or found is None:
        return []
    scope, name = found
    ran = record.ran()
    for tree, call in _calls(project_files(record), scope, name, decision.value):
        lines = ran.of(tree.file)
        if call.lineno in lines:
            continue
        told = (source_at(tree.file, call.lineno), f"this call gives `{name}` another value, and never runs")
        for obstacle in obstacles(tree, call, lines)[:1]:
            branch = (source_at(obstacle.file, obstacle.line), obstacle.role)
            decided = decision_at(record, obstacle)
            return blamed(decided, [branch, told]) if decided is not None else [branch, told]
    return []


def _calls(files: list[str], scope: ast.FunctionDef, name: str, value: object) -> Iterator[tuple[Tree, ast.Call]]:
    """The calls of the function that give the parameter something else than the value."""
    for tree, call in call_sites(files, scope.name):
        given = given_for(call, scope, name)
        if given is not None and not (isinstance(given, ast.Constant) and given.value == value):
            yield tree, call
