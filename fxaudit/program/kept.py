"""What a function computes once and keeps: behind a test whether it is there, or by a decorator that caches."""

from __future__ import annotations

import ast

from fxaudit.program.tree import Tree, tree_of

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
            case ast.If(test=test, body=body) if inner in body and (owner := _asked_for(test, body)):
                if _is_emptied(tree, outer, owner.rpartition(".")[2]):
                    return 0  # it is kept for a while, and somebody says for how long
                found = found or test.lineno
            case ast.FunctionDef(decorator_list=decorators):
                return found or next((one.lineno for one in decorators if _name(one) in CACHING), 0)
        inner = outer
    return found


def _asked_for(test: ast.expr, body: list[ast.stmt]) -> str:
    """The attribute of which the test asks if it, or an entry of it, is there, and to which a statement of the body
    gives a value; "" for none."""
    match test:
        case ast.BoolOp(values=values):
            return next(filter(None, (_asked_for(part, body) for part in values)), "")
        case ast.Compare(left=asked, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            owner = ast.unparse(asked)
        case ast.Compare(ops=[ast.NotIn()], comparators=[table]):
            owner = ast.unparse(table)
        case ast.UnaryOp(
            op=ast.Not(), operand=ast.Call(func=ast.Name(id="hasattr"), args=[of, ast.Constant(value=str(name))])
        ):
            owner = f"{ast.unparse(of)}.{name}"
        case ast.UnaryOp(op=ast.Not(), operand=asked):
            owner = ast.unparse(asked)
        case _:
            return ""
    return owner if owner in _stored(body) else ""


def _is_emptied(tree: Tree, branch: ast.AST, name: str) -> bool:
    """Whether the file gives an attribute of that name a value elsewhere than in the branch and a constructor."""
    for node in tree.nodes:
        if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store):
            is_made = getattr(tree.function(node), "name", "") == "__init__"
            if not is_made and branch not in tree.ancestors(node):
                return True
    return False


def _stored(body: list[ast.stmt]) -> set[str]:
    """The attributes that the statements give a value, or an entry."""
    targets = [target for statement in body for target in getattr(statement, "targets", ())]
    owners = [target.value if isinstance(target, ast.Subscript) else target for target in targets]
    return {ast.unparse(owner) for owner in owners if isinstance(owner, ast.Attribute)}


def _name(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return str(getattr(called, "attr", getattr(called, "id", "")))
