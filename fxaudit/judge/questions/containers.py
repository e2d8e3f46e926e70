"""Where an unregistered tensor is kept, and on which line it was put there. Shared by the rules on registration."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from fxaudit.capture.registry import ClassInfo, Kept, ModuleInfo
from fxaudit.judge.questions.bypassed import bypassing_line
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["Keeper", "filled_at", "owner_of"]


@dataclass(frozen=True, slots=True)
class Keeper:
    """The module that keeps an unregistered tensor: under which attribute, and whether as something derived from it."""

    module: ModuleInfo
    attribute: str
    kept: Kept


def owner_of(audit: Audit, state: ParameterState) -> Keeper | None:
    """Who keeps the tensor, by the attribute path that is its name; None where it is no module's attribute."""
    for model in audit.recording.models:
        if not state.name.startswith(model.prefix):
            continue
        module = model.root
        rest = state.name[len(model.prefix) :]
        while rest:
            head, _, tail = rest.partition(".")
            child = audit.recording.child(module, head)
            if child is None:
                attribute = head.split("[", 1)[0].split("#", 1)[0].strip()
                if attribute in module.kept:
                    return Keeper(module, attribute, module.kept[attribute])
                break
            module, rest = child, tail
    return None


def filled_at(
    audit: Audit, state: ParameterState
) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]], str]:
    """(line that filled the container, further lines, the container in words)."""
    keeper = owner_of(audit, state)
    if keeper is None:
        return None, [], "a variable outside the model"
    info = keeper.module
    places = {"buffer": f"the buffer `{keeper.attribute}`", "class": f"the class attribute `{keeper.attribute}`"}
    container = keeper.kept.container
    kind = (
        f"the Python {container} `{keeper.attribute}`"
        if container
        else places.get(keeper.kept.place, f"`{keeper.attribute}`")
    )
    source: SourceLine | None = None
    assigned = [entry for entry in info.attributes.get(keeper.attribute, ()) if entry[2] != "deleted"]
    if assigned:
        source = audit.source(assigned[-1][1])
    in_class = _in_class(info.defined_in, audit.recording.class_of(info), keeper.attribute)
    related: list[tuple[SourceLine | None, str]] = [(line, "filled here") for line in in_class[1]]
    source = source or (in_class[0][0] if in_class[0] else None)
    is_plain = keeper.kept.place == "attribute" and not container
    bypassing = bypassing_line(audit, info) if is_plain else None
    if bypassing is not None:
        related.insert(0, (source, "assigned here"))
        source, kind = bypassing, f"{kind}, stored past `nn.Module.__setattr__`"
    if state.track.created >= 0:
        related.append((audit.source(state.track.created), "made here"))
    return source, related, kind


def _in_class(file: str, kind: ClassInfo, attribute: str) -> tuple[list[SourceLine], list[SourceLine]]:
    """(assignments to, additions to) `self.attribute` in the classes that define the module."""
    assigned: list[SourceLine] = []
    added: list[SourceLine] = []
    names = {name for name, module, _ in kind.bases if not module.startswith("torch")}
    tree = tree_of(file) if file else None
    if tree is None:
        return assigned, added
    for node in tree.nodes:
        if not (isinstance(node, ast.ClassDef) and node.name in names):
            continue
        for inner in ast.walk(node):
            match inner:
                case ast.Assign(targets=[ast.Name(id=name)]) if name == attribute and tree.parents.get(inner) is node:
                    assigned.append(source_at(file, inner.lineno))
                case ast.Assign(targets=targets):
                    for target in targets:
                        if isinstance(target, ast.Attribute) and target.attr == attribute:
                            assigned.append(source_at(file, inner.lineno))
                        if isinstance(target, ast.Subscript) and _names(target.value, attribute):
                            added.append(source_at(file, inner.lineno))
                case ast.Call(
                    func=ast.Attribute(attr="register_buffer"), args=[ast.Constant(value=str() as name), *_]
                ) if name == attribute:
                    assigned.append(source_at(file, inner.lineno))
                case ast.AnnAssign(target=ast.Attribute(attr=name)) if name == attribute:
                    assigned.append(source_at(file, inner.lineno))
                case ast.AugAssign(target=ast.Attribute(attr=name)) if name == attribute:
                    added.append(source_at(file, inner.lineno))
                case ast.Call(
                    func=ast.Attribute(
                        value=value, attr="append" | "extend" | "add" | "update" | "insert" | "setdefault"
                    )
                ) if _names(value, attribute):
                    added.append(source_at(file, inner.lineno))
    return assigned, added


def _names(node: ast.expr, attribute: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == attribute
