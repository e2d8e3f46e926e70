"""Statements that switch gradients off and leave them so: `torch.set_grad_enabled(False)` outside of any `with`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from fxaudit.program.source import of_text
from fxaudit.program.tree import Tree, tree_of

__all__ = ["may_open", "switched_off_for_good"]

SWITCH = "set_grad_enabled"


def switched_off_for_good(files: Iterable[str]) -> Iterator[tuple[Tree, ast.stmt]]:
    """The statements that switch gradients off, where nothing behind them in the same function switches them on."""
    for file in files:
        tree = tree_of(file)
        yield from ((tree, node) for node in _for_good(file)) if tree is not None else ()


def may_open(file: str, line: int) -> bool:
    """Whether the `with` at the line asks something each time whether gradients are on in it:
    `torch.set_grad_enabled(step > 100)`, `nullcontext() if self.tuned else torch.no_grad()`."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    given = [item.context_expr for item in statement.items] if isinstance(statement, ast.With | ast.AsyncWith) else []
    for expression in given:
        match expression:
            case ast.IfExp():
                return True
            case ast.Call(func=function, args=args, keywords=keywords) if _name(function) == SWITCH:
                flags = [*args, *(keyword.value for keyword in keywords)]
                return not all(isinstance(flag, ast.Constant) for flag in flags)
    return False


def _name(function: ast.expr) -> str:
    return str(getattr(function, "attr", getattr(function, "id", "")))


@of_text
def _for_good(file: str) -> tuple[ast.stmt, ...]:
    tree = tree_of(file)
    if tree is None:
        return ()
    switches = [(node, flag) for node in tree.statements if (flag := _flag(node)) is not None]
    last: dict[ast.AST | None, int] = {}
    for node, _ in switches:
        scope = tree.function(node)
        last[scope] = max(last.get(scope, 0), node.lineno)
    off = [node for node, flag in switches if isinstance(flag, ast.Constant) and flag.value is False]
    return tuple(node for node in off if node.lineno == last[tree.function(node)])


def _flag(node: ast.stmt) -> ast.expr | None:
    """What a statement of its own sets the mode to."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or _name(call.func) != SWITCH:
        return None
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return given[0] if len(given) == 1 else None
