"""A rate of 0 that a group of parameters took over from the others, when it joined the optimizer during a warm-up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture.events import GroupEvent
from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["CopiedRate", "copied_rate"]

ASKING = frozenset({"get_last_lr", "get_lr"})
"""The methods that tell what the rates are now."""
MAX_CALLS = 3
"""So many functions are followed that give a rate back."""


@dataclass(frozen=True, slots=True)
class CopiedRate:
    """What gives the group its rate, and where the group joins."""

    source: SourceLine
    text: str
    joined: SourceLine | None


def copied_rate(audit: Audit, info: OptimizerInfo, states: list[ParameterState]) -> CopiedRate | None:
    """What gives the groups that hold the parameters the rate that the others had at that moment, where all these
    groups were added to the optimizer later, and the others stepped with 0 once, and with more than that; None where
    something else may have made the rate 0."""
    events = [one for one in audit.record.events if isinstance(one, GroupEvent) and one.optimizer == info.index]
    first = len(info.groups) - len(events)
    groups = {group for state in states for index, group in state.held if index == info.index}
    if not events or first < 1 or not groups or min(groups) < first:
        return None
    held = [
        state for state in audit.states if any(index == info.index and group < first for index, group in state.held)
    ]
    rates = {fact.lr for state in held for fact in state.facts if fact.optimizer == info.index}
    if 0 not in rates or len(rates) < 2:
        return None
    found = [_copied_at(audit, events[group - first].stack) for group in sorted(groups)]
    return found[0] if None not in found else None


def _copied_at(audit: Audit, stack: int) -> CopiedRate | None:
    """What gives the group its rate in the statement that adds it, or in one that makes the group before."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, stack)
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    if tree is None or statement is None:
        return None
    for behind in (statement, *_bindings(tree, statement)):
        for rate in _rates(behind):
            if not _tells_a_rate(audit, tree, behind, rate):
                return None
            read = _rates_seen(audit, tree, behind)
            if read - {0} or (not read and any(isinstance(node, ast.BinOp) for node in ast.walk(rate))):
                return None  # it is something else that is 0
            return CopiedRate(source_at(tree.file, rate.lineno), ast.unparse(rate), audit.source(frame))
    return None


def _rates_seen(audit: Audit, tree: Tree, statement: ast.stmt) -> set[object]:
    """What the rates were that the statement was seen to read from param groups."""
    sights = audit.record.course.at(tree.file, statement.lineno)
    reads = [(text, seen) for sight in sights for text, seen in sight.read.items() if seen.is_plain]
    return {seen.value for text, seen in reads if "param_groups" in text and text.endswith("['lr']")}


def _rates(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a group is given as `lr`; or another group, where it is given all that this has."""
    for node in ast.walk(statement):
        match node:
            case ast.Dict(keys=keys, values=values):
                pairs = [*zip(keys, values, strict=True)]
                own = [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "lr"]
                yield from own or [value for key, value in pairs if key is None]
            case ast.Call(func=ast.Name(id="dict"), args=args, keywords=keywords):
                yield from [keyword.value for keyword in keywords if keyword.arg == "lr"] or args[:1]
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value="lr"))], value=value):
                yield value


def _tells_a_rate(audit: Audit, tree: Tree, statement: ast.stmt, value: ast.expr, depth: int = 0) -> bool:
    """Whether the expression reads the param groups of an optimizer, or asks a schedule: itself, by a name of its
    function, or by a function that gives it back."""
    for node in ast.walk(value):
        match node:
            case ast.Attribute(attr="param_groups"):
                return True
            case ast.Call(func=ast.Attribute(attr=name)) if name in ASKING:
                return True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if depth < MAX_CALLS:
                if any(_tells_a_rate(audit, *returned, depth + 1) for returned in _returned(audit, name)):
                    return True
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    if depth >= MAX_CALLS:
        return False
    made = [one for one in _bindings(tree, statement) if any(_is_bound(one, name) for name in names)]
    return any(_tells_a_rate(audit, tree, one, one.value, depth + 1) for one in made)


def _bindings(tree: Tree, statement: ast.stmt) -> list[ast.Assign]:
    """The assignments before the statement, in its function, that bind a name which it reads."""
    scope = tree.function(statement) or tree.root
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    before = [n for n in ast.walk(scope) if isinstance(n, ast.Assign) and n.lineno < statement.lineno]
    return [one for one in before if any(_is_bound(one, name) for name in names)]


def _is_bound(statement: ast.Assign, name: str) -> bool:
    """Whether the assignment gives the name a value, or an entry."""
    for target in statement.targets:
        owner = target.value if isinstance(target, ast.Subscript) else target
        if isinstance(owner, ast.Name) and owner.id == name:
            return True
    return False


def _returned(audit: Audit, name: str) -> Iterator[tuple[Tree, ast.stmt, ast.expr]]:
    """What the functions of the program with that name give back."""
    for tree in filter(None, map(tree_of, audit.project_files)):
        returning = (node for node in tree.statements if isinstance(node, ast.Return))
        for node in returning:
            if node.value is not None and getattr(tree.function(node), "name", "") == name:
                yield tree, node, node.value
