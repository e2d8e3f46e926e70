"""What the `step` of an optimizer of the user's own does, or fails to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, is_zero, obstacles, tree_of
from fxaudit.program.values import origins

__all__ = ["Idle", "idle_step"]

Lines = list[tuple[SourceLine | None, str]]


@dataclass(frozen=True, slots=True)
class Idle:
    """Why the step changes nothing: in words with `{}` for the parameters, the line to edit, and others."""

    words: str
    culprit: SourceLine
    related: Lines
    fix: str


def idle_step(audit: Audit, state: ParameterState) -> Idle | None:
    """Why the step of the class that stepped `state` last, where that is the user's own, changes nothing."""
    kind = audit.session.optimizers[state.facts[-1].optimizer].type
    is_zero = any(fact.gradient == "zero" for fact in state.facts)
    for file in audit.project_files:
        tree = tree_of(file)
        for node in ast.walk(tree.root) if tree is not None else ():
            if tree is not None and isinstance(node, ast.ClassDef) and node.name == kind and not is_zero:
                return (
                    _rebinding(tree, node)
                    or _unreached_write(audit, tree, node)
                    or _write_of_nothing(audit, tree, node)
                    or _silent(tree, node)
                )
    return None


def _methods(kind: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    for member in kind.body:
        if isinstance(member, ast.FunctionDef) and member.name != "__init__":
            yield member


def _rebinding(tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """The statement of `step` that puts the new value into a local name."""
    for step in (method for method in _methods(kind) if method.name == "step"):
        for inner in ast.walk(step):
            if isinstance(inner, ast.Assign) and all(isinstance(t, ast.Name) for t in inner.targets):
                names = {n.id for n in ast.walk(inner.value) if isinstance(n, ast.Name)}
                grads = any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(inner.value))
                targets = {t.id for t in inner.targets if isinstance(t, ast.Name)}
                if isinstance(inner.value, ast.BinOp) and (grads or names & targets):
                    return Idle(
                        "the step computes a new value for {}, and writes it nowhere",
                        source_at(tree.file, inner.lineno),
                        [],
                        "Write into the parameter: `p.data.copy_(…)` or `p.add_(…)` under `torch.no_grad()`.",
                    )
    return None


def _unreached_write(audit: Audit, tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """What keeps every statement that would write into a parameter from running."""
    ran = audit.record.ran().of(tree.file)
    writes = list(_writes(kind))
    if not writes or not ran & {line for m in _methods(kind) for line in range(m.lineno, (m.end_lineno or 0) + 1)}:
        return None
    if any(set(range(write.lineno, (write.end_lineno or write.lineno) + 1)) & ran for write in writes):
        return None
    for write in writes:
        found = obstacles(tree, write, ran)
        if found:
            related: Lines = [
                (source_at(tree.file, found[0].jump), "here it is left") if found[0].jump else (None, ""),
                (source_at(tree.file, write.lineno), "the write that never runs"),
            ]
            left = f"it is left where `{found[0].condition}`" if found[0].jump else found[0].role
            return Idle(
                f"the step never comes to what writes into {{}}: {left}",
                source_at(tree.file, found[0].line),
                related,
                "Pass over what has no gradient with `continue`, and write into all the others.",
            )
    return None


def _write_of_nothing(audit: Audit, tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """The 0 that a factor of the written update goes back to."""
    for write in _writes(kind):
        found = origins(audit.project_files, tree, write)
        zero = next((o for o in found if o.is_unconditional and is_zero(o.value)), None)
        if zero is not None:
            behind = [(source_at(o.file, o.line), f"`{o.name}` gets its value here") for o in found if o is not zero]
            return Idle(
                "the step writes {} anew without a change: a factor of the update is 0",
                source_at(zero.file, zero.line),
                [(source_at(tree.file, write.lineno), "written here"), *behind],
                "Give the factor its value once, where the state is set up.",
            )
    return None


def _silent(tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """The head of a `step` that does not call the one it inherits."""
    for step in _methods(kind):
        if step.name == "step" and not _calls_a_step(step):
            return Idle(
                "the step leaves {} unchanged, in spite of a gradient",
                source_at(tree.file, step.lineno, f"{kind.name}.step"),
                [],
                "Write into the parameters there, or call the step that the class inherits.",
            )
    return None


def _writes(kind: ast.ClassDef) -> Iterator[ast.stmt]:
    """The statements of an optimizer that write into a parameter, by what they name."""
    for method in _methods(kind):
        names = _parameters(method)
        for node in ast.walk(method):
            match node:
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=written, attr=name))) if (
                    name.endswith("_") and not name.endswith("__") and _root(written) in names
                ):
                    yield node
                case ast.AugAssign(target=target) | ast.Assign(targets=[ast.Attribute(attr="data") as target]) if (
                    _root(target) in names
                ):
                    yield node


def _parameters(method: ast.FunctionDef) -> set[str]:
    """The variables of a method whose `.grad` is read, or that go through something called `params`."""
    found = {
        node.value.id
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and node.attr == "grad" and isinstance(node.value, ast.Name)
    }
    for node in ast.walk(method):
        if isinstance(node, ast.For) and "param" in ast.unparse(node.iter) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def _root(written: ast.expr) -> str:
    """`p` of `p` and of `p.data`."""
    match written:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name), attr="data"):
            return name
    return ""


def _calls_a_step(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step"
        for node in ast.walk(function)
    )
