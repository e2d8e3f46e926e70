"""Classes of the user's that store attributes past `nn.Module.__setattr__`, which registers them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import tree_of

if TYPE_CHECKING:
    from fxaudit.capture.registry import ModuleInfo

__all__ = ["bypassing_line"]


def bypassing_line(audit: Audit, info: ModuleInfo) -> SourceLine | None:
    """The statement of a `__setattr__` among the module's classes that stores without registering."""
    for name, _, file in audit.recording.class_of(info).bases:
        tree = tree_of(file) if file and not is_library(file) else None
        for node in tree.nodes if tree is not None else ():
            if not isinstance(node, ast.FunctionDef) or node.name != "__setattr__" or tree is None:
                continue
            kind = tree.parents.get(node)
            if not isinstance(kind, ast.ClassDef) or kind.name != name.rpartition(".")[2]:
                continue
            stored = [inner for inner in ast.walk(node) if _stores_plainly(inner)]
            if stored:
                return source_at(file, min(getattr(inner, "lineno", node.lineno) for inner in stored))
    return None


def _stores_plainly(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(attr="__dict__"))]):
            return True
        case ast.Assign(targets=[ast.Subscript(value=ast.Call(func=ast.Name(id="vars")))]):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="object"), attr="__setattr__"))):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Attribute(attr="__dict__"), attr="update"))):
            return True
    return False
