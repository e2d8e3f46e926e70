"""A part of the model that was handed to what builds the optimizer, which then left out none of its parameters."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.given import calls_in, last_name
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import Tree, sliced_statements, tree_of

__all__ = ["HANDED", "handed_a_part"]

HANDED = "Hand over what has these parameters, too: the part that is handed over here has none of them."
GIVING = frozenset({"parameters", "named_parameters"})
Lines = list[tuple[SourceLine | None, str]]


def handed_a_part(audit: Audit, info: OptimizerInfo) -> tuple[SourceLine | None, Lines] | None:
    """The call that hands over the module of which the optimizer holds all that could be trained, and nothing else:
    what chose among its parameters on the way left out none."""
    names = _names_of_all_held(audit, info)
    stacks = audit.record.stacks
    for number, frame in enumerate(stacks.chain(info.created) if names else ()):
        tree = tree_of(stacks.file(frame)) if not is_library(stacks.file(frame)) else None
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        if tree is None or statement is None:
            continue
        given = _arguments(tree, statement)
        for node in _handed(statement):
            if last_name(node) in names and not (isinstance(node, ast.Name) and node.id in given):
                return (audit.source(frame), []) if number else None
        for line in _before(tree, statement, stacks.line(frame)) if not number else ():
            for node in _handed(tree.statement_at(line)):
                if last_name(node) in names and not (isinstance(node, ast.Name) and node.id in given):
                    return source_at(tree.file, line), []
    return None


def _names_of_all_held(audit: Audit, info: OptimizerInfo) -> set[str]:
    """What the modules are called whose trainable parameters are those that the optimizer holds."""
    recording = audit.recording
    held = {track for _, members in info.groups for track in members}
    found: set[str] = set()
    for module in recording.modules[: info.modules_then]:
        own = recording.tracks_below(module)
        if held and held <= own and own - info.frozen_then <= held:
            found |= {n for owner in recording.modules for n, child in owner.children.items() if child == module.index}
            found |= {module.variable}
    return found - {""}


def _arguments(tree: Tree, statement: ast.stmt) -> Collection[str]:
    """The names that the function around the statement is given."""
    scope = tree.function(statement)
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return ()
    given = scope.args
    return {one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)}


def _handed(statement: ast.stmt | None) -> Iterator[ast.Name | ast.Attribute]:
    """The variables and attributes, or those whose parameters are asked for, that calls in the statement are given."""
    for call in calls_in(statement):
        for part in (*call.args, *(keyword.value for keyword in call.keywords)):
            match part:
                case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr=asked)):
                    if asked in GIVING:
                        yield owner
                case ast.Name() | ast.Attribute():
                    yield part


def _before(tree: Tree, statement: ast.stmt, line: int) -> Iterator[int]:
    """The lines of the same function that make what the optimizer is given."""
    scope = tree.function(statement)
    for file, made, _ in sliced_statements(tree.file, line):
        other = tree.statement_at(made) if file == tree.file else None
        if other is not None and other is not statement and tree.function(other) is scope:
            yield made
