"""What was computed without gradients, to be stored, and is handed back in the place of what a module should compute
anew: the values of a rollout, in the update that follows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at, was_entered
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine
from fxaudit.program.spelling import letters_apart
from fxaudit.program.tree import Tree, tree_of

__all__ = ["handed_back"]


def handed_back(audit: Audit, op: Op, states: list[ParameterState]) -> SourceLine | None:
    """The one `return` of a method that hands back what the operation made in a region, under the name that it was
    stored by, where the method asks other parts of its object, and not the one that the parameters belong to."""
    stored = _names_of(audit, op)
    parts = {part for state in states for part in state.local_name.split(".")[:-1] if not part.isdigit()}
    found = [
        source_at(tree.file, statement.lineno)
        for tree, method, asking in _methods(audit, parts)
        if not _is_in_stack(audit, op, tree, method) and was_entered(tree, method, audit.record.ran()) and asking
        for statement in ast.walk(method)
        if isinstance(statement, ast.Return) and _hands_back(audit, tree, method, statement, stored)
    ]
    return found[0] if len(found) == 1 else None


def _names_of(audit: Audit, op: Op) -> set[str]:
    """The names that what the operation made was bound to, where it was computed and in the callers."""
    stacks, course = audit.record.stacks, audit.record.course
    found: set[str] = set()
    for frame in stacks.chain(project_stack(stacks, op.stack)):
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        for sight in course.at(tree.file, statement.lineno) if tree is not None and statement is not None else ():
            found |= {_last(target) for target, seen in sight.bound.items() if seen.kind == "tensor"}
    return found - {""}


def _methods(audit: Audit, parts: set[str]) -> Iterator[tuple[Tree, ast.FunctionDef, bool]]:
    """(tree, method, whether it asks other parts of its object) of the classes that have one of the parts, the methods
    that mention it left out."""
    for tree in filter(None, map(tree_of, audit.project_files)):
        for kind in (node for node in tree.statements if isinstance(node, ast.ClassDef)):
            own = {method: _attributes(method) for method in kind.body if isinstance(method, ast.FunctionDef)}
            made = next((names for method, names in own.items() if method.name == "__init__"), set())
            for method, names in own.items():
                if made & parts and not names & parts:
                    yield tree, method, bool(names & made)


def _attributes(method: ast.FunctionDef) -> set[str]:
    nodes = (node for node in ast.walk(method) if isinstance(node, ast.Attribute))
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "self"}


def _is_in_stack(audit: Audit, op: Op, tree: Tree, method: ast.FunctionDef) -> bool:
    stacks, last = audit.record.stacks, method.end_lineno or method.lineno
    return any(
        stacks.file(frame) == tree.file and method.lineno <= stacks.line(frame) <= last
        for frame in stacks.chain(op.stack)
    )


def _hands_back(audit: Audit, tree: Tree, method: ast.FunctionDef, statement: ast.Return, stored: set[str]) -> bool:
    """Whether the statement was seen to return, beside something else, a tensor of an argument by such a name."""
    arguments = {a.arg for a in (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs)} - {"self"}
    match statement.value:
        case ast.Tuple(elts=given) | ast.Dict(values=given):
            pass
        case _:
            return False
    sights = audit.record.course.at(tree.file, statement.lineno)
    for part in given:
        chain = chain_of(part) if isinstance(part, ast.Subscript | ast.Attribute | ast.Name) else None
        if chain is None or chain.name not in arguments or not _is_near(_last(chain.text), stored):
            continue
        if any(chain.text in sight.read and sight.read[chain.text].kind == "tensor" for sight in sights):
            return True
    return False


def _is_near(name: str, stored: set[str]) -> bool:
    return any(letters_apart(one, name) is not None or one == name for one in stored)


def _last(target: str) -> str:
    """The attribute, or the key, at the end of what is written: `values` of `batch['values']`."""
    node = ast.parse(target, mode="eval").body
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""
