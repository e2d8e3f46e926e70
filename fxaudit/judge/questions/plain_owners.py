"""A layer that is hung on an object of a plain class, which registers nothing: a wrapper around the model."""

from __future__ import annotations

import ast

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["ON_THE_MODULE", "hung_on_a_plain_object"]

ON_THE_MODULE = "Set it on the module itself: an object of a class that is no `nn.Module` registers nothing."


def hung_on_a_plain_object(
    audit: Audit, states: list[ParameterState]
) -> tuple[SourceLine, list[tuple[SourceLine | None, str]]] | None:
    """The statement that makes all of the parameters and sets them as an attribute of such an object, with the class;
    None where they are kept otherwise."""
    stacks = audit.record.stacks
    made = {state.root.created if state.root is not None else state.track.created for state in states}
    frame = project_stack(stacks, made.pop()) if len(made) == 1 else -1
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=owner)]):
            chain = chain_of(owner)
        case _:
            return None
    for sight in audit.record.course.at(tree.file, statement.lineno) if tree is not None and chain is not None else ():
        seen = sight.read.get(chain.text) if chain is not None else None
        kind = str(seen.value) if seen is not None and seen.kind == "object" else ""
        defined = _plain_class(audit, kind.rpartition(".")[2])
        if tree is not None and defined is not None and kind not in {info.type for info in audit.recording.modules}:
            return source_at(tree.file, statement.lineno), [(defined, f"`{kind}` is no `nn.Module`")]
    return None


def _plain_class(audit: Audit, kind: str) -> SourceLine | None:
    """The line of the program's only class of that name, where it is derived from nothing, and gives out the attributes
    of something else."""
    found = [
        (tree, node)
        for tree in filter(None, map(tree_of, audit.project_files))
        for node in tree.statements
        if isinstance(node, ast.ClassDef) and node.name == kind
    ]
    if len(found) != 1 or found[0][1].bases:
        return None
    methods = {part.name for part in found[0][1].body if isinstance(part, ast.FunctionDef)}
    return source_at(found[0][0].file, found[0][1].lineno) if "__getattr__" in methods else None
