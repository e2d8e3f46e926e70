"""Where a forward goes on without a module that nothing mentions, by the order in which its siblings were made."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import tree_of

__all__ = ["line_without"]


def line_without(audit: Audit, root: int, path: str, made: SourceLine, last: SourceLine | None) -> SourceLine | None:
    """The line of the owner's forward that calls what was registered before the module, or, where it is the last one
    of all, or a parameter, the `last` line that calls anything; None where it is not the constructor of the class with
    that forward that makes it for itself.

    A forward mostly runs its modules in the order in which the constructor makes them.
    """
    model = audit.recording.model_of(root)
    owner_path, _, name = path.rpartition(".")
    owner = audit.recording.paths(model.root).get(owner_path) if model is not None and owner_path else None
    owner = owner or (model.root if model is not None and not owner_path else None)
    if owner is None or not _is_made_for_itself(made, name):
        return None
    if name not in owner.children:
        return last
    order = list(owner.children)
    place = order.index(name)
    called = dict(_called(audit, owner.index, order))
    before = [child for child in order[:place] if child in called]
    behind = [child for child in order[place + 1 :] if child in called]
    if not before and not behind:
        return None
    if not before:
        found = audit.source(called[behind[0]])
    elif behind:
        found = audit.source(called[before[-1]])
    else:
        found = last
    return found if found is not None and not found.library else None


def _is_made_for_itself(made: SourceLine, name: str) -> bool:
    """Whether the constructor of a class that has a forward, too, gives the attribute its value there, and does not
    read it: it may be a pattern that others are copied from."""
    tree = tree_of(actual_path(made.file))
    statement = tree.statement_at(made.line) if tree is not None else None
    constructor = tree.function(statement) if tree is not None and statement is not None else None
    owner = tree.parents.get(constructor) if tree is not None and constructor is not None else None
    if not isinstance(constructor, ast.FunctionDef) or constructor.name != "__init__":
        return False
    methods = (
        {node.name for node in owner.body if isinstance(node, ast.FunctionDef)}
        if isinstance(owner, ast.ClassDef)
        else ()
    )
    used = [n.ctx for n in ast.walk(constructor) if isinstance(n, ast.Attribute) and n.attr == name]
    return "forward" in methods and bool(used) and all(isinstance(ctx, ast.Store) for ctx in used)


def _called(audit: Audit, owner: int, order: list[str]) -> Iterator[tuple[str, int]]:
    """(the owner's child, the stack) of what the owner's forward called itself: a child, or a member of one."""
    record = audit.record
    first = next((call.index for call in record.calls if call.module == owner), None)
    if first is None:
        return
    children = {
        info.index: name
        for name in order
        if (child := audit.recording.child(audit.recording.modules[owner], name)) is not None
        for info in (child, *audit.recording.paths(child).values())
    }
    for call in record.calls:
        if call.parent == first and call.module in children:
            yield children[call.module], call.stack
