"""A part that two models share without saying so: a function hands out again what it has made, or a default does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture.registry import ModuleInfo
from fxaudit.judge.questions.freezing import last_freeze
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.kept import kept_by
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import tree_of

__all__ = ["SharedPart", "frozen_with_another"]


@dataclass(frozen=True, slots=True)
class SharedPart:
    """What is frozen with a model, and is a part of another one that trains."""

    line: SourceLine
    """Where it is made once for both."""
    states: list[ParameterState]
    frozen: str
    """What the part is called in the model that is frozen."""
    trained: str
    """What it is called in the other one."""


@dataclass(frozen=True, slots=True)
class _Place:
    """One of the places at which a module stands, and the other parameters of the module that has it there."""

    name: str
    owner: int
    beside: list[ParameterState]


def frozen_with_another(audit: Audit, states: list[ParameterState]) -> SharedPart | None:
    """The part that an optimizer holds and that is frozen only because another model is which has the same one: all
    else of that was frozen at once with it, and beside it in the first one something trains."""
    held = [state for state in states if state.held and _is_frozen_once(audit, state)]
    for module, places in (_twice(audit) if held else {}).items():
        own = [state for state in held if state.index in _members(audit, module)]
        frozen_by = {_frame(audit, state) for state in own}
        if len(frozen_by) != 1:
            continue
        frames = [{_frame(audit, state) for state in place.beside} for place in places]
        with_it = [place for place, found in zip(places, frames, strict=True) if found == frozen_by]
        without = [
            place
            for place, found in zip(places, frames, strict=True)
            if frozen_by.isdisjoint(found) and any(state.verdict == "trained" for state in place.beside)
        ]
        line = _made_once(audit, audit.recording.modules[module], [place.owner for place in places])
        if with_it and without and line is not None:
            return SharedPart(line, own, with_it[0].name, without[0].name)
    return None


def _is_frozen_once(audit: Audit, state: ParameterState) -> bool:
    """Whether one frame alone froze it: what was frozen before, where it was made, is meant to be."""
    stacks = audit.record.stacks
    frames = {project_stack(stacks, stack) for _, flag, stack in state.track.freezes if not flag and stack >= 0}
    return len(frames) == 1 and last_freeze(state) >= 0


def _frame(audit: Audit, state: ParameterState) -> int:
    """The user's frame that froze the parameter last; -1 where none did."""
    stack = last_freeze(state)
    return project_stack(audit.record.stacks, stack) if stack >= 0 and not state.track.requires_grad else -1


def _members(audit: Audit, module: int) -> set[int]:
    """The tracks of the parameters in the tree of a module."""
    below = audit.recording.below(audit.recording.modules[module])
    return {track for _, part in below for track in part.parameters.values()}


def _twice(audit: Audit) -> dict[int, list[_Place]]:
    """Module → its places, of those that different modules have, and that are no part of another such one."""
    found: dict[int, list[tuple[ModuleInfo, str, int]]] = {}
    for root in {model.root.index: model.root for model in audit.recording.models}.values():
        paths = audit.recording.paths(root)
        for path, module in paths.items():
            if path:
                owner = paths[path.rpartition(".")[0]].index
                found.setdefault(module.index, []).append((root, path, owner))
    shared = {index: places for index, places in found.items() if len({owner for _, _, owner in places}) > 1}
    return {
        index: [_place(audit, root, path, owner, _members(audit, index)) for root, path, owner in places]
        for index, places in shared.items()
        if not any(owner in shared for _, _, owner in places)
    }


def _place(audit: Audit, root: ModuleInfo, path: str, owner: int, own: set[int]) -> _Place:
    prefix = path.rpartition(".")[0]
    beside = [
        state
        for state in audit.states
        if state.root is root and state.index not in own and f".{state.local_name}".startswith(f".{prefix}")
    ]
    called = next((s.name.removesuffix(s.local_name) for s in audit.states if s.root is root), "")
    return _Place(f"{called}{path}", owner, beside)


def _made_once(audit: Audit, module: ModuleInfo, owners: list[int]) -> SourceLine | None:
    """The decorator or the test by which a function that was asked for the module hands out the same one again, or the
    default of an argument, or the line in the body of a class, that made it once for all."""
    stacks = audit.record.stacks
    if module.created < 0:
        return None
    around = {frame for owner in owners for frame in stacks.chain(audit.recording.modules[owner].created)}
    for frame in stacks.chain(module.created):
        file, line = stacks.file(frame), stacks.line(frame)
        if frame in around:
            return None
        found = 0 if is_library(file) else kept_by(file, line) or _in_a_definition(file, line)
        if found:
            return source_at(file, found)
    return None


def _in_a_definition(file: str, line: int) -> int:
    """The line of the default of an argument, or of the statement in the body of a class, that runs at the line; 0
    where that is something else."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return 0
    if isinstance(statement, ast.FunctionDef):
        return next((one.lineno for one in _defaults(statement) if one.lineno <= line <= (one.end_lineno or 0)), 0)
    is_in_class = isinstance(tree.parents.get(statement), ast.ClassDef) and isinstance(statement, ast.Assign)
    return statement.lineno if is_in_class else 0


def _defaults(function: ast.FunctionDef) -> Iterator[ast.expr]:
    yield from function.args.defaults
    yield from filter(None, function.args.kw_defaults)
