"""What a function computes once and keeps: behind a test whether it is there, or by a decorator that caches."""

from __future__ import annotations

import ast

from fxaudit.program.tree import Tree, tree_of

__all__ = ["decorator_of", "kept_by"]

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
            case ast.If(test=test, body=body) if inner in body and (owner := _asked_for(tree, test, body)):
                if _is_emptied(tree, outer, owner.rpartition(".")[2]):
                    return 0  # it is kept for a while, and somebody says for how long
                found = found or test.lineno
            case ast.FunctionDef(decorator_list=decorators):
                return found or next((one.lineno for one in decorators if _name(one) in CACHING), 0)
        inner = outer
    return found


def decorator_of(file: str, line: int, wrapped: tuple[str, int]) -> int:
    """The line of the decorator on the function around `wrapped` (file, line), if the function that the statement at
    `line` stands in is what that decorator makes of it; 0 where it is not."""
    outer, inner = (_function_at(*place) for place in ((file, line), wrapped))
    tree = tree_of(file)
    maker = tree.function(outer) if tree is not None and outer is not None else None
    if not isinstance(maker, ast.FunctionDef) or not isinstance(inner, ast.FunctionDef):
        return 0
    made = {maker.name, getattr(tree.function(maker) if tree is not None else None, "name", maker.name)}
    return next((one.lineno for one in inner.decorator_list if _name(one) in made), 0)


def _function_at(file: str, line: int) -> ast.AST | None:
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    return tree.function(statement) if tree is not None and statement is not None else None


def _asked_for(tree: Tree, test: ast.expr, body: list[ast.stmt]) -> str:
    """The attribute, or variable that outlives the call, of which the test asks if it, or an entry of it, is there, and
    to which a statement of the body gives a value; "" for none."""
    match test:
        case ast.BoolOp(values=values):
            return next(filter(None, (_asked_for(tree, part, body) for part in values)), "")
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
    return owner if owner in _stored(tree, body) else ""


def _is_emptied(tree: Tree, branch: ast.AST, name: str) -> bool:
    """Whether the file gives an attribute of that name a value elsewhere than in the branch and a constructor, or
    clears what is called so."""
    for node in tree.nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=held) | ast.Attribute(attr=held), attr="clear")):
                if held == name:
                    return True
        if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store):
            is_made = getattr(tree.function(node), "name", "") == "__init__"
            if not is_made and branch not in tree.ancestors(node):
                return True
    return False


def _stored(tree: Tree, body: list[ast.stmt]) -> set[str]:
    """The attributes that the statements give a value, or an entry, and the variables that outlive the call and are
    given an entry."""
    targets = [target for statement in body for target in getattr(statement, "targets", ())]
    owners = [target.value if isinstance(target, ast.Subscript) else target for target in targets]
    entries = [target.value for target in targets if isinstance(target, ast.Subscript)]
    kept = [owner for owner in entries if isinstance(owner, ast.Name) and _outlives(tree, body[0], owner.id)]
    return {ast.unparse(owner) for owner in (*(o for o in owners if isinstance(o, ast.Attribute)), *kept)}


def _outlives(tree: Tree, statement: ast.stmt, name: str) -> bool:
    """Whether a variable of the function around the statement is one of a function around that or of the module, or
    holds something that an object has: `store = self.__dict__.setdefault("known", {})`."""
    scope = tree.function(statement)
    if not isinstance(scope, ast.FunctionDef):
        return False
    given = scope.args
    if name in {
        one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg) if one
    }:
        return False
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                called = [_name(part) for part in ast.walk(value) if isinstance(part, ast.Call)]
                is_held = any(isinstance(part, ast.Attribute) for part in ast.walk(value))
                return "setdefault" in called or "getattr" in called or (is_held and not called)
            case ast.Name(id=target, ctx=ast.Store()) if target == name:
                return False
    return True


def _name(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return str(getattr(called, "attr", getattr(called, "id", "")))
