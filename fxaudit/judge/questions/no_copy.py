"""A module that is frozen under another name, as a teacher of its own, because nobody copied it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.questions.freezing import last_freeze
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.program.tree import Tree, tree_of

__all__ = ["named_twice"]

UNDER_IT, OTHERWISE = 1, 2


def named_twice(audit: Audit, stack: int, tree: Tree, statement: ast.stmt) -> tuple[ast.Assign, str, str] | None:
    """(the assignment, the one name, the other) by which what the statement freezes has two names, where it runs under
    both, and what comes out is compared, or added: a student and its teacher."""
    outer = [statement, *(node.iter for node in tree.ancestors(statement) if isinstance(node, ast.For))]
    frozen = {ast.unparse(n.value) for part in outer for n in ast.walk(part) if isinstance(n, ast.Attribute)}
    for assignment in _plain_assignments(tree):
        name = ast.unparse(assignment.targets[0])
        if name in frozen and assignment.lineno in audit.record.ran().of(tree.file) and _meet(audit, stack, name):
            return assignment, name, ast.unparse(assignment.value)
    return None


def _plain_assignments(tree: Tree) -> Iterator[ast.Assign]:
    for node in tree.statements:
        match node:
            case ast.Assign(targets=[ast.Name() | ast.Attribute()], value=ast.Name() | ast.Attribute()):
                yield node


def _meet(audit: Audit, stack: int, name: str) -> bool:
    """Whether an operation gets both what the frozen modules gave under the name, and what they gave otherwise."""
    record = audit.record
    roots = {state.root.index for state in audit.having("frozen") if state.root and last_freeze(state) == stack}
    side: dict[int, int] = {}
    for call in record.calls:
        if call.module in roots and side.get(call.parent, 0) == 0:
            side[call.index] = UNDER_IT if _calls_it(audit, call.stack, name) else OTHERWISE
        else:
            side[call.index] = side.get(call.parent, 0)
    if {UNDER_IT, OTHERWISE} - {*side.values()}:
        return False
    from_side: dict[int, int] = {}
    for op in record.ops:
        own = side.get(op.module, 0)
        given = {from_side.get(vid, 0) for vid in op.inputs} - {0}
        if not own and {UNDER_IT, OTHERWISE} <= given:
            return True
        mixed = own or max(given, default=0)
        from_side |= {vid: mixed for vid in op.outputs if mixed}
    return False


def _calls_it(audit: Audit, stack: int, name: str) -> bool:
    stacks = audit.record.stacks
    frame = project_stack(stacks, stack)
    tree = tree_of(stacks.file(frame))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    nodes = ast.walk(statement) if statement is not None else ()
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) == name for node in nodes)
