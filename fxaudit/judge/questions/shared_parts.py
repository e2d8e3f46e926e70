"""A part that two models share without saying so: a function hands out again what it has made, or a default does, or
one model is given what was to be copied from the other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture.registry import ModuleInfo
from fxaudit.judge.questions.freezing import last_freeze
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.given import calls_in, last_name
from fxaudit.program.kept import kept_by
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import Tree, tree_of

__all__ = ["SharedPart", "frozen_with_another"]

CONTAINERS = frozenset({"ModuleList", "ModuleDict"})
COPYING = frozenset({"load_state_dict", "copy_", "deepcopy"})
WARM = re.compile(r"(^|_)(init|initiali[sz]e|copy|transfer|inherit|warm|start)(_|$)|from_(teacher|pretrained|other)")
"""What a function is called that gives a model the numbers with which it begins."""


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
    is_given: bool = False
    """Whether the line gives the other model what the first one has; else it makes the part once for both."""


@dataclass(frozen=True, slots=True)
class _Place:
    """One of the places at which a module stands, and the other parameters of the module that has it there."""

    name: str
    owner: int
    root: int
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
        given = _given(audit, own, module, without[0]) if with_it and without else None
        if given is not None:
            return SharedPart(given, own, with_it[0].name, without[0].name, is_given=True)
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
    own = {track for index in shared for track in _members(audit, index)}
    return {
        index: [_place(audit, root, path, owner, own) for root, path, owner in places]
        for index, places in shared.items()
        if not any(owner in shared for _, _, owner in places)
    }


def _place(audit: Audit, root: ModuleInfo, path: str, owner: int, own: set[int]) -> _Place:
    prefix, paths = path.rpartition(".")[0], audit.recording.paths(root)
    while prefix and paths[prefix].type in CONTAINERS:
        prefix = prefix.rpartition(".")[0]
    beside = [
        state
        for state in audit.states
        if state.root is root and state.index not in own and f".{state.local_name}".startswith(f".{prefix}")
    ]
    called = next((s.name.removesuffix(s.local_name) for s in audit.states if s.root is root), "")
    return _Place(f"{called}{path}", owner, root.index, beside)


def _given(audit: Audit, states: list[ParameterState], module: int, place: _Place) -> SourceLine | None:
    """The assignment that gave a model, before the freeze, what another one has in the place of what it had itself, in
    a function that copies other parts of that one, or says by its name that it does."""
    root, owner = audit.recording.modules[place.root], audit.recording.modules[place.owner]
    name = place.name.rpartition(".")[2]
    entries = [entry for entry in owner.attributes.get(name, ()) if entry[2] == "module"]
    has_had_one = len(entries) > (0 if owner.type in CONTAINERS else 1)  # a list is given its first members unseen
    if not has_had_one or audit.recording.modules[module].created_time > entries[-1][0]:
        return None
    frozen = min((time, stack) for state in states for time, flag, stack in state.track.freezes if not flag)
    stacks = audit.record.stacks
    frame = project_stack(stacks, entries[-1][1])
    tree = tree_of(stacks.file(frame)) if not is_library(stacks.file(frame)) else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    if tree is None or statement is None or not _takes_a_part(statement) or not _is_before(audit, entries[-1], frozen):
        return None
    is_held = any(index for state in place.beside if state.root is root for index in state.held)
    return source_at(tree.file, stacks.line(frame)) if is_held and _copies_beside(tree, statement) else None


def _is_before(audit: Audit, given: tuple[int, int, str], frozen: tuple[int, int]) -> bool:
    """Whether the assignment came before the freeze: where no operation lies between the two, the statements tell."""
    if given[0] != frozen[0]:
        return given[0] < frozen[0]
    stacks, course = audit.record.stacks, audit.record.course
    first: list[int] = []
    for frame in (project_stack(stacks, stack) for stack in (given[1], frozen[1])):
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        sights = course.at(stacks.file(frame), statement.lineno) if statement is not None else []
        first.append(sights[0].index if sights else -1)
    return -1 not in first and first[0] < first[1]


def _takes_a_part(statement: ast.stmt) -> bool:
    """Whether the statement gives a part of something what is a part of something else, and makes nothing of it."""
    match statement:
        case ast.Assign(targets=[target], value=ast.Attribute() | ast.Subscript() as value):
            return isinstance(target, ast.Attribute | ast.Subscript) and _first(target) != _first(value) != ""
        case ast.Expr(value=ast.Call(func=ast.Name(id="setattr"), args=[_, _, value])):
            is_asked = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "getattr"
            return is_asked or isinstance(value, ast.Attribute | ast.Subscript)
    return False


def _first(node: ast.expr) -> str:
    """The object whose part it is: `self.student` of `self.student.embed`, `teacher` of `teacher.layers[3]`."""
    chain = ast.unparse(node).replace("[", ".").split(".")
    return ".".join(chain[: 2 if chain[0] == "self" else 1])


def _copies_beside(tree: Tree, statement: ast.stmt) -> bool:
    """Whether the function around the statement copies from the same model, too, or is called as what copies."""
    scope = tree.function(statement)
    name = getattr(scope, "name", "")
    if name != "__init__" and WARM.search(name.lower()) is not None:
        return True
    donor = _first(statement.value) if isinstance(statement, ast.Assign) else ""
    given = [
        part
        for node in getattr(scope, "body", ())
        for call in calls_in(node)
        if last_name(call.func) in COPYING
        for part in call.args
    ]
    parts = (node for part in given for node in ast.walk(part) if isinstance(node, ast.Name | ast.Attribute))
    return any(ast.unparse(node) == donor for node in parts)


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
