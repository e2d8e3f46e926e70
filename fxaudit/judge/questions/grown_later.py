"""Parameters that an object makes by a method of its own, after its constructor has built the optimizer."""

from __future__ import annotations

import ast

from fxaudit.capture.recording import Record
from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.trail import source_at
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import tree_of

__all__ = ["grown_by_its_owner"]


def grown_by_its_owner(record: Record, info: OptimizerInfo, created: int) -> tuple[SourceLine, str] | None:
    """(the line, the optimizer as that object has it) in a method of the object that keeps the optimizer, which leads
    to where a parameter is made at the stack `created`: the object has to be there before its method is called, so
    that no order of the calls would help. None where the parameter is made in the constructor, or elsewhere."""
    owner, name = _kept_by(record, info)
    stacks = record.stacks
    building = {stacks.codes[frame] for frame in stacks.chain(info.created)}
    own = [(frame, first) for frame in stacks.chain(created) if owner >= 0 and (first := _owned(record, frame, owner))]
    if not own or any(stacks.codes[frame] in building for frame, _ in own):
        return None
    frame, first = own[0]
    if _adds_a_group(stacks.file(frame), stacks.line(frame)):
        return None
    return source_at(stacks.file(frame), stacks.line(frame)), f"{first}.{name}"


def _adds_a_group(file: str, line: int) -> bool:
    """Whether the function around the line adds a group already: then it is that call that leaves something out."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    nodes = ast.walk(scope) if scope is not None else ()
    return any(isinstance(node, ast.Attribute) and node.attr == "add_param_group" for node in nodes)


def _owned(record: Record, frame: int, owner: int) -> str:
    """The first argument of the method that the frame is in, where that is the object; else ""."""
    file, line = record.stacks.file(frame), record.stacks.line(frame)
    tree = tree_of(file) if not is_library(file) else None
    statement = tree.statement_at(line) if tree is not None else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    if statement is None or not isinstance(scope, ast.FunctionDef) or not scope.args.args:
        return ""
    first = scope.args.args[0].arg
    held = [sight.read.get(first) for sight in record.course.at(file, statement.lineno)]
    return first if any(seen is not None and seen.token == owner for seen in held) else ""


def _kept_by(record: Record, info: OptimizerInfo) -> tuple[int, str]:
    """(the object, the attribute) that keeps the optimizer from when it is built; (-1, "") where none does."""
    stacks, course = record.stacks, record.course
    for frame in stacks.chain(info.created):
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        for sight in course.at(stacks.file(frame), statement.lineno) if statement is not None else ():
            for target, owner in sight.owners.items():
                seen = sight.bound.get(target)
                if seen is not None and seen.kind == "object" and str(seen.value).rpartition(".")[2] == info.type:
                    return owner
    return -1, ""
