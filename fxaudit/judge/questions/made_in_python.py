"""Where whole numbers were put together by the program's own functions, before they became a tensor that a loss leaves
out or that looks up nothing but padding."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.evaluation import evaluated
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, assignments_behind, obstacles, tree_of

__all__ = ["made_in_python"]

Lines = list[tuple[SourceLine | None, str]]
DEPTH = 3
"""So many functions are followed that one calls the other."""


def made_in_python(audit: Audit, index: int, wanted: set[int | float]) -> tuple[SourceLine, Lines] | None:
    """The test that lets nothing pass but the `wanted` numbers, or the one expression that a function returns; and the
    line that makes the tensor of them. None where several functions have a part in it."""
    for op in _made_of_python(audit, index):
        frame = project_stack(audit.record.stacks, op.stack)
        file, line = audit.record.stacks.file(frame), audit.record.stacks.line(frame)
        found = _within(audit, file, line, wanted, DEPTH)
        if found is not None:
            return found, [(audit.source(frame), "they become a tensor here")]
    return None


def _made_of_python(audit: Audit, index: int) -> Iterator[Op]:
    """The operations that made tensors of Python numbers, from which the whole numbers come that the operation got."""
    record = audit.record
    queue = [vid for vid in record.ops[index].inputs if not record.values[vid].floating] if index >= 0 else []
    seen: set[int] = set()
    for vid in queue:
        made = record.values[vid].op
        if made < 0 or made in seen or len(seen) > 64:
            continue
        seen.add(made)
        op = record.ops[made]
        if operations.of(op.name).reads_python and not op.inputs and op.module < 0:
            yield op
        queue += [source for source in op.inputs if not record.values[source].floating]


def _within(audit: Audit, file: str, line: int, wanted: set[int | float], depth: int) -> SourceLine | None:
    """The line to blame in a function that the statement, or one that it has its values from, calls."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None or not depth:
        return None
    called: dict[str, None] = {}
    for part in (statement, *assignments_behind(file, line)):
        for node in ast.walk(part):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                called.setdefault(getattr(node.func, "attr", getattr(node.func, "id", "")))
    functions = [found for name in called if (found := _defined(audit, name)) is not None]
    answers = [answer for owner, function in functions if (answer := _in(audit, owner, function, wanted, depth))]
    return answers[0] if len(set(answers)) == 1 else None


def _defined(audit: Audit, name: str) -> tuple[Tree, ast.FunctionDef] | None:
    """The one function of that name in the user's files."""
    found = [
        (tree, node)
        for file in audit.project_files
        if (tree := tree_of(file)) is not None
        for node in tree.statements
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return found[0] if len(found) == 1 and name not in ("__init__", "forward", "__call__") else None


def _in(audit: Audit, tree: Tree, function: ast.FunctionDef, wanted: set[int | float], depth: int) -> SourceLine | None:
    ran = audit.record.ran().of(tree.file)
    inner = [node for node in ast.walk(function) if tree.function(node) is function]
    put = [(node, value) for node in inner for value in _put(node)]
    idle = [
        node
        for node, value in put
        if getattr(node, "lineno", 0) not in ran and not _is_one(audit, tree, node, value, wanted)
    ]
    busy = [
        node for node, value in put if getattr(node, "lineno", 0) in ran and _is_one(audit, tree, node, value, wanted)
    ]
    if idle and busy:
        found = obstacles(tree, idle[0], ran)
        return source_at(found[0].file, found[0].line) if found else None
    returned = [node for node in inner if isinstance(node, ast.Return) and node.value is not None]
    if len(returned) != 1:
        return None
    value = returned[0].value
    if isinstance(value, ast.BinOp) and not any(
        isinstance(part, ast.Name) and part.id in _tensors(inner) for part in ast.walk(value)
    ):
        return source_at(tree.file, returned[0].lineno)
    return _within(audit, tree.file, returned[0].lineno, wanted, depth - 1)


def _put(node: ast.AST) -> Iterator[ast.expr]:
    """What a statement puts into a list, an entry or the answer."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append" | "extend" | "add"), args=[value])):
            yield value
        case ast.Assign(targets=[ast.Subscript()], value=value) | ast.Yield(value=ast.expr() as value):
            yield value
        case ast.Return(value=ast.expr() as value):
            yield value


def _is_one(audit: Audit, tree: Tree, node: ast.AST, value: ast.expr, wanted: set[int | float]) -> bool:
    """Whether the value is one of the wanted numbers, or a list of it."""
    parts = [*value.elts] if isinstance(value, ast.List) else [value]
    for sight in audit.record.course.at(tree.file, getattr(node, "lineno", 0))[-1:]:
        worths = [evaluated(part, sight.read) for part in parts]
        return bool(worths) and all(isinstance(worth, int | float) and worth in wanted for worth in worths)
    return all(isinstance(part, ast.Constant) and part.value in wanted for part in parts)


def _tensors(nodes: list[ast.AST]) -> set[str]:
    """The names to which the function gives what torch makes."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign) and "torch" in ast.unparse(node.value):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found
