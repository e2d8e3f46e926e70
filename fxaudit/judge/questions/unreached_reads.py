"""A value that is read only where nothing ran: what keeps the reading from running is to blame."""

from __future__ import annotations

import ast

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import behind_test, blamed, decision_at, never_set, source_at
from fxaudit.program.names import names_read, statements_after
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, binding_of, obstacles, tree_of

__all__ = ["read_only_where_nothing_ran"]

Lines = list[tuple[SourceLine, str]]


def read_only_where_nothing_ran(audit: Audit, stack: int) -> Lines:
    """Why no statement ran that reads what is bound in the frame `stack`, the line to edit first; none where one did,
    or nothing reads it at all."""
    stacks = audit.record.stacks
    file, line = stacks.file(stack), stacks.line(stack)
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    ran = audit.record.ran().of(file)
    if tree is None or statement is None:
        return []
    for name in binding_of(file, line).names:
        reading = [other for other in _after(tree, statement) if name in names_read(other)]
        if reading and all(other.lineno not in ran for other in reading):
            found = _why(audit, tree, reading[0], name)
            if found:
                return found
    return []


def _after(tree: Tree, statement: ast.stmt) -> list[ast.stmt]:
    """The statements of the function behind it, and the tests of its branches."""
    scope = tree.function(statement) or tree.root
    tests: list[ast.stmt] = [
        ast.copy_location(ast.Expr(node.test), node)
        for node in ast.walk(scope)
        if isinstance(node, ast.If | ast.While) and node.lineno > statement.lineno
    ]
    return [*tests, *statements_after(tree, statement)]


def _why(audit: Audit, tree: Tree, reading: ast.stmt, name: str) -> Lines:
    ran = audit.record.ran().of(tree.file)
    found = obstacles(tree, reading, ran)
    if not found:
        return []
    told = [(source_at(o.file, o.line), o.role) for o in found[:1]]
    told.append((source_at(tree.file, reading.lineno), f"`{name}` is read here, and this never runs"))
    decision = decision_at(audit.record, found[0])
    if decision is not None:
        return [*never_set(audit.record, decision), *blamed(decision, told)]
    if not ran.is_whole:
        return []  # the line may have run unheard
    return [*told, *behind_test(audit.record, audit.project_files, found[0])]
