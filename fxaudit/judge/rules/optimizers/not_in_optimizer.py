"""FXA301."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import GroupEvent
from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.questions.given_later import LOADED, given_later
from fxaudit.judge.questions.grown_later import grown_by_its_owner
from fxaudit.judge.questions.handed_a_part import HANDED, handed_a_part
from fxaudit.judge.questions.left_out import (
    Told,
    all_dropped,
    dropping_statement,
    empty_group,
    kept_generator,
    left_from_a_loop,
    listed_parts,
    of_a_copy,
    read_before,
)
from fxaudit.judge.questions.name_tests import left_out_in_vain
from fxaudit.judge.questions.opposites import REST, left_by_both
from fxaudit.judge.questions.own_steps import idle_update
from fxaudit.judge.questions.passed_by import of_no_kind, passed_by, remembered
from fxaudit.judge.questions.patterns import fitting_nothing, pattern_in_vain
from fxaudit.judge.questions.plain_owners import ON_THE_MODULE, hung_on_a_plain_object
from fxaudit.judge.questions.shadowed import passing_override
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import common_frame, project_stack, source_at, why_never_called
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.anchored import Anchored
from fxaudit.program.groups import group_changes, local_updates
from fxaudit.program.handing import handing_lambda, hands_on, unread_collections
from fxaudit.program.name_tests import InVain
from fxaudit.program.repairs import added_group
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import sliced_statements, tree_of

__all__ = ["NotInOptimizer"]


COPY = "Build the optimizer from the model that computes the loss: here it gets the parameters of a copy."
LEFT = "Read the variable of this loop: the other loop has left its last value behind."
REMEMBERED = "Make the container anew in each call: let its default be None, and make it in the function."
PASSED_BY = "Take the name off what the test looks in, or let the loop go on with it."
PATTERN = "Correct the pattern: no parameter has the name that it asks for."
OF_NO_KIND = "Add the kind of module to those that are asked for."
DROPPED = "Put fewer in what the filter looks in: it leaves out every parameter."
KEPT = "Make it a list: a generator gives its items once, and somebody else has gone through it."
GROWN = (
    "Add them to the optimizer where they are made, `{}.add_param_group({{'params': [...]}})`, or build it anew there."
)
LISTED = "Add the part to this list."


class NotInOptimizer(Rule):
    """Gradient arrives, but no optimizer holds the parameter.

    It was left out when the optimizer was built: by a filter or a name test, because it was frozen at that moment,
    because it did not exist yet, or because only part of the model was passed.

    May be intended when somebody else updates it, or it is trained in another phase.
    """

    code, name, level = "FXA301", "not-in-optimizer", "error"
    fix = "Pass the parameter to the optimizer: `optimizer.add_param_group({'params': [...]})` or `model.parameters()`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for all parameters that the same optimizer left out."""
        states = [
            *audit.unexplained("excluded"),
            *(s for s in audit.unexplained("unregistered") if s.mechanism == "elsewhere"),
        ]
        if not states or any(info.refused for info in audit.recording.optimizers):
            return
        collected = [s for s in states if _is_collected(audit, s) or _is_passing(audit, s)]
        if collected:
            yield self.finding(
                audit,
                collected,
                f"the program makes use of the gradient of {audit.names(collected)} itself",
                _backward_line(audit),
                level="note",
            )
            states = [s for s in states if s not in collected]
            if not states:
                return
        optimizer = self._responsible(audit, states)
        if optimizer is None:
            idle = next((found for s in states if (found := idle_update(audit, s)) is not None), None)
            if idle is not None:
                words, backward = idle.words.replace("{}", audit.names(states), 1), _backward_line(audit)
                related = [*idle.related[:2], (backward, "the gradient comes from here")]
                yield self.finding(audit, states, words, idle.culprit, related=related, level="warning", fix=idle.fix)
                return
            updates = [source_at(file, line) for file, line in local_updates(audit.project_files)]
            yield self.finding(
                audit,
                states,
                f"no optimizer was built for {audit.names(states)}",
                updates[0] if updates else _backward_line(audit),
                related=[(_backward_line(audit), "the gradient comes from here")] if updates else [],
                level="warning",
            )
            return
        for info in audit.recording.optimizers:
            gone = [s for s in states if s.index in info.dropped]
            if gone:
                yield self._dropped(audit, gone, info)
                states = [s for s in states if s not in gone]
        info = audit.recording.optimizers[optimizer]
        frozen = [s for s in states if s.index in info.frozen_then]
        for members, was_frozen in ((frozen, True), ([s for s in states if s not in frozen], False)):
            if members:
                yield self._finding(audit, members, optimizer, was_frozen)

    def _responsible(self, audit: Audit, states: list[ParameterState]) -> int | None:
        """The optimizer that should have got them: the one that holds most of the same model, else of what the same
        losses reach."""
        redundant = self._redundant(audit)
        if redundant is not None:
            return redundant
        counts: dict[int, int] = {}
        roots = {s.root.index for s in states if s.root is not None}
        for state in audit.states:
            if state.root is not None and state.root.index in roots:
                for index, _ in state.held:
                    counts[index] = counts.get(index, 0) + 1
        if counts:
            alike = _of_the_same_sort(audit, states, counts)
            return alike if alike is not None else max(counts, key=lambda index: (counts[index], -index))
        own = {state.index for state in states}
        reached = [event.reached for event in audit.graph.backwards if not own.isdisjoint(event.reached)]
        for state in audit.states:
            for index, _ in state.held if any(state.index in tracks for tracks in reached) else ():
                counts[index] = counts.get(index, 0) + 1
        first = 0 if audit.recording.optimizers else None
        return max(counts, key=lambda index: (counts[index], -index), default=first)

    def _redundant(self, audit: Audit) -> int | None:
        """An optimizer that holds nothing but what an earlier one holds: it was meant for something else."""
        seen: set[int] = set()
        for info in audit.recording.optimizers:
            members = {track for _, tracks in info.groups for track in tracks}
            if members and members <= seen and info.wrapper_of < 0:
                return info.index
            seen |= members
        return None

    def _of_another(
        self, audit: Audit, states: list[ParameterState], info: OptimizerInfo
    ) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]] | None:
        """Where the optimizer holds what an earlier one holds already: the call that hands over the wrong model, in the
        function that knows the right one, too."""
        wanted = _called(audit, states) - _called(audit, [s for s in audit.states if info.index in dict(s.held)])
        if self._redundant(audit) != info.index or not wanted:
            return None
        stacks = audit.record.stacks
        for frame in stacks.chain(info.created):
            tree = tree_of(stacks.file(frame))
            statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
            if tree is None or statement is None:
                continue
            scope = tree.function(statement)
            if not wanted.isdisjoint(_words(scope if scope is not None else statement)):
                return source_at(stacks.file(frame), stacks.line(frame)), []
        return None

    def _dropped(self, audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> Finding:
        built = audit.source(info.created)
        changed = [source_at(file, line) for file, line in group_changes(audit.project_files)]
        return self.finding(
            audit,
            states,
            f"`{info.type}` held {audit.names(states)} once, and does no more",
            changed[0] if changed else built,
            related=[(built, f"the optimizer `{info.type}` is built here")],
        )

    def _finding(self, audit: Audit, states: list[ParameterState], optimizer: int, was_frozen: bool) -> Finding:
        info = audit.recording.optimizers[optimizer]
        built = audit.source(info.created)
        held_once = {track for _, members in info.groups for track in members}
        if info.died >= 0 and held_once.issuperset(s.index for s in states):
            message = f"{audit.called(info.index, 'the ')} of {audit.names(states)} is dropped before it steps"
            fix = "Keep the optimizer where its `step` is called: assign or return it."
            return self.finding(audit, states, message, built, fix=fix)
        made_later = [s for s in states if s.track.created_time > info.created_time >= 0]
        if was_frozen:
            why = _frozen_then(audit, states, info)
        else:
            why = self._left_out(audit, states, info) if len(made_later) < len(states) else Why(built, [])
            if made_later:
                why = _made_later(audit, states, info, why)
            if not why.related and any(s.index not in info.names_then for s in states):
                why.related.append((audit.source(states[0].track.created), "made here"))
        return self.finding(
            audit,
            states,
            f"{audit.called(info.index)} does not hold {audit.names(states)}{why.reason}",
            why.culprit,
            related=why.related,
            fix=why.advice or self.fix + self._edit(audit, states, optimizer),
        )

    def _left_out(self, audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> Why:
        """What left them out of what the optimizer was given, by the first question that knows."""
        built = audit.source(info.created)
        if info.created < 0:
            return Why(built, [])
        vain = _named_in_vain(audit, states, info)
        asked: tuple[tuple[Callable[[], Told | None], str], ...] = (
            (lambda: hung_on_a_plain_object(audit, states), ON_THE_MODULE),
            (lambda: given_later(audit, states), LOADED),
            (lambda: of_a_copy(audit, info), COPY),
            (lambda: read_before(audit, states, info), KEPT),
            (lambda: left_from_a_loop(audit, info), LEFT),
            (lambda: self._of_another(audit, states, info), ""),
            (lambda: (source_at(vain.file, vain.line), []) if vain is not None else None, ""),
            (lambda: fitting_nothing(audit, states, info, _chosen_at(audit, info)), PATTERN),
            (lambda: remembered(audit, info), REMEMBERED),
            (lambda: kept_generator(audit, states, info), KEPT),
            (lambda: _passed_over(audit, states, info), ""),
            (lambda: passed_by(audit, states, info), PASSED_BY),
            (lambda: of_no_kind(audit, states, info), OF_NO_KIND),
            (lambda: _asked_by_pattern(audit, states, info), PATTERN),
            (lambda: all_dropped(audit, info), DROPPED),
            (lambda: empty_group(audit, info), ""),
            (lambda: listed_parts(audit, states, info), LISTED),
            (lambda: _collected_for_nobody(audit, info), ""),
            (lambda: handed_a_part(audit, info), HANDED),
            (lambda: left_by_both(audit, states, _chosen_at(audit, info)), REST),
            (lambda: dropping_statement(audit, info.created, [s.local_name for s in states]), ""),
        )
        (statement, more), advice = next(
            (found, help_) for question, help_ in asked if (found := question()) is not None
        )
        if statement is None:
            statement, more = _group_never_added(audit) or (None, more)
        statement = statement or _handing_over(audit, info)
        here = [_built_here(audit, info)] if statement is not None else []
        reason = f": {vain.sentence}" if vain is not None else ""
        return Why(statement or built, [*here, *more], reason, advice)

    def _edit(self, audit: Audit, states: list[ParameterState], optimizer: int) -> str:
        """The line that hands over what the model registers."""
        if any(state.verdict != "excluded" for state in states):
            return ""
        roots = {state.root.index for state in states if state.root is not None}
        names = [state.local_name for state in states]
        others = [
            s.local_name for s in audit.states if s.root is not None and s.root.index in roots and s not in states
        ]
        return added_group(audit.optimizer_variable(optimizer), audit.model_variable(states), names, others)

    @staticmethod
    def bad() -> Example:
        """An optimizer that gets the head only."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)  # FXA301
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The optimizer gets the whole model."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


@dataclass(slots=True)
class Why:
    """The line to edit, what is related to it, why that leaves them out, and what to do; "" where the rule says it."""

    culprit: SourceLine | None
    related: list[tuple[SourceLine | None, str]]
    reason: str = ""
    advice: str = ""


def _built_here(audit: Audit, info: OptimizerInfo) -> tuple[SourceLine | None, str]:
    return audit.source(info.created), f"the optimizer `{info.type}` is built here"


def _frozen_then(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> Why:
    """They were frozen when the optimizer was built, and what it was given was chosen by that."""
    thaws = [stack for s in states for _, flag, stack in s.track.freezes if flag]
    related: list[tuple[SourceLine | None, str]] = [
        (audit.source(stack), "unfrozen here, too late") for stack in thaws[-1:]
    ]
    statement = dropping_statement(audit, info.created)[0] if info.created >= 0 else None
    if statement is not None:
        related.append(_built_here(audit, info))
    return Why(statement or audit.source(info.created), related, ", frozen when it was built")


def _made_later(audit: Audit, states: list[ParameterState], info: OptimizerInfo, why: Why) -> Why:
    """They were made after the optimizer: the line that makes them, or the one that builds it too early."""
    built, created = audit.source(info.created), states[0].track.created
    culprit, related = why.culprit, [*why.related]
    if created >= 0 and info.created >= 0:
        stacks = audit.record.stacks
        related.append(
            (audit.source(common_frame(stacks, created, info.created)), "made from here, after the optimizer")
        )
        added = _group_of(audit, states, info.index)
        if any(entry[4] for entry in states[0].track.registered):
            culprit = audit.source(created)  # forward makes it when it is first needed
            related.append(_built_here(audit, info))
        elif added is not None:
            culprit = added
        elif culprit == built and (grown := grown_by_its_owner(audit.record, info, created)) is not None:
            related.append(_built_here(audit, info))
            related.append((audit.source(created), "made here, after the optimizer"))
            return Why(grown[0], related, why.reason, why.advice or GROWN.format(grown[1]))
        elif culprit == built:  # of two calls in the wrong order, the line that makes the earlier one
            earlier = common_frame(stacks, info.created, created)
            culprit = audit.source(earlier) or built
            if _calls_the_base(audit, earlier):  # that comes first in any case
                related.append((culprit, "the base class builds the optimizer in this call"))
                culprit = built
            else:
                related.append(_built_here(audit, info))
    related.append((audit.source(created), "made here, after the optimizer"))
    return Why(culprit, related, why.reason, why.advice)


def _of_the_same_sort(audit: Audit, states: list[ParameterState], optimizers: Collection[int]) -> int | None:
    """The one optimizer of several that holds parts of the model whose names begin as those of all the parameters do:
    `G_AB`, where `G_BA` is left out."""
    sorts = {_sort(state.local_name) for state in states}
    held = {index for s in audit.states if _sort(s.local_name) in sorts for index, _ in s.held if index in optimizers}
    return held.pop() if len(sorts) == len(held) == 1 and "" not in sorts else None


def _sort(name: str) -> str:
    """What a part of the model is, of several: `G` of `G_AB.0.weight`, `encoder` of `encoder2.bias`."""
    part = name.partition(".")[0]
    first, _, rest = part.partition("_")
    return first if rest else part.rstrip("0123456789") if part[-1:].isdigit() else ""


def _is_collected(audit: Audit, state: ParameterState) -> bool:
    """Whether the program reads the parameter's gradient and writes gradients of that shape itself: a worker's copy."""
    reads = any(
        op.name == "grad" and op.phase == "forward"
        for vid in state.track.values
        for op in audit.graph.consumers.get(vid, ())
    )
    return reads and any(
        other.track.hand_gradient and other.index != state.index and other.track.shape == state.track.shape
        for other in audit.states
    )


def _is_passing(audit: Audit, state: ParameterState) -> bool:
    """Whether the model is made anew in the loop and differentiated by `autograd.grad`: what others learn through."""
    backwards = audit.graph.backwards
    root = state.root
    if root is None or not backwards:
        return False
    alike = [m for m in audit.recording.modules if m.created == root.created >= 0 and m.type == root.type and m.calls]
    again = len(alike) > 1 and any(info.created_time >= backwards[0].time for info in alike)
    return again and any(
        op.name == "autograd.grad" and vid in op.inputs
        for vid in state.track.values
        for op in audit.graph.consumers.get(vid, ())
    )


def _calls_the_base(audit: Audit, frame: int) -> bool:
    """Whether the line calls the `__init__` of a base class."""
    stacks = audit.record.stacks
    tree = tree_of(stacks.file(frame))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"))):
            return True
    return False


def _handing_over(audit: Audit, info: OptimizerInfo) -> SourceLine | None:
    """The call that says which parameters they are, where the optimizer is built of what a function is given."""
    stacks = audit.record.stacks
    moved = False
    for frame in stacks.chain(info.created):
        tree = tree_of(stacks.file(frame)) if not is_library(stacks.file(frame)) else None
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        scope = tree.function(statement) if tree is not None and statement is not None else None
        is_lambda = stacks.codes[frame].co_name == "<lambda>"
        if is_lambda and statement is not None and handing_lambda(statement, stacks.line(frame)):
            moved = True
            continue
        if statement is None or not isinstance(scope, ast.FunctionDef) or not hands_on(scope, statement):
            return audit.source(frame) if moved and statement is not None else None
        moved = True
    return None


def _passed_over(
    audit: Audit, states: list[ParameterState], info: OptimizerInfo
) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]] | None:
    """The method of the model's own that takes the place of torch's `parameters()`, or of what that goes through."""
    found = passing_override(audit, states, info.index)
    return (found[0], []) if found is not None else None


def _group_of(audit: Audit, states: list[ParameterState], optimizer: int) -> SourceLine | None:
    """The line that added a group of the same model to the optimizer, before these were made."""
    model = audit.model_variable(states)
    stacks = audit.record.stacks
    for event in audit.record.events:
        if isinstance(event, GroupEvent) and event.optimizer == optimizer and model:
            frame = project_stack(stacks, event.stack)
            tree = tree_of(stacks.file(frame))
            statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
            if tree is not None and statement is not None and f"{model}." in tree.text(statement):
                return audit.source(frame)
    return None


def _group_never_added(audit: Audit) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]] | None:
    """What keeps a call of `add_param_group` from running."""
    called = [event.stack for event in audit.record.events if isinstance(event, GroupEvent)]
    why = why_never_called(audit.record, "add_param_group", called)
    return (why[0][0], [*why[1:2]]) if len(why) > 1 else None


def _collected_for_nobody(
    audit: Audit, info: OptimizerInfo
) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]] | None:
    """The list that the function filled and gave to no optimizer."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, info.created)
    file = stacks.file(frame)
    found = unread_collections(file, stacks.line(frame))
    if not found:
        return None
    return audit.source(frame), [
        (source_at(file, line), f"collected here in `{name}`, which no optimizer is given") for line, name in found[:2]
    ]


def _named_in_vain(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> InVain | Anchored | None:
    """The text by which the parameters were chosen, where it is misspelt, or asked for only at the beginning."""
    return left_out_in_vain(audit, states, _chosen_at(audit, info))


def _chosen_at(audit: Audit, info: OptimizerInfo) -> list[tuple[str, int]]:
    """(file, line) of the statements that may have chosen what the optimizer was given."""
    stacks = audit.record.stacks
    places: list[tuple[str, int]] = []
    for frame in stacks.chain(info.created)[:3]:
        file, line = stacks.file(frame), stacks.line(frame)
        places += [(file, line), *((f, at) for f, at, _ in sliced_statements(file, line))]
    return list(dict.fromkeys(places))


def _asked_by_pattern(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> Told | None:
    """The pattern in a configuration file that asks for a name that no parameter has."""
    found = pattern_in_vain(audit, states, info)
    return (found[0], [(audit.source(info.created), f"no name has `{found[1]}`")]) if found is not None else None


def _backward_line(audit: Audit) -> SourceLine | None:
    events = audit.graph.backwards
    return audit.source(events[-1].stack) if events else None


def _called(audit: Audit, states: list[ParameterState]) -> set[str]:
    """What the program calls the model of these parameters: its variable, or the part of a larger one."""
    variable = audit.model_variable(states).rpartition(".")[2] if states else ""
    parts = {state.local_name.partition(".")[0] for state in states if "." in state.local_name}
    return {name for name in (variable, *(parts if len(parts) == 1 else ())) if name}


def _words(scope: ast.AST) -> set[str]:
    """The names, arguments and attributes in a function, or in a module."""
    found = set()
    for node in ast.walk(scope):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word):
                found.add(word)
    return found
