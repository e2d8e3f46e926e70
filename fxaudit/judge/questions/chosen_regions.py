"""A region without gradients into which a setting led, where the program has the other way, with gradients, as well."""

from __future__ import annotations

import ast
import re
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
WITHOUT = re.compile(r"no_?grad|inference|set_grad_enabled")
Lines = list[tuple[SourceLine, str]]


def chosen(audit: Audit, op: Op) -> Lines:
    """The setting that led into the region of the operation, and the stations to it, the line to edit first; none where
    nobody set anything, or where no line that did not run calls the same module."""
    for decision, line, kept in _decisions(audit, op):
        birth = decision.birth
        is_set = birth is not None and birth.is_a_setting and not decision.is_compared
        if is_set and _has_another_way(audit, op, kept):
            return blamed(decision, [(line, f"`{decision.text}` leads into the region here")])
    return []


def _decisions(audit: Audit, op: Op) -> Iterator[tuple[Decision, SourceLine, set[str]]]:
    """The tests around the block of the region, and around the calls of the function that it stands in, each with the
    line that it decided over, and with what the result is kept in; but for those behind which the training stands,
    too."""
    decisions, training = Decisions(audit.record.course), _tests_of_training(audit)
    for tree, node in _places(audit, op):
        for line, test, needed in tests_before(tree, node):
            if (tree.file, line) not in training:
                decision = decisions.of(tree.file, line, test, outcome=needed)
                if decision is not None:
                    yield decision, source_at(tree.file, line), _kept_in(tree, node)


def _tests_of_training(audit: Audit) -> set[tuple[str, int]]:
    """(file, line) of the tests that decide whether some backward runs."""
    stacks = audit.record.stacks
    found: set[tuple[str, int]] = set()
    for stack in {event.stack for event in audit.record.backwards()}:
        for file, line in stacks.places(stack):
            tree = tree_of(file) if not is_library(file) else None
            statement = tree.statement_at(line) if tree is not None else None
            if tree is not None and statement is not None:
                found |= {(file, at) for at, _, _ in tests_before(tree, statement)}
    return found


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


def _kept_in(tree: Tree, node: ast.AST) -> set[str]:
    """The variables and attributes to which the statement of the call, or those in the block, give a value."""
    statement = node if isinstance(node, ast.With) else tree.statement(node)
    inner = ast.walk(statement) if statement is not None else ()
    targets = (target for part in inner if isinstance(part, ast.Assign) for target in part.targets)
    return {last_name(target) for target in targets} - {""}


def _has_another_way(audit: Audit, op: Op, kept: set[str]) -> bool:
    """Whether a line that never ran, of the same class or else of the same file, calls the module that was called in
    the region, as it is called there, and with gradients, in a function that asks for what is `kept`."""
    ran, names = audit.record.ran(), _modules_called(audit, op)
    file, line = audit.record.stacks.places(project_stack(audit.record.stacks, op.region))[0]
    tree = tree_of(file) if ran.of(file).is_whole else None
    here = _class_at(tree, line) if tree is not None else None
    for call in tree.calls if tree is not None else ():
        statement = tree.statement(call) if tree is not None and last_name(call.func) in names else None
        if tree is None or statement is None or statement.lineno in ran.of(file):
            continue
        if not _asks_for(tree.function(statement), kept):
            continue
        if _class_at(tree, statement.lineno) is here and not _is_without_gradients(tree, statement):
            return True
    return False


def _asks_for(scope: ast.AST | None, kept: set[str]) -> bool:
    """Whether a test in the function mentions one of the names."""
    tests = (node.test for node in ast.walk(scope) if isinstance(node, ast.If | ast.IfExp)) if scope is not None else ()
    return any(last_name(part) in kept for test in tests for part in ast.walk(test) if isinstance(part, ast.expr))


def _class_at(tree: Tree, line: int) -> ast.ClassDef | None:
    """The innermost class around the line."""
    classes = [node for node in tree.statements if isinstance(node, ast.ClassDef)]
    return next((node for node in reversed(classes) if node.lineno <= line <= (node.end_lineno or 0)), None)


def _is_without_gradients(tree: Tree, statement: ast.stmt) -> bool:
    """Whether a block or a decorator around the statement says that it has no gradients."""
    said: list[ast.expr] = []
    for outer in tree.ancestors(statement):
        said += [item.context_expr for item in getattr(outer, "items", [])] if isinstance(outer, ast.With) else []
        said += outer.decorator_list if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) else []
    return any(WITHOUT.search(ast.unparse(part)) for part in said)


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
