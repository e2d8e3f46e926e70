"""The setting by which the class of a module was chosen: `ACTIVATIONS[cfg.activation]()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.evaluation import evaluated
from fxaudit.program.tree import assignments_behind, tree_of

__all__ = ["chosen_by"]


def chosen_by(audit: Audit, op: int) -> Birth | None:
    """The birth of the text by which the class of the module that ran the operation was looked up where that was made;
    None where nobody set it."""
    call = audit.record.ops[op].module
    if call < 0:
        return None
    course, stacks = audit.record.course, audit.record.stacks
    made = project_stack(stacks, audit.recording.modules[audit.record.calls[call].module].created)
    births, file = Births(course), stacks.file(made) if made >= 0 else ""
    for line, key in _keys(file, stacks.line(made)) if file else ():
        for sight in reversed(course.at(file, line)):
            text = evaluated(key, sight.read)
            found = births.of(file, line, key, text) if isinstance(text, str) else None
            if found is not None and found.is_a_setting:
                return found
    return None


def _keys(file: str, line: int) -> Iterator[tuple[int, ast.expr]]:
    """(first line of the statement, the key) of the lookups that gave what is called in the line."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if statement is None:
        return
    called = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    yield from ((statement.lineno, key) for key in filter(None, map(_key, called)))
    names = {node.id for node in called if isinstance(node, ast.Name)}
    for other in assignments_behind(file, line):
        match other:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
                key = _key(value)
                if key is not None:
                    yield other.lineno, key


def _key(node: ast.expr) -> ast.expr | None:
    """What is looked up, where the expression is such a lookup, and the key is not written down there."""
    match node:
        case ast.Subscript(slice=key) | ast.Call(func=ast.Attribute(attr="get"), args=[key, *_]):
            found = key
        case ast.Call(func=ast.Name(id="getattr"), args=[_, key, *_]):
            found = key
        case _:
            return None
    return None if isinstance(found, ast.Constant) else found
