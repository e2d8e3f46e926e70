"""A limit that is off: what it would have limited is to be used as it is, and nothing is to be clipped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture import operations
from fxaudit.capture.recording import Record
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.deciders import deciders
from fxaudit.program.given import calls_in
from fxaudit.program.names import names_bound, names_read
from fxaudit.program.plain import chain_of
from fxaudit.program.ran import RanLines
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Obstacle, Tree, tree_of

__all__ = ["off_taken_for_on", "unlimited"]

SHORT = ("min", "max")
"""Python's own, which limit one of several numbers."""


def unlimited(tree: Tree, obstacle: Obstacle, name: str, ran: RanLines) -> tuple[int, str] | None:
    """(line, target) of the statement that ran where no limit is set, and gives a variable something else than the
    value of `name`; None where the obstacle asks for no limit of it."""
    branch = next((n for n in tree.nodes if isinstance(n, ast.If) and n.lineno == obstacle.line), None)
    option = _option(branch.test) if branch is not None else ""
    if branch is None or not option:
        return None
    for idle, taken in ((branch.body, branch.orelse), (branch.orelse, branch.body)):
        if not idle or not taken or idle[0].lineno in ran or not any(_limits(part, name, option) for part in idle):
            continue
        meant = {bound for part in idle for bound in names_bound(part)}
        for statement in taken:
            targets = names_bound(statement) & meant
            if isinstance(statement, ast.Assign) and targets and name not in names_read(statement):
                return statement.lineno, min(targets)
    return None


def off_taken_for_on(record: Record, stack: int) -> tuple[SourceLine, str] | None:
    """(the test, its text) behind which the frame `stack` clips to a limit of 0: it lets through all but None."""
    stacks = record.stacks
    for frame in stacks.chain(project_stack(stacks, stack))[:2]:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        if tree is None or statement is None:
            continue
        calls = calls_in(statement)
        given = {ast.unparse(part) for call in calls for part in (*call.args, *(k.value for k in call.keywords))}
        for test in deciders(tree, statement):
            match test:
                case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
                    if _option(test) in given:
                        return source_at(tree.file, test.lineno), ast.unparse(test)
    return None


def _option(test: ast.expr) -> str:
    """What a test asks to be there: `limit` of `limit is None`, `not limit` and `limit`."""
    match test:
        case ast.Compare(left=asked, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            chain = chain_of(asked)
        case ast.UnaryOp(op=ast.Not(), operand=asked):
            chain = chain_of(asked)
        case _:
            chain = chain_of(test)
    return chain.text if chain is not None else ""


def _limits(statement: ast.stmt, name: str, option: str) -> bool:
    """Whether a statement keeps what is computed from `name` within the `option`."""
    return any(name in _read(limited) and option in _written(bounds) for limited, bounds in _limitings(statement))


def _limitings(statement: ast.stmt) -> Iterator[tuple[list[ast.expr], list[ast.expr]]]:
    """(what is limited, the bounds) of each call that limits."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if operations.of(called).limits or (called in SHORT and len(node.args) > 1):
                own = [node.func.value] if isinstance(node.func, ast.Attribute) else []
                yield [*own, *node.args[:1]], [*node.args, *(keyword.value for keyword in node.keywords)]


def _read(parts: list[ast.expr]) -> set[str]:
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


def _written(parts: list[ast.expr]) -> set[str]:
    return {ast.unparse(n) for part in parts for n in ast.walk(part) if isinstance(n, ast.Name | ast.Attribute)}
