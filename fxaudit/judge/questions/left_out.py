"""What left a parameter out of what an optimizer was given: an iterator, a filter, a copy, a list of parts."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import common_frame, project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.evaluation import evaluated
from fxaudit.program.groups import groups_listed, params_chosen
from fxaudit.program.loops import kept_generators, leftover_variable, place_kept, used_up
from fxaudit.program.name_lists import list_of_the_chosen
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import assignments_behind, branch_ran, last_of_chain, sliced_statements, tree_of
from fxaudit.program.values import origins

__all__ = [
    "Told",
    "all_dropped",
    "dropping_statement",
    "empty_group",
    "kept_generator",
    "left_from_a_loop",
    "listed_parts",
    "of_a_copy",
    "read_before",
]

GIVING = frozenset({"parameters", "named_parameters"})

Told = tuple[SourceLine | None, list[tuple[SourceLine | None, str]]]
"""The line to edit, and what is related to it."""


def of_a_copy(audit: Audit, info: OptimizerInfo) -> Told | None:
    """Where all that the optimizer holds was copied while it was built, in a function that it asked for the model: the
    line that copies."""
    stacks = audit.record.stacks
    made = {project_stack(stacks, audit.record.tracks[track].created) for _, tracks in info.groups for track in tracks}
    places = {(stacks.file(frame), stacks.line(frame)) for frame in made if frame >= 0}
    if len(places) != 1 or -1 in made:
        return None
    frame = next(iter(made))
    copying, building = common_frame(stacks, frame, info.created), common_frame(stacks, info.created, frame)
    if copying == frame or stacks.line(copying) != stacks.line(building):
        return None  # made in the optimizer's own line, or long before
    tree = tree_of(stacks.file(frame))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    if statement is None or "deepcopy" not in {_called_as(node) for node in ast.walk(statement)}:
        return None
    return audit.source(frame), [(audit.source(info.created), "the optimizer gets a copy here")]


def _called_as(node: ast.AST) -> str:
    called = node.func if isinstance(node, ast.Call) else None
    return str(getattr(called, "attr", getattr(called, "id", "")))


def read_before(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> Told | None:
    """Where a group is empty: the line that hands over an iterator which an earlier line has used up; where that goes
    through the parameters of a module, among which are the `states`, the earlier line."""
    if all(members for _, members in info.groups):
        return None
    stacks = audit.record.stacks
    places = [(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(info.created)[:2]]
    places += [(file, line) for place in places for file, line, _ in sliced_statements(*place)]
    for file, at in dict.fromkeys(places):
        ran = audit.record.ran().of(file)
        found = [one for one in used_up(file, at, ran if ran.is_whole else None) if _may_hold(audit, one.owner, states)]
        if found:
            last = found[-1]
            first, second = source_at(file, last.first), source_at(file, last.second)
            told: list[tuple[SourceLine | None, str]] = [(first, f"`{last.name}` gives its items once, and here")]
            if last.owner:
                return first, [(second, f"`{last.name}` gives its items once: nothing is left here")]
            if last.made:
                return source_at(file, last.made), [*told, (second, "nothing is left here")]
            return second, told
    return None


def _may_hold(audit: Audit, owner: str, states: list[ParameterState]) -> bool:
    """Whether the states are parameters of the module that the text names, as far as a part of a model is named."""
    words = re.findall(r"\w+", owner)
    below = [path for model in audit.recording.models for path in audit.recording.paths(model.root)]
    if not words or not any(f".{words[-1]}." in f".{path}." for path in below):
        return True
    return any(f".{words[-1]}." in f".{state.local_name}." for state in states)


def kept_generator(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> Told | None:
    """Where a group is empty: the one line that keeps a generator of parameters, among which may be the `states`, and
    which somebody else has gone through, as its condition was seen to let some pass."""
    if all(members for _, members in info.groups):
        return None
    ran, stacks = audit.record.ran(), audit.record.stacks
    given = [groups_listed(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(info.created)[:2]]
    filled = {
        id(value)
        for values in given
        if len(values) == len(info.groups)
        for value, (_, members) in zip(values, info.groups, strict=True)
        if members
    }
    kept = [(file, node) for file in audit.project_files for node in kept_generators(file, ran.of(file))]
    kept = [one for one in kept if _may_be_empty(audit, *one, states, info, filled)]
    if len(kept) != 1:
        return None
    ((file, node),) = kept
    tests = [test for part in getattr(node, "generators", ()) for test in part.ifs]
    passes = audit.record.course.at(file, node.lineno)
    if not any(all(evaluated(test, one.read) is True for test in tests) for one in passes):
        return None
    return source_at(file, node.lineno), [(audit.source(info.created), "nothing is left of it here")]


def _may_be_empty(
    audit: Audit,
    file: str,
    node: ast.GeneratorExp | ast.Call,
    states: list[ParameterState],
    info: OptimizerInfo,
    filled: Collection[int],
) -> bool:
    """Whether what is kept may be that of an empty group, as far as its place in the list of groups shows, and, where
    it was given a name before, whose parameters it goes through."""
    tree = tree_of(file)
    place = place_kept(tree, node) if tree is not None else None
    if tree is None or place is None or id(place) in filled:
        return False  # that one was still full
    if place is node:
        return True
    listed = next((outer for outer in tree.ancestors(place) if isinstance(outer, ast.List)), None)
    if listed is not None and len(listed.elts) == len(info.groups):
        number = next(number for number, group in enumerate(listed.elts) if place in ast.walk(group))
        if info.groups[number][1]:
            return False
    owners = [part.func for part in ast.walk(node) if isinstance(part, ast.Call) and _called_as(part) in GIVING]
    owned = [ast.unparse(owner.value) for owner in owners if isinstance(owner, ast.Attribute)]
    return any(_may_hold(audit, owner, states) for owner in owned)


def left_from_a_loop(audit: Audit, info: OptimizerInfo) -> Told | None:
    """The optimizer's own line, where it reads the variable of a loop that is over, in another loop."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, info.created)
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    if tree is None or statement is None or not any(isinstance(outer, ast.For) for outer in tree.ancestors(statement)):
        return None
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    left = next((name for call in calls if (name := leftover_variable(tree, call))), "")
    return (
        (audit.source(frame), [(audit.source(info.created), f"`{left}` is the last of another loop")]) if left else None
    )


def empty_group(audit: Audit, info: OptimizerInfo) -> Told | None:
    """Where a group got no parameter at all: the line of its `params`, if the groups stand in a list there."""
    empty = [number for number, (_, members) in enumerate(info.groups) if not members]
    stacks = audit.record.stacks
    for frame in stacks.chain(info.created)[:2] if empty else ():
        tree = tree_of(stacks.file(frame))
        lists = groups_listed(stacks.file(frame), stacks.line(frame))
        if tree is not None and len(lists) == len(info.groups):
            value = lists[empty[0]]
            behind = [o for o in origins(audit.project_files, tree, value) if not o.is_handed_on]
            more = [(source_at(o.file, o.line), f"`{o.name}` is put together here") for o in behind]
            here = source_at(tree.file, value.lineno)
            once = next((o for o in behind if isinstance(o.value, ast.GeneratorExp)), None)
            if once is not None:  # used up before, or without an item from the start
                return source_at(once.file, once.line), [(here, f"`{once.name}` gives its items once: none is left")]
            return here, [*more]
    return None


def all_dropped(audit: Audit, info: OptimizerInfo) -> Told | None:
    """Where a group got no parameter because a comprehension leaves out all of them: what that looks in."""
    empty = [number for number, (_, members) in enumerate(info.groups) if not members]
    stacks = audit.record.stacks
    for frame in stacks.chain(info.created)[:2] if empty else ():
        lists = groups_listed(stacks.file(frame), stacks.line(frame))
        if len(lists) != len(info.groups):
            continue
        value = lists[empty[0]]
        dropping = _drops_all(stacks.file(frame), stacks.line(frame), getattr(value, "id", ""))
        if dropping is not None:
            tested, dropped = dropping
            here = source_at(stacks.file(frame), value.lineno)
            return tested, [(dropped, "all are left out here"), (here, "the group gets none")]
    return None


def listed_parts(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> Told | None:
    """The list of the parts that the optimizer is to get, where it names all that it holds and nothing else."""
    held = [state.local_name for state in audit.states if any(index == info.index for index, _ in state.held)]
    others = [state.local_name for state in states]
    found = list_of_the_chosen(audit.project_files, audit.record.course.config_files(), held, others)
    if found is None:
        return None
    chosen, made = dropping_statement(audit, info.created)
    chosen = chosen or next((line for line, _ in made if line is not None), audit.source(info.created))
    if chosen is None or not _asks_by_name(chosen):
        return None
    return source_at(*found), [(chosen, "chosen by these names here")]


def _asks_by_name(line: SourceLine) -> bool:
    """Whether the statement goes through names that it was given, and looks each of them up."""
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    for node in ast.walk(statement) if statement is not None else ():
        match node:
            case ast.comprehension(iter=ast.Name() | ast.Attribute() | ast.Subscript()):
                return True
            case ast.For(iter=ast.Name() | ast.Attribute() | ast.Subscript()):
                return True
            case ast.Call(func=ast.Attribute(attr="startswith" | "get_submodule") | ast.Name(id="getattr")):
                return True
            case ast.Compare(ops=[ast.In()]):
                return True
    return False


def _drops_all(file: str, line: int, name: str) -> tuple[SourceLine, SourceLine] | None:
    """Where a comprehension leaves out everything by `not in`, the line that puts together what it looks in; and its
    own."""
    filters = []
    for at, number, kind in sliced_statements(file, line):
        tree = tree_of(at)
        statement = tree.statement_at(number) if kind == "filter" and tree is not None else None
        if isinstance(statement, ast.Assign):
            filters.append((at, statement))
    own = [entry for entry in filters if name in {getattr(target, "id", "") for target in entry[1].targets}]
    for at, statement in own if len(filters) > 1 else filters:
        for node in ast.walk(statement.value):
            match node:
                case ast.Compare(ops=[ast.NotIn()], comparators=[ast.Name(id=looked_in)]):
                    made = [a for a in assignments_behind(at, statement.lineno) if _binds(a, looked_in)]
                    if made:
                        return source_at(at, made[0].lineno), source_at(at, statement.lineno)
    return None


def _binds(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.Assign) and any(getattr(target, "id", "") == name for target in statement.targets)


def dropping_statement(audit: Audit, stack: int, names: Collection[str] = ()) -> Told:
    """What dropped something from the optimizer's argument: a filter, or a list assigned over and over. Of several
    filters it is the one that asks for the beginning of the `names` that are left out."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, stack)
    found = sliced_statements(stacks.file(frame), stacks.line(frame), files=audit.project_files)
    here = stacks.line(frame)
    loud = [entry for entry in found if entry[2] in ("filter", "rebound", "branch") and entry[1] != here]
    if not loud:
        chosen = params_chosen(stacks.file(frame), here)
        if chosen is not None:
            return source_at(stacks.file(frame), chosen), []
        quiet = [(source_at(file, line), "its argument is made here") for file, line, _ in found if line != here]
        return None, list(quiet[:2])
    ran = audit.record.ran()
    never = [e for e in loud if e[2] == "branch" and not branch_ran(e[0], e[1], ran.of(e[0]))]
    first = next((e for e in loud if e[2] == "rebound"), (never or loud)[0])
    nearest = _nearest_filter(loud, names) if first[2] == "filter" else None
    first = nearest or first
    last = last_of_chain(first[0], first[1]) if first[2] == "branch" else 0 if nearest else _last_filter(loud, first)
    first = (first[0], last, first[2]) if last else first
    words = {"filter": "filtered here", "rebound": "assigned anew in each round", "branch": "decided here"}
    more: list[tuple[SourceLine | None, str]] = [
        (source_at(file, line), words[kind]) for file, line, kind in loud if (file, line) != (first[0], first[1])
    ]
    return source_at(first[0], first[1]), more


def _nearest_filter(found: list[tuple[str, int, str]], names: Collection[str]) -> tuple[str, int, str] | None:
    """The one filter of several that asks for a part of the module in which all the names stand: `encoder.layer`, where
    `encoder.embed` is left out."""
    tops = {name.partition(".")[0] for name in names}
    near = []
    for file, line, kind in found:
        tree = tree_of(file)
        statement = tree.statement_at(line) if kind == "filter" and tree is not None else None
        texts = _texts_asked(statement) if statement is not None else set()
        if any("." in text.strip(".") and text.partition(".")[0] in tops for text in texts):
            near.append((file, line, kind))
    return near[0] if len(tops) == 1 and len(near) == 1 else None


def _texts_asked(statement: ast.stmt) -> set[str]:
    """The texts in the conditions of the comprehensions of a statement."""
    tests = [test for node in ast.walk(statement) if isinstance(node, ast.comprehension) for test in node.ifs]
    parts = [part for test in tests for part in ast.walk(test)]
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def _last_filter(found: list[tuple[str, int, str]], first: tuple[str, int, str]) -> int:
    """The last of several comprehensions of one function that are filtered and given names of their own, where all of
    them leave out the same: it was to take what the others leave. 0 where there is no such one."""
    tree = tree_of(first[0])
    filters = [tree.statement_at(line) for file, line, kind in found if (file, kind) == (first[0], "filter") and tree]
    beside = [node for node in filters if isinstance(node, ast.Assign) and isinstance(node.value, ast.ListComp)]
    own = tree.statement_at(first[1]) if tree is not None else None
    if tree is None or own not in beside:
        return 0
    alike = [node for node in beside if tree.function(node) is tree.function(own)]
    shared = set[str].intersection(*map(_conditions, alike))
    return max(node.lineno for node in alike) if len(alike) > 1 and shared else 0


def _conditions(assignment: ast.Assign) -> set[str]:
    """The conditions of a comprehension, each by itself."""
    tests = [test for part in getattr(assignment.value, "generators", ()) for test in part.ifs]
    parts = [value for test in tests for value in (test.values if isinstance(test, ast.BoolOp) else [test])]
    return {ast.unparse(part) for part in parts}
