"""Whether what a module gives under one name meets what it gives under another: a student and its teacher."""

from __future__ import annotations

import ast

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.tree import tree_of

__all__ = ["meets_itself"]

UNDER_IT, OTHERWISE = 1, 2


def meets_itself(audit: Audit, states: list[ParameterState], name: str) -> bool:
    """Whether an operation gets both what the modules of the parameters gave where they are called by the name, and
    what they gave otherwise."""
    record = audit.record
    roots = {state.root.index for state in states if state.root is not None}
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
