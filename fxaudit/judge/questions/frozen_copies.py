"""A copy of a frozen module: the flags of its parameters are copied, too."""

from __future__ import annotations

import ast

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.given import calls_in, last_name
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import call_sites, tree_of

__all__ = ["THAW", "copied_frozen"]

COPYING = "deepcopy"
THAW = "Unfreeze the copy, `….requires_grad_(True)`, or copy before the other is frozen: a copy takes the flags along."


def copied_frozen(audit: Audit, states: list[ParameterState]) -> tuple[SourceLine, list[ParameterState]] | None:
    """(the line that copies, those of the parameters that it made) where they were never frozen themselves, and never
    required grad: what they were copied from was frozen."""
    own = [state for state in states if state.held and not state.track.freezes and not state.track.ever_required_grad]
    places = {_copying(audit, state) for state in own}
    if len(places) != 1 or (place := places.pop()) is None:
        return None
    return source_at(*place), own


def _copying(audit: Audit, state: ParameterState) -> tuple[str, int] | None:
    """(file, line) of the copy by which the parameter was made; of what was made unseen, that of the program's only
    one of a module."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, state.track.created) if state.track.created >= 0 else -1
    if frame >= 0:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        copies = any(last_name(call.func) == COPYING for call in calls_in(statement))
        return (stacks.file(frame), stacks.line(frame)) if copies else None
    name = state.root.variable if state.root is not None else ""
    sites = [(tree, call) for tree, call in call_sites(audit.project_files, COPYING) if not _copies_values(call)]
    if not name or len(sites) != 1 or _is_frozen_by_name(audit, name):
        return None
    tree, call = sites[0]
    match tree.statement(call):
        case ast.Assign(targets=[ast.Name() | ast.Attribute() as target]) if last_name(target) == name:
            return tree.file, call.lineno
    return None


def _is_frozen_by_name(audit: Audit, name: str) -> bool:
    """Whether some statement of the program sets flags of what bears the name."""
    words = (
        {part.id for part in ast.walk(outer) if isinstance(part, ast.Name)}
        for tree in filter(None, map(tree_of, audit.project_files))
        for node in tree.nodes
        if getattr(node, "attr", "") in ("requires_grad", "requires_grad_")
        for outer in [*(o for o in tree.ancestors(node) if isinstance(o, ast.For)), tree.statement(node)]
        if outer is not None
    )
    return any(name in found for found in words)


def _copies_values(call: ast.Call) -> bool:
    """Whether it copies a `state_dict()`, of which each tensor is without gradient anyway."""
    return any(last_name(inner.func) == "state_dict" for inner in calls_in(ast.Expr(call)))
