"""Statements that switch gradients off and leave them so: `torch.set_grad_enabled(False)` outside of any `with`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from fxaudit.program.tree import Tree, tree_of

__all__ = ["switched_off_for_good"]

SWITCH = "set_grad_enabled"


def switched_off_for_good(files: Iterable[str]) -> Iterator[tuple[Tree, ast.stmt]]:
    """The statements that switch gradients off, where nothing behind them in the same function switches them on."""
    for tree in filter(None, map(tree_of, files)):
        switches = [(node, _flag(node), tree.function(node)) for node in tree.statements if _flag(node) is not None]
        for node, flag, scope in switches:
            later = [other for other, _, where in switches if where is scope and other.lineno > node.lineno]
            if isinstance(flag, ast.Constant) and flag.value is False and not later:
                yield tree, node


def _flag(node: ast.stmt) -> ast.expr | None:
    """What a statement of its own sets the mode to."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or getattr(call.func, "attr", getattr(call.func, "id", "")) != SWITCH:
        return None
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return given[0] if len(given) == 1 else None
