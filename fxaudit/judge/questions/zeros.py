"""Where zero gradients come from, looked up once per parameter. Shared by the rules on gradient values."""

from __future__ import annotations

import ast

from fxaudit.capture import operations
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.arithmetic import is_whole
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import assignments_behind, is_zero, tree_of
from fxaudit.program.values import origins

__all__ = ["factor_origins", "fills_with_zeros", "integer_zero", "zero_number", "zeros_given"]


def zero_number(audit: Audit, index: int, frames: int = 2) -> SourceLine | None:
    """The assignment that gives one of the names in the operation's line the value 0, if there is one.

    So many `frames` are looked at: the operation's line, the line that called its function, ...
    """
    stack = audit.record.ops[index].stack if index >= 0 else -1
    stacks = audit.record.stacks
    for frame in stacks.chain(stack)[:frames]:
        file, line = stacks.file(frame), stacks.line(frame)
        found = _literal_zero(file, line) or _integer_zero(file, line) or _integer_attribute(file, line)
        if found is not None:
            return found
    return _zero_attribute(audit, index)


def _zero_attribute(audit: Audit, index: int) -> SourceLine | None:
    """The assignment of the attribute of the module itself that is 0 and named in the operation's line."""
    op = audit.record.ops[index] if index >= 0 else None
    stacks = audit.record.stacks
    tree = tree_of(stacks.file(op.stack)) if op is not None and op.module >= 0 else None
    statement = tree.statement_at(stacks.line(op.stack)) if tree is not None and op is not None else None
    if op is None or statement is None:
        return None
    info = audit.recording.modules[audit.record.calls[op.module].module]
    for node in ast.walk(statement):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in info.attributes:
                value = info.settings.get(name)
                if isinstance(value, int | float) and value == 0:
                    return audit.source(info.attributes[name][-1][1])
    return None


def zeros_given(audit: Audit, index: int) -> list[SourceLine]:
    """The statements that fill with zeros what the operation's line reads by attribute, such as `self.gate`."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, audit.record.ops[index].stack) if index >= 0 else -1
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    if tree is None or statement is None:
        return []
    read = {node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute) and _is_self(node.value)}
    return [
        source_at(tree.file, node.lineno)
        for node in tree.nodes
        if isinstance(node, ast.Assign | ast.Expr) and not read.isdisjoint(_filled_with_zeros(node))
    ]


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _filled_with_zeros(node: ast.Assign | ast.Expr) -> set[str]:
    """The attributes of `self` that a statement makes of zeros, or fills with them."""
    targets: list[ast.AST] = []
    match node:
        case ast.Assign(targets=assigned, value=value) if _makes_zeros(value):
            targets = list(assigned)
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(attr="register_buffer"), args=[ast.Constant(value=str(name)), v])
        ):
            return {name} if _makes_zeros(v) else set()
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="zeros_" | "zero_", value=owner), args=args)):
            targets = [owner, *args]
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="constant_" | "fill_", value=owner), args=[*args, last])):
            targets = [owner, *args] if is_zero(last) else []
    parts = (part for target in targets for part in ast.walk(target))
    return {part.attr for part in parts if isinstance(part, ast.Attribute) and _is_self(part.value)}


def _makes_zeros(value: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Call) and _is_fresh_zeros(operations.of(getattr(part.func, "attr", "")))
        for part in ast.walk(value)
    )


def _is_fresh_zeros(operation: operations.Operation) -> bool:
    return operation.fresh == "zeros" and not operation.in_place


def fills_with_zeros(line: SourceLine) -> bool:
    """Whether the statement says itself that it fills something with zeros: a constructor that does so does not."""
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    for node in ast.walk(statement) if statement is not None else ():
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            fresh = operations.of(name).fresh
            if fresh == "zeros" or (fresh == "numbers" and node.args and is_zero(node.args[-1])):
                return True
    return False


def integer_zero(audit: Audit, index: int) -> SourceLine | None:
    """The integer division, or rounding, from which a number in the operation's line may be 0, if there is one."""
    stack = audit.record.ops[index].stack if index >= 0 else -1
    stacks = audit.record.stacks
    lines = (_integer_zero(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(stack)[:2])
    return next((line for line in lines if line is not None), None)


def _integer_attribute(file: str, line: int) -> SourceLine | None:
    """The integer division, or rounding, that gave an attribute in the line its value."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return None
    attributes = {n.attr for n in ast.walk(statement) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}
    for node in tree.nodes:
        match node:
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=value) if name in attributes and is_whole(value):
                return source_at(file, node.lineno)
    return None


def factor_origins(audit: Audit, index: int) -> list[tuple[SourceLine | None, str]]:
    """Where the names that stand as factors in the operation's line get their values: (line, role) pairs.

    None where the line says itself what the factor 0 is.
    """
    stack = audit.record.ops[index].stack if index >= 0 else -1
    stacks = audit.record.stacks
    tree = tree_of(stacks.file(stack)) if stack >= 0 else None
    statement = tree.statement_at(stacks.line(stack)) if tree is not None else None
    if tree is None or statement is None:
        return []
    operands = [
        operand
        for node in ast.walk(statement)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)
        for operand in (node.left, node.right)
    ]
    if any(is_zero(operand) for operand in operands):
        return []
    factors = [operand for operand in operands if isinstance(operand, ast.Name | ast.Attribute)]
    found = [o for factor in factors for o in origins(audit.project_files, tree, factor) if not o.is_handed_on]
    found.sort(key=lambda origin: not (origin.is_nothing and origin.is_direct))
    return [(source_at(o.file, o.line), f"`{o.name}` gets its value here") for o in found]


def _integer_zero(file: str, line: int) -> SourceLine | None:
    for assignment in assignments_behind(file, line):
        for node in ast.walk(assignment):
            match node:
                case ast.BinOp(op=ast.FloorDiv()) | ast.Call(func=ast.Name(id="int" | "round")):
                    return source_at(file, assignment.lineno)
    return None


def _literal_zero(file: str, line: int) -> SourceLine | None:
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return None
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
    attributes = {n.attr for n in ast.walk(statement) if isinstance(n, ast.Attribute)}
    for node in tree.nodes:
        match node:
            case ast.Assign(targets=targets, value=value) if _has_zero(value):
                for target in targets:
                    if isinstance(target, ast.Name) and target.id in names:
                        return source_at(tree.file, _zero_line(value))
                    if isinstance(target, ast.Attribute) and target.attr in attributes:
                        return source_at(tree.file, _zero_line(value))
            case ast.arguments():
                for argument, default in _defaults(node):
                    if argument in names and _has_zero(default):
                        return source_at(tree.file, default.lineno)
            case ast.keyword(arg=str() as name, value=value) if (name in names or name in attributes) and is_zero(
                value
            ):
                return source_at(tree.file, value.lineno)
    return None


def _defaults(node: ast.arguments) -> list[tuple[str, ast.expr]]:
    positional = [*node.posonlyargs, *node.args]
    pairs = list(zip([a.arg for a in positional[len(positional) - len(node.defaults) :]], node.defaults, strict=True))
    pairs += [(a.arg, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True) if d is not None]
    return pairs


def _has_zero(value: ast.expr) -> bool:
    """Whether a value is 0, or a dict, tuple or list with a 0 in it, or a namespace or tensor made of such."""
    match value:
        case ast.Dict(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return any(_has_zero(part) for part in parts)
        case ast.Call(func=function, args=args, keywords=keywords):
            name = getattr(function, "id", getattr(function, "attr", ""))
            parts = [*args, *(keyword.value for keyword in keywords)]
            return name in ("dict", "tensor", "Namespace", "SimpleNamespace") and any(_has_zero(part) for part in parts)
    return is_zero(value)


def _zero_line(value: ast.expr) -> int:
    return next(node.lineno for node in ast.walk(value) if isinstance(node, ast.Constant) and is_zero(node))
