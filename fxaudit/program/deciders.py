"""What decides, in the text of the user's program, whether a piece of code runs and what it runs for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.program.tree import Tree, tree_of

__all__ = ["decider_at", "deciders", "named_again", "reading_kind"]

KIND = frozenset({"dtype", "device", "is_cuda", "requires_grad", "ndim", "dim", "layout", "training"})
"""What is asked of a tensor that no batch changes."""
SIZE = frozenset({"shape", "size", "numel", "nelement", "len", "__len__"})


def deciders(tree: Tree, node: ast.AST) -> Iterator[ast.expr]:
    """The tests of branches and loops around `node`, and of exits before it, in its own function, the innermost first;
    before them the index by which it is read."""
    holder = tree.parents.get(node)
    if isinstance(holder, ast.Subscript) and holder.value is node:
        yield holder.slice
    inner = node
    for outer in tree.ancestors(node):
        match outer:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if inner is not test:
                yield test
            case ast.BoolOp(values=values) if inner in values[1:]:
                yield values[values.index(inner) - 1]
            case ast.For(iter=test, body=body) if inner in body:
                yield test
                yield from _exits(body)  # one behind the call ends the loop before it comes to the rest
            case ast.ListComp(generators=parts) | ast.GeneratorExp(generators=parts) | ast.SetComp(generators=parts):
                if inner not in parts:
                    yield from (test for part in parts for test in (part.iter, *part.ifs))
        yield from _exits_before(outer, inner)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        inner = outer


def _exits_before(block: ast.AST, inner: ast.AST) -> Iterator[ast.expr]:
    """The tests in the same block that may leave it before `inner`."""
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(block, name, None)
        if isinstance(statements, list) and inner in statements:
            yield from _exits(statements[: statements.index(inner)])


def _exits(statements: list[ast.stmt]) -> Iterator[ast.expr]:
    """The tests behind which a block is left."""
    leaving = ast.Return | ast.Continue | ast.Break | ast.Raise
    for statement in statements:
        if isinstance(statement, ast.If) and any(isinstance(s, leaving) for s in statement.body):
            yield statement.test


def decider_at(file: str, line: int) -> tuple[Tree, ast.expr] | None:
    """What the branch or loop that begins at `line` decides by."""
    tree = tree_of(file)
    for node in tree.nodes if tree is not None else ():
        match node:
            case ast.If(test=test) | ast.While(test=test) | ast.For(iter=test) if node.lineno == line:
                assert tree is not None
                return tree, test
            case ast.IfExp(test=test) if test.lineno == line:
                assert tree is not None
                return tree, test
    return None


def named_again(tree: Tree, node: ast.AST) -> list[ast.AST]:
    """Where what `node` names is read under the local name that its statement gives it: `experts = self.experts`."""
    statement = tree.statement(node)
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            pairs = list(zip(targets, values, strict=False))
        case ast.Assign(targets=[target], value=value):
            pairs = [(target, value)]
        case _:
            return []
    names = {target.id for target, value in pairs if value is node and isinstance(target, ast.Name)}
    found = (part for part in ast.walk(tree.function(node) or tree.root) if isinstance(part, ast.Name))
    return [part for part in found if part.id in names and isinstance(part.ctx, ast.Load)]


def reading_kind(tree: Tree, node: ast.AST) -> str:
    """What is asked of a name where it stands: its `size`, its `kind`, or its `value`."""
    outer = tree.parents.get(node)
    match outer:
        case ast.Attribute(attr=name) | ast.Call(func=ast.Name(id=name)) if getattr(outer, "func", None) is not node:
            return "kind" if name in KIND else "size" if name in SIZE else "value"
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()]) if left is node:
            return "kind"
    return "value"
