"""Why what comes back through two uses cancels out: both are of one thing."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from fxaudit.judge.trail import source_at
from fxaudit.program.ran import Ran
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["alias", "given_twice", "returned_twice"]


def alias(source: SourceLine | None) -> SourceLine | None:
    """The assignment `a = b` that makes two names in the line stand for one tensor."""
    tree = tree_of(source.file) if source is not None else None
    statement = tree.statement_at(source.line) if tree is not None and source is not None else None
    if tree is None or statement is None:
        return None
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    for node in ast.walk(tree.function(statement) or tree.root):
        match node:
            case ast.Assign(targets=[ast.Name(id=one)], value=ast.Name(id=other)) if {one, other} <= names:
                return source_at(tree.file, node.lineno)
    return None


def given_twice(files: Iterable[str], source: SourceLine | None) -> SourceLine | None:
    """The second entry of a display that gets the same expression as another, where the function around the line reads
    both: `{"first": columns[0], "second": columns[0]}`."""
    tree = tree_of(source.file) if source is not None else None
    statement = tree.statement_at(source.line) if tree is not None and source is not None else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    read = {
        node.slice.value
        for node in (ast.walk(scope) if scope is not None else ())
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }
    for other in filter(None, map(tree_of, files)) if len(read) > 1 else ():
        for display in (node for node in other.nodes if isinstance(node, ast.Dict)):
            seen: set[str] = set()
            for key, value in zip(display.keys, display.values, strict=True):
                if not isinstance(key, ast.Constant) or key.value not in read or not _reads_a_variable(value):
                    continue
                text = other.text(value)
                if text in seen:
                    return source_at(other.file, value.lineno)
                seen.add(text)
    return None


def returned_twice(files: Iterable[str], ran: Ran) -> SourceLine | None:
    """The statement that ran and gives one thing twice: `return anchor, positive, positive`.

    To be asked where the uses that cancel out got different tensors: what is equal in them was equal before.
    """
    for tree in filter(None, map(tree_of, files)):
        for node in tree.nodes:
            match node:
                case ast.Return(value=ast.Tuple(elts=parts)) | ast.Yield(value=ast.Tuple(elts=parts)):
                    texts = [tree.text(part) for part in parts if _reads_a_variable(part)]
                    if len(texts) > len(set(texts)) and node.lineno in ran.of(tree.file):
                        return source_at(tree.file, node.lineno)
    return None


def _reads_a_variable(value: ast.expr) -> bool:
    """Whether it is made of something that a variable holds, and not of literals alone."""
    functions = {part for node in ast.walk(value) if isinstance(node, ast.Call) for part in ast.walk(node.func)}
    return any(isinstance(node, ast.Name) and node not in functions for node in ast.walk(value))
