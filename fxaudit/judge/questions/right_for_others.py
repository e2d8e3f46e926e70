"""A helper that detaches, rightly for reports, and that what trains calls as well: that call is to be edited."""

from __future__ import annotations

import ast

from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = ["INSTEAD", "right_for_others"]

INSTEAD = "Do here without the helper: it detaches what it is given, rightly where it is called for a report."
OFF = frozenset({"no_grad", "inference_mode"})
PYTHON = frozenset("dict enumerate items keys list sorted tuple values zip".split())
"""What else a helper calls that computes nothing."""


def right_for_others(audit: Audit, op: Op) -> tuple[SourceLine, SourceLine] | None:
    """(the one call in what trains of the function in which the operation `op` detaches, a call of it for a report);
    None where it does something else than to put values together, has no such other call, or several of the first."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, op.stack)
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    function = tree.function(statement) if tree is not None and statement is not None else None
    if tree is None or not isinstance(function, ast.FunctionDef) or not isinstance(statement, ast.Return):
        return None
    if not isinstance(tree.parents.get(function), ast.Module) or function.decorator_list:
        return None  # a method may be a layer
    called = {_name(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    if not all(name in PYTHON or _puts_together(name) for name in called):
        return None
    outside = [above for above in stacks.chain(frame) if not _is_within(tree, function, audit, above)]
    files = audit.project_files
    sites = [site for site in call_sites(files, function.name) if site[0].function(site[1]) is not function]
    if not outside or sum(_defines(file, function.name) for file in files) != 1:
        return None
    calling = (stacks.file(outside[0]), stacks.line(outside[0]))
    here = [(other, call) for other, call in sites if _covers(other, call, *calling)]
    others = [site for site in sites if site not in here]
    if (
        len(here) != 1
        or not others
        or _is_for_a_report(*here[0])
        or not all(_is_for_a_report(*site) for site in others)
    ):
        return None
    other, call = others[0]
    return audit.source(outside[0]) or source_at(*calling), source_at(other.file, call.lineno)


def _is_within(tree: Tree, function: ast.FunctionDef, audit: Audit, frame: int) -> bool:
    stacks = audit.record.stacks
    line = stacks.line(frame)
    return stacks.file(frame) == tree.file and function.lineno <= line <= (function.end_lineno or line)


def _defines(file: str, name: str) -> int:
    """How many functions and methods of the name a file has."""
    tree = tree_of(file)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return sum(isinstance(node, kinds) and node.name == name for node in (tree.statements if tree is not None else ()))


def _covers(tree: Tree, call: ast.Call, file: str, line: int) -> bool:
    return tree.file == file and call.lineno <= line <= (call.end_lineno or line)


def _is_for_a_report(tree: Tree, call: ast.Call) -> bool:
    """Whether no gradient is wanted of what is called there: gradients are off, or the model is in evaluation mode, or
    what comes out leaves torch at once."""
    outer = tree.parents.get(call)
    if isinstance(outer, ast.Attribute) and operations.of(outer.attr).escapes:
        return True
    for around in tree.ancestors(call):
        if isinstance(around, ast.With) and any(_is_off(item.context_expr) for item in around.items):
            return True
        if isinstance(around, ast.FunctionDef):
            called = {_name(node.func) for node in ast.walk(around) if isinstance(node, ast.Call)}
            is_off = any(_is_off(decorator) for decorator in around.decorator_list)
            return "backward" not in called and (is_off or "eval" in called)
    return False


def _puts_together(name: str) -> bool:
    """Whether an operation computes nothing: it puts tensors together or apart, or takes them off the graph."""
    operation = operations.of(name)
    return operation.joins or operation.view or operation.copies or operation.detaches or bool(operation.escapes)


def _is_off(node: ast.expr) -> bool:
    return _name(node.func if isinstance(node, ast.Call) else node) in OFF


def _name(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))
