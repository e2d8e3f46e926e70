"""A last layer that was frozen with the rest of a model, and never given other numbers than those drawn for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from fxaudit.capture import operations
from fxaudit.judge.questions.freezing import freezing_statement, last_freeze
from fxaudit.judge.questions.injected import Injection, asked_in_vain, of_the_loop
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import common_frame, project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.name_tests import parts_of, tests_around
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["head_frozen_as_drawn", "is_as_drawn", "new_part_frozen", "ready_at"]

Lines = list[tuple[SourceLine | None, str]]


@dataclass(frozen=True, slots=True)
class FrozenHead:
    """The parameters of a last layer, the line to edit, and what is related."""

    states: list[ParameterState]
    line: SourceLine | None
    told: Lines = field(default_factory=list)
    missing: str = ""
    """Which names are asked for, so that something trains, and no module has; "" where that is not so."""

    @property
    def name(self) -> str:
        """What the layer is called."""
        return self.states[0].local_name.rpartition(".")[0]


def head_frozen_as_drawn(audit: Audit, states: list[ParameterState]) -> FrozenHead | None:
    """The last layer before the loss, where what froze it froze other layers, too, beside which adapters train, and
    nobody loaded it."""
    head = _last_layer(audit)
    concerned = [state for state in states if state.index in head]
    stacks = {last_freeze(state) for state in concerned}
    if not concerned or len(concerned) < len(head) or -1 in stacks:
        return None
    table = audit.record.stacks
    frozen = {project_stack(table, stack) for stack in stacks}
    owners = {state.local_name.rpartition(".")[0] for state in concerned}
    others = [state for state in states if state.local_name.rpartition(".")[0] not in owners]
    with_them = [state for state in others if project_stack(table, last_freeze(state)) in frozen]
    if len(frozen) != 1 or not _adapts(audit, concerned[0], with_them):
        return None
    if any(state.held for state in concerned) or not all(is_as_drawn(audit, state) for state in concerned):
        return None
    froze = audit.source(frozen.pop())
    vain = _named_in_vain(audit, concerned)
    if vain is not None:
        told: Lines = [(vain.test, "asked here"), (froze, "frozen here, with the rest")]
        return FrozenHead(concerned, source_at(vain.file, vain.line), told, vain.missing)
    settings = _adapter_settings(audit)
    if settings is not None:
        return FrozenHead(concerned, settings, [(froze, "frozen here, with the rest")])
    return FrozenHead(concerned, froze)


def _named_in_vain(audit: Audit, states: list[ParameterState]) -> Injection | None:
    """What the statement that froze them asked names for, to let them train, and that neither a module nor a parameter
    has."""
    tree, statement = freezing_statement(audit, states) or (None, None)
    outer = tree.ancestors(statement) if tree is not None and statement is not None else ()
    loop = next((node for node in outer if isinstance(node, ast.For)), None)
    if tree is None or statement is None or loop is None:
        return None
    names = [state.local_name for state in audit.states]
    for test in _letting_train(tree, statement, loop):
        found = asked_in_vain(audit, tree, test, of_the_loop(loop), names)
        if found is not None:
            return found
    return None


def _letting_train(tree: Tree, statement: ast.stmt, loop: ast.For) -> Iterator[ast.expr]:
    """The tests that have to hold so that what the loop goes through trains; also where their results have names."""
    tests = tests_around(tree, statement.lineno)
    flags = {test.id: wanted for test, wanted in tests if isinstance(test, ast.Name)}
    for node in ast.walk(loop):
        match node:
            case ast.Assign(targets=[ast.Name(id=flag)], value=value) if flag in flags:
                tests += parts_of(value, flags[flag])
    for test, wanted in tests:
        match test:
            case ast.Compare(left=left, ops=[ast.NotIn()], comparators=parts) if not wanted:
                yield ast.copy_location(ast.Compare(left, [ast.In()], parts), test)
            case _ if wanted:
                yield test


def new_part_frozen(
    audit: Audit, states: list[ParameterState]
) -> tuple[list[ParameterState], SourceLine | None, Lines] | None:
    """(the parameters of what was put into a model behind the training or the loading of the rest, the line to edit,
    what is related), where it is frozen in one go with that rest before any step, so that it stays as it was drawn."""
    table = audit.record.stacks
    together: dict[int, list[ParameterState]] = {}
    for state in states:
        if (stack := last_freeze(state)) >= 0:
            together.setdefault(project_stack(table, stack), []).append(state)
    for frozen, members in together.items():
        froze = max((time for time, flag, _ in members[0].track.freezes if not flag), default=-1)
        ready = [ready_at(audit, state) for state in members]
        last = max((time for time in ready if time >= 0), default=-1)
        new = [s for s in members if last <= s.track.created_time <= froze and not s.held and is_as_drawn(audit, s)]
        if last < 0 or not new or any(s.track.created < 0 for s in new):
            continue
        made = project_stack(table, new[0].track.created)
        line = audit.source(common_frame(table, frozen, made))
        told = [
            (audit.source(frozen), "frozen here"),
            (audit.source(made), "made here, behind the training of the rest"),
        ]
        return new, line, told
    return None


def ready_at(audit: Audit, state: ParameterState) -> int:
    """When a parameter had been trained, or loaded; -1 where it was not."""
    events = audit.record.events
    stepped = [events[fact.event].time for fact in state.facts if fact.changed and fact.event < len(events)]
    own = set(state.track.values)
    loaded = [
        op.index
        for op in audit.record.ops
        if not own.isdisjoint(op.mutates) and (one := operations.of(op.name)).replaces_all and not one.fills
    ]
    return max((*stepped, *loaded), default=-1)


def _adapts(audit: Audit, head: ParameterState, frozen: list[ParameterState]) -> bool:
    """Whether something of the same model trains beside what is frozen, in the same module: an adapter."""
    for state in audit.having("trained"):
        above = state.local_name.split(".")[:-1]
        prefixes = {".".join(above[:depth]) for depth in range(max(1, len(above) - 2), len(above) + 1)}
        if state.root is head.root and any(
            other.local_name.startswith(f"{prefix}.") for prefix in prefixes if prefix for other in frozen
        ):
            return True
    return False


def _last_layer(audit: Audit) -> set[int]:
    """The tracks that the last operation before the first loss reads which reads a parameter of a model at all."""
    values = audit.record.values
    own = {state.index for state in audit.states if state.root is not None}
    first = min((event.time for event in audit.graph.backwards), default=0)
    for op in reversed(audit.record.ops[:first]):
        tracks = {values[vid].track for vid in op.inputs} & own
        passes_on = any(out in audit.graph.reaching and values[out].requires_grad for out in op.outputs)
        if tracks and op.phase == "forward" and passes_on:
            return tracks
    return set()


def is_as_drawn(audit: Audit, state: ParameterState) -> bool:
    """Whether its numbers were seen being drawn, or filled in, and nothing was copied into it since."""
    own = set(state.track.values)
    written = [operations.of(op.name) for op in audit.record.ops if not own.isdisjoint(op.mutates)]
    return any(one.fills for one in written) and not any(one.replaces_all and not one.fills for one in written)


def _adapter_settings(audit: Audit) -> SourceLine | None:
    """The one call in the program that makes a configuration of adapters, and names no module to save beside them."""
    found = []
    for file in audit.project_files:
        tree, ran = tree_of(file), audit.record.ran().of(file)
        for call in tree.calls if tree is not None else ():
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            given = {keyword.arg for keyword in call.keywords}
            if name.endswith("Config") and "target_modules" in given and call.lineno in ran:
                if "modules_to_save" in given and not _is_none(call, "modules_to_save"):
                    return None
                found.append(source_at(file, call.lineno))
    return found[0] if len(found) == 1 else None


def _is_none(call: ast.Call, name: str) -> bool:
    return any(k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is None for k in call.keywords)
