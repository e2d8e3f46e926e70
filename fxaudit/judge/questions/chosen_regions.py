"""A region without gradients into which a setting led, where the program has the other way, with gradients, as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import blamed, project_stack, source_at
from fxaudit.program.decisions import Decision, Decisions, tests_before
from fxaudit.program.given import calls_in, last_name
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import Tree, tree_of

__all__ = ["chosen"]

CALLERS = 3
"""So many calls above the region are looked at."""
Lines = list[tuple[SourceLine, str]]


def chosen(audit: Audit, op: Op) -> Lines:
    """The setting that led into the region of the operation, and the stations to it, the line to edit first; none where
    nobody set anything, or where no line that did not run calls the same module."""
    for decision, line in _decisions(audit, op):
        birth = decision.birth
        is_set = birth is not None and birth.is_a_setting and not decision.is_compared
        if is_set and _has_another_way(audit, op):
            return blamed(decision, [(line, f"`{decision.text}` leads into the region here")])
    return []


def _decisions(audit: Audit, op: Op) -> Iterator[tuple[Decision, SourceLine]]:
    """The tests around the block of the region, and around the calls of the function that it stands in, each with the
    line that it decided over."""
    decisions = Decisions(audit.record.course)
    for tree, node in _places(audit, op):
        for line, test, needed in tests_before(tree, node):
            decision = decisions.of(tree.file, line, test, outcome=needed)
            if decision is not None:
                yield decision, source_at(tree.file, line)


def _places(audit: Audit, op: Op) -> Iterator[tuple[Tree, ast.AST]]:
    """The block of the region, unless a decorator opens it, and the calls that led to it, the innermost first."""
    stacks = audit.record.stacks
    start = project_stack(stacks, op.region) if op.region >= 0 else -1
    frames = stacks.chain(start)[: CALLERS + 1] if start >= 0 else []
    called = ""
    for frame in frames:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        if tree is not None and isinstance(statement, ast.With) and not called:
            yield tree, statement
        elif tree is not None and statement is not None and called:
            yield from ((tree, call) for call in calls_in(statement) if last_name(call.func) == called)
        called = stacks.function(frame).rpartition(".")[2]


def _has_another_way(audit: Audit, op: Op) -> bool:
    """Whether a line that never ran calls the module that was called in the region, as it is called there."""
    ran, names = audit.record.ran(), _modules_called(audit, op)
    for file in audit.project_files if names else ():
        tree = tree_of(file) if not is_library(file) and ran.of(file).is_whole else None
        for call in tree.calls if tree is not None else ():
            statement = tree.statement(call) if tree is not None and last_name(call.func) in names else None
            if statement is not None and statement.lineno not in ran.of(file):
                return True
    return False


def _modules_called(audit: Audit, op: Op) -> set[str]:
    """The names of the modules around the operation that are called on lines of the region's function."""
    stacks, calls = audit.record.stacks, audit.record.calls
    opened = stacks.codes[project_stack(stacks, op.region)]
    found: set[str] = set()
    number = op.module
    while number >= 0:
        frame = project_stack(stacks, calls[number].stack)
        inside = [f for f in stacks.chain(frame)[:CALLERS] if stacks.codes[f] is opened]
        tree = tree_of(stacks.file(frame)) if inside else None
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        names = _names_of(audit, calls[number].module)
        found |= {name for call in calls_in(statement) if (name := last_name(call.func)) in names}
        number = calls[number].parent
    return found


def _names_of(audit: Audit, module: int) -> set[str]:
    """The attributes, and the variable, that hold a module."""
    recording = audit.recording
    held = {name for info in recording.modules for name, child in info.children.items() if child == module}
    return held | {recording.modules[module].variable}
