"""What a method computed once, to stand in for parameters for a while, and what nobody takes back: a fused weight."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at, was_entered
from fxaudit.program.given import calls_in, last_name
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = ["UNDO", "never_undone"]

UNDO = "Take it back behind this call, before training goes on: what it computed stands in for the parameters."
Lines = list[tuple[SourceLine, str]]
Place = tuple[Tree, ast.ClassDef, ast.FunctionDef]


def never_undone(audit: Audit, op: Op) -> Lines:
    """The call that made what the operation computes stand in for parameters, where the class has a method that takes
    that back and nobody calls it: (line, role) pairs, the line to edit first; none where there is no such call."""
    stacks = audit.record.stacks
    frames = [frame for frame in stacks.chain(op.stack) if not is_library(stacks.file(frame))]
    undoing = ""
    line: SourceLine | None = None
    for frame in frames:
        place = _method_at(stacks.file(frame), stacks.line(frame))
        if not undoing:
            undone = _taking_back(audit, place) if place is not None else []
        else:
            undone = _handing_on(audit, place, undoing) if place is not None else []
        if len(undone) == 1 and place is not None:
            undoing, line = undone[0].name, source_at(place[0].file, undone[0].lineno)
        elif undoing and line is not None:
            called = audit.source(frame)
            if _is_called(audit, undoing) or called is None or not _trains_with(audit, op):
                return []
            return [(called, ""), (line, f"`{undoing}` would take it back, and nobody calls it")]
    return []


def _is_called(audit: Audit, name: str) -> bool:
    """Whether anything calls the method but a function that nobody calls."""
    for tree, call in call_sites(audit.project_files, name):
        scope = tree.function(call)
        own = getattr(scope, "name", "")
        if scope is None or was_entered(tree, scope, audit.record.ran()) or any(call_sites(audit.project_files, own)):
            return True
    return False


def _method_at(file: str, line: int) -> Place | None:
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    function = tree.function(statement) if tree is not None and statement is not None else None
    owner = tree.parents.get(function) if tree is not None and function is not None else None
    if tree is None or not isinstance(function, ast.FunctionDef) or not isinstance(owner, ast.ClassDef):
        return None
    return tree, owner, function


def _others(audit: Audit, place: Place) -> Iterator[ast.FunctionDef]:
    """The other methods of the class of which none ran."""
    tree, owner, function = place
    for method in owner.body:
        if not isinstance(method, ast.FunctionDef) or method is function or method.name == "__init__":
            continue
        if not was_entered(tree, method, audit.record.ran()):
            yield method


def _taking_back(audit: Audit, place: Place) -> list[ast.FunctionDef]:
    """The methods that give an attribute which the method stores another constant, or delete it."""
    own = _stored(place[2])
    found = []
    for method in _others(audit, place):
        back = _stored(method)
        if any(back[name] not in ("", own[name]) for name in own.keys() & back.keys()):
            found.append(method)
    return found


def _stored(method: ast.FunctionDef) -> dict[str, str]:
    """Attribute of `self` → the constant that the method gives it, `del` where it deletes it; "" for anything else."""
    found: dict[str, str] = {}
    for node in ast.walk(method):
        match node:
            case ast.Assign(targets=targets, value=value):
                text = ast.unparse(value) if isinstance(value, ast.Constant) else ""
                found |= {name: text for name in map(_own, targets) if name}
            case ast.Delete(targets=targets):
                found |= {name: "del" for name in map(_own, targets) if name}
    return found


def _own(node: ast.expr) -> str:
    """The attribute of `self` that the expression is; "" for anything else."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
    return ""


def _handing_on(audit: Audit, place: Place, undoing: str) -> list[ast.FunctionDef]:
    """The methods that only call what takes it back, as the method calls what it is to take back."""
    return [
        method
        for method in _others(audit, place)
        if undoing in {last_name(call.func) for part in method.body for call in calls_in(part)}
    ]


def _trains_with(audit: Audit, made: Op) -> bool:
    """Whether something with gradients is computed from what the operation made, in another call."""
    stacks, graph = audit.record.stacks, audit.graph
    home = stacks.codes[next((f for f in stacks.chain(made.stack) if not is_library(stacks.file(f))), made.stack)]
    queue, seen = [*made.outputs], {*made.outputs}
    while queue:
        for op in graph.consumers.get(queue.pop(), ()):
            if op.grad_enabled and all(stacks.codes[frame] is not home for frame in stacks.chain(op.stack)):
                return True
            fresh = [out for out in op.outputs if out not in seen]
            seen.update(fresh)
            queue += fresh
    return False
