"""What a function computes once and keeps: behind a test whether it is there, or by a decorator that caches."""

from __future__ import annotations

import ast

from fxaudit.program.tree import tree_of

__all__ = ["kept_by"]

CACHING = frozenset({"cache", "lru_cache", "cached_property"})
REGIONS = frozenset({"no_grad", "inference_mode", "set_grad_enabled"})


def kept_by(file: str, line: int) -> int:
    """The line of the test behind which the statement at `line` keeps what it makes in an attribute, `if self.table is
    None:`, or of the decorator that keeps what its function returns; 0 where neither does."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return 0
    inner: ast.AST = statement
    found = 0
    for outer in tree.ancestors(statement):
        match outer:
            case ast.With(items=items) if any(_name(item.context_expr) in REGIONS for item in items):
                return 0  # what is made here is to have no gradient
            case ast.If(test=test, body=body) if inner in body and _asks_for(test, body):
                found = found or test.lineno
            case ast.FunctionDef(decorator_list=decorators):
                return found or next((one.lineno for one in decorators if _name(one) in CACHING), 0)
        inner = outer
    return found


def _asks_for(test: ast.expr, body: list[ast.stmt]) -> bool:
    """Whether the test asks if an attribute, or an entry of one, is there, to which a statement of the body gives a
    value."""
    owners = _stored(body)
    match test:
        case ast.BoolOp(values=values):
            return any(_asks_for(part, body) for part in values)
        case ast.Compare(left=asked, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return ast.unparse(asked) in owners
        case ast.Compare(ops=[ast.NotIn()], comparators=[table]):
            return ast.unparse(table) in owners
        case ast.UnaryOp(
            op=ast.Not(), operand=ast.Call(func=ast.Name(id="hasattr"), args=[owner, ast.Constant(value=str(name))])
        ):
            return f"{ast.unparse(owner)}.{name}" in owners
        case ast.UnaryOp(op=ast.Not(), operand=asked):
            return ast.unparse(asked) in owners
    return False


def _stored(body: list[ast.stmt]) -> set[str]:
    """The attributes that the statements give a value, or an entry."""
    targets = [target for statement in body for target in getattr(statement, "targets", ())]
    owners = [target.value if isinstance(target, ast.Subscript) else target for target in targets]
    return {ast.unparse(owner) for owner in owners if isinstance(owner, ast.Attribute)}


def _name(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return str(getattr(called, "attr", getattr(called, "id", "")))
