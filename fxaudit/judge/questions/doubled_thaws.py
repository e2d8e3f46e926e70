"""A thaw that stands there twice for one part of a model, and not at all for the other that was frozen beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.judge.questions.freezing import last_freeze
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["DoubledThaw", "doubled_thaw"]

Place = tuple[Tree, ast.stmt]


@dataclass(frozen=True, slots=True)
class DoubledThaw:
    """The line to edit, the one that it says again, the one that freezes, what the first should name, and the
    parameters that stay frozen."""

    line: SourceLine
    other: SourceLine
    froze: SourceLine
    name: str
    states: list[ParameterState]


def doubled_thaw(audit: Audit, states: list[ParameterState]) -> DoubledThaw | None:
    """The statement that thaws again what a statement like it has thawed, where of two statements that freeze the one
    freezes that and the other, which differs by a name alone, what is never thawed."""
    held = [s for s in states if s.held and s.track.freezes and not any(flag for _, flag, _ in s.track.freezes)]
    for thaws, thawed in _twice_thawed(audit) if held else ():
        for first, second, (wrong, right) in _alike_freezes(audit, held, thawed):
            if {wrong} != _words(thaws[0][1]) & {wrong, right}:
                continue
            own = [state for state in held if second in _statements(audit, last_freeze(state))]
            later, earlier = (thaws[1], thaws[0]) if first[1].lineno < second[1].lineno else thaws
            return DoubledThaw(_line(later), _line(earlier), _line(second), right, own)
    return None


def _line(place: Place) -> SourceLine:
    return source_at(place[0].file, place[1].lineno)


def _statements(audit: Audit, stack: int) -> list[Place]:
    """The user's statements through which a flag was set, with those around them in their functions."""
    stacks = audit.record.stacks
    found: list[Place] = []
    for frame in stacks.chain(project_stack(stacks, stack)):
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        if tree is None or statement is None:
            continue
        found.append((tree, statement))
        for outer in tree.ancestors(statement):
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
                break
            if isinstance(outer, ast.stmt):
                found.append((tree, outer))
    return found


def _twice_thawed(audit: Audit) -> Iterator[tuple[tuple[Place, Place], list[ParameterState]]]:
    """(two statements of one block that say the same and thaw the same, the first that did so, what they thawed)."""
    by_pair: dict[tuple[int, int], tuple[tuple[Place, Place], list[ParameterState]]] = {}
    for state in audit.states:
        freezes = state.track.freezes
        for number, (_, flag, stack) in enumerate(freezes[:-1]):
            again = freezes[number + 1]
            if not (flag and again[1] and any(not before for _, before, _ in freezes[:number])):
                continue
            pair = _twins(_statements(audit, stack), _statements(audit, again[2]))
            if pair is not None:
                key = (id(pair[0][1]), id(pair[1][1]))
                members = by_pair.setdefault(key, (pair, []))[1]
                members += [state] if state not in members else []
    yield from by_pair.values()


def _twins(first: list[Place], second: list[Place]) -> tuple[Place, Place] | None:
    for tree, one in first:
        for other_tree, other in second:
            is_beside = tree is other_tree and tree.parents.get(one) is tree.parents.get(other)
            is_again = is_beside and one.lineno < other.lineno and ast.dump(one) == ast.dump(other)
            if is_again and all(_difference(one, between) is not None for between in _between(tree, one, other)):
                return (tree, one), (tree, other)
    return None


def _between(tree: Tree, one: ast.stmt, other: ast.stmt) -> list[ast.stmt]:
    """The statements of a block between two of it: what trains there makes the second no slip."""
    block = tree.parents.get(one)
    beside = [part for part in ast.iter_child_nodes(block) if isinstance(part, ast.stmt)] if block is not None else []
    return [part for part in beside if one.lineno < part.lineno < other.lineno]


def _alike_freezes(
    audit: Audit, held: list[ParameterState], thawed: list[ParameterState]
) -> Iterator[tuple[Place, Place, tuple[str, str]]]:
    """(the statement that froze what was thawed again, the one beside it that froze some of `held`, the names by which
    they differ)."""
    others = [place for state in thawed for _, flag, stack in state.track.freezes if not flag
              for place in _statements(audit, stack)]  # fmt: skip
    for state in held:
        for tree, statement in _statements(audit, last_freeze(state)):
            for other_tree, other in others:
                is_beside = tree is other_tree and tree.parents.get(other) is tree.parents.get(statement)
                names = _difference(other, statement) if is_beside and other is not statement else None
                if names is not None:
                    yield (other_tree, other), (tree, statement), names


def _difference(one: ast.AST, other: ast.AST) -> tuple[str, str] | None:
    """The two names by which alone the statements differ; None where there are no such two, or more."""
    first, second = ([*_tokens(node)] for node in (one, other))
    if len(first) != len(second):
        return None
    apart = {(a, b) for a, b in zip(first, second, strict=True) if a != b}
    if len(apart) != 1:
        return None
    (kind, name), (other_kind, other_name) = apart.pop()
    return (name, other_name) if kind == other_kind and name and other_name else None


def _tokens(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The nodes of a statement in order, each by its kind, and by its name where it has one."""
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield type(part).__name__, name
            case ast.Constant(value=value):
                yield f"Constant {value!r}", ""
            case _:
                yield type(part).__name__, ""


def _words(node: ast.AST) -> set[str]:
    return {name for _, name in _tokens(node) if name}
