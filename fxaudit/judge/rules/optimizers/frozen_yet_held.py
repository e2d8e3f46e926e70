"""FXA306."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fxaudit.answer.finding import Finding, Level
from fxaudit.capture.events import FlagEvent
from fxaudit.judge.questions.aliases import frozen_as_a_copy, one_module_twice
from fxaudit.judge.questions.asked_names import called_otherwise
from fxaudit.judge.questions.doubled_thaws import doubled_thaw
from fxaudit.judge.questions.freezing import asked_to_freeze, frozen_at, left_out_of_thaw, never_thawed
from fxaudit.judge.questions.frozen_copies import THAW, copied_frozen
from fxaudit.judge.questions.mentions import registration
from fxaudit.judge.questions.never_its_turn import never_its_turn
from fxaudit.judge.questions.never_told import never_told
from fxaudit.judge.questions.new_heads import head_frozen_as_drawn, new_part_frozen
from fxaudit.judge.questions.shadowed import thawing_override
from fxaudit.judge.questions.shared_parts import SharedPart, frozen_with_another
from fxaudit.judge.questions.used_up import used_up
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import (
    blamed,
    decision_at,
    never_called,
    project_files,
    project_stack,
    source_at,
    was_entered,
    why_never_called,
)
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.deciders import decider_at
from fxaudit.program.decisions import Decision
from fxaudit.program.evaluation import evaluated
from fxaudit.program.groups import thaws_through
from fxaudit.program.lookups import Lookup, Lookups
from fxaudit.program.names import METHODS_OF_MODULES, names_bound
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.spelling import letters_apart
from fxaudit.program.thaws import names_asked_for, selected_by
from fxaudit.program.tree import Obstacle, Tree, assignments_behind, branches_around, call_sites, obstacles, tree_of
from fxaudit.program.values import joined_strings, origins_of_test

__all__ = ["FrozenYetHeld"]


HEAD = (
    "If it is new, leave it out of what is frozen, or unfreeze it: with adapters, name it in `modules_to_save`. Nobody "
    "was seen loading other numbers into it."
)
NAMED = "Name `{}` there, as `named_modules()` lists it: nobody was seen loading other numbers into it."
LET_RUN = "Change what keeps the line that unfreezes from running, or leave these out of the optimizer."
RENAME = "Give it the name that is asked for."
TELL = "Write it there in each round of this loop."
ONE_EACH = "Make one for each model: here it is made once, and all get the same one."
COPY = "Copy its numbers, `load_state_dict(….state_dict())`, or the module, `copy.deepcopy(…)`: this is the same one."
ASKED = "Ask this function for True here, if they are to be trained; else leave them out of the optimizer."


HOOK = ("on_", "before_", "after_")
"""How the names of methods begin that somebody else is to call."""
MAX_AROUND = 6
"""So many functions are looked at from which a thaw would be called."""


class FrozenYetHeld(Rule):
    """A frozen parameter is held by an optimizer.

    It has `requires_grad=False`, gets no gradient and is passed over by every step. Harmless where it is frozen on
    purpose; where the program means to unfreeze it and never gets there, that statement is named, as is the one that
    unfreezes others which were frozen with it, or the same ones twice, hands on a module that was to be copied, gives
    a model the same part as one that is frozen has, copies one that is frozen, or uses up the iterator that was to lead
    to its flags again. A last layer that is frozen with the rest, as it was drawn, is worth a note, and more where the
    names of what is to train are those of nothing. An error where nothing else is left to train, so that `backward`
    raises.
    """

    code, name, level = "FXA306", "frozen-yet-held", "note"
    fix = "Leave frozen parameters out of the optimizer, or unfreeze them with `requires_grad_(True)`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for the frozen parameters that the program never gets to unfreeze, or one for each line that
        froze some that are held."""
        yield from self._refused(audit)
        states = audit.unexplained("frozen")
        ways = (
            self._used_up, self._thawed, self._overridden, self._again, self._parts, self._copies, self._copied,
            self._doubled, self._left_out, self._by_choice, self._held,
        )  # fmt: skip
        for way in ways:
            for finding in way(audit, states) if states else ():
                yield finding
                states = [state for state in states if state.name not in finding.parameters]

    def _used_up(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What is not given its flags back, because the iterator that leads to it was gone through before."""
        held = [state for state in states if state.held]
        found = used_up(audit, held) if audit.judge.looped and held else None
        if found is not None:
            yield self.finding(
                audit,
                held,
                f"{audit.names(held, 'stays', 'stay')} frozen: `{found.name}` is used up where the flags are set again",
                found.loop,
                related=[(found.later, "nothing is left to go through here")],
                fix=f"Make a list of it first, `{found.name} = list({found.name})`: it can be gone through once.",
                level="warning",
            )

    def _thawed(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What is to be unfrozen, by a line that never runs or by a counter that never comes so far."""
        states = [state for state in states if not state.track.requires_grad]  # others were unfrozen in the end
        thaw = _thaw_never_run(audit) if audit.judge.looped and states else None
        level: Level = "note" if audit.recording.mode.is_part else "warning"
        if thaw is not None and thaw.choice is None:
            first, role = thaw.told[0]
            why = role if role.startswith("nobody ") else "the line that unfreezes never runs"
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'stays', 'stay')} frozen: {why}",
                first,
                related=[*thaw.told[1:], (_frozen_first(audit, states), "frozen here")],
                fix=thaw.advice or LET_RUN,
                level="note" if thaw.is_offered else level,
            )
            return
        decision = never_thawed(audit, states) if audit.judge.looped and states else None
        if decision is not None:
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'stays', 'stay')} frozen: `{decision.text}` was never true; "
                f"`{decision.operand}` is {decision.value!r}",
                source_at(*decision.place),
                related=[(source_at(decision.file, decision.line), "frozen here each time")],
                fix="Let it begin earlier, or train longer.",
                level=level,
            )

    def _overridden(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What a method of the program's own keeps frozen, in the place of torch's."""
        override = thawing_override(audit, states)
        if override is not None:
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'stays', 'stay')} frozen: {override[1]}",
                override[0],
                related=[(_frozen_first(audit, states), "frozen here")],
                level="warning",
            )

    def _parts(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What is frozen with another model, which has the same part."""
        groups: dict[tuple[str, int], list[SharedPart]] = {}
        rest = states if audit.judge.looped else []
        while (found := frozen_with_another(audit, rest)) is not None:
            groups.setdefault((found.line.file, found.line.line), []).append(found)
            rest = [state for state in rest if state not in found.states]
        for parts in groups.values():
            own = [state for part in parts for state in part.states]
            yield self.finding(
                audit,
                own,
                f"{audit.names(own, 'is', 'are')} frozen too: `{parts[0].frozen}` is the same module as "
                f"`{parts[0].trained}`",
                parts[0].line,
                related=[(_frozen_first(audit, own), "frozen here, with the other model")],
                level="warning",
                fix=COPY if parts[0].is_given else ONE_EACH,
            )

    def _copies(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What is frozen as a copy of itself, that is none."""
        alias = frozen_as_a_copy(audit, states) if audit.judge.looped else None
        if alias is not None:
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'is', 'are')} frozen too: `{alias[1]}` is the same module, not a copy",
                alias[0],
                related=[(_frozen_first(audit, states), "frozen here")],
                level="warning",
                fix="Copy it, `copy.deepcopy(…)`: as it is, what is to be trained is frozen.",
            )
            return
        concerned = [state for state in states if state.held] or states
        twice = one_module_twice(audit, concerned) if audit.judge.looped else None
        if twice is not None:
            line, copy, original, own = twice
            same = f"`{copy}` is the same module as `{original}`, not a copy"
            yield self.finding(
                audit,
                own,
                f"{audit.names(own, 'is', 'are')} frozen too: {same}",
                line,
                related=[(_frozen_first(audit, own), "frozen here")],
                level="warning",
                fix="Make two: `copy.deepcopy(…)`, or a function that makes a new one each time.",
            )

    def _copied(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What was copied from something frozen, and is frozen by that alone."""
        found = copied_frozen(audit, states) if audit.judge.looped else None
        if found is not None:
            line, copied = found
            yield self.finding(
                audit,
                copied,
                f"{audit.names(copied, 'is', 'are')} frozen, as what it was copied from was"
                if len(copied) == 1
                else f"{audit.names(copied)} are frozen, as what they were copied from was",
                line,
                related=[(_frozen_first(audit, states), "frozen here")],
                level="warning",
                fix=THAW,
            )

    def _doubled(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What is not thawed, where a line that is there for it thaws another part a second time."""
        found = doubled_thaw(audit, states) if audit.judge.looped else None
        if found is not None:
            yield self.finding(
                audit,
                found.states,
                f"{audit.names(found.states, 'stays', 'stay')} frozen: the line that should unfreeze `{found.name}` "
                "says the same as the one beside it",
                found.line,
                related=[(found.other, "this line says the same"), (found.froze, "frozen here")],
                fix=f"Name `{found.name}` in one of the two.",
                level="warning",
            )

    def _left_out(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What is frozen with others, and not unfrozen with them."""
        left = left_out_of_thaw(audit, states) if audit.judge.looped else None
        turn = never_its_turn(audit, states, left[0]) if left is not None else None
        if turn is not None:
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'stays', 'stay')} frozen: {turn.words}",
                turn.line,
                related=[(turn.test, "asked here each time"), (_frozen_first(audit, states), "frozen here")],
                level="warning",
                fix="Let its turn come earlier, or train longer.",
            )
        elif left is not None:
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'stays', 'stay')} frozen: frozen with {audit.names(left[1])}, which are "
                "unfrozen again",
                left[0],
                related=[(_frozen_first(audit, states), "frozen here")],
                level="warning",
                fix="Name them, too, where the others are unfrozen.",
            )

    def _by_choice(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What may be meant: a last layer that is frozen with the rest, a thaw that nobody asks for."""
        head = head_frozen_as_drawn(audit, states) if audit.judge.looped else None
        if head is not None:
            yield self.finding(
                audit,
                head.states,
                f"{audit.names(head.states)}, the last layer before the loss, stays as it was drawn: "
                f"{head.missing or 'it is frozen with the rest'}",
                head.line,
                related=head.told,
                fix=NAMED.format(head.name) if head.missing else HEAD,
                level="warning" if head.missing else None,
            )
            return
        part = new_part_frozen(audit, states) if audit.judge.looped else None
        if part is not None:
            concerned, line, told = part
            yield self.finding(
                audit,
                concerned,
                f"{audit.names(concerned, 'stays as it was', 'stay as they were')} drawn: frozen with what had been "
                "trained or loaded before it was put in",
                line,
                related=told,
                level="warning",
                fix="Freeze first, and put the new part in behind that; or unfreeze it by its name.",
            )
            return
        thaw = _thaw_never_run(audit) if audit.judge.looped else None
        choice = thaw.choice if thaw is not None else None
        if thaw is not None and choice is not None and (concerned := thaw.concerned(states)):
            yield self.finding(
                audit,
                concerned,
                f"{audit.names(concerned, 'stays', 'stay')} frozen: what unfreezes is not chosen, as "
                f"`{choice.operand}` is {choice.value!r}",
                thaw.told[0][0],
                related=[*thaw.told[1:], (_frozen_first(audit, states), "frozen here")],
                fix="Choose it, if they are to be trained.",
            )

    def _held(self, audit: Audit, states: list[ParameterState]) -> Iterator[Finding]:
        """What an optimizer holds though it is frozen, for each line that froze some."""
        groups: dict[tuple[str, int], tuple[SourceLine | None, list[ParameterState]]] = {}
        for state in states:
            if state.held:
                froze = frozen_at(audit, state)
                key = (froze.file, froze.line) if froze is not None else ("", 0)
                groups.setdefault(key, (froze, []))[1].append(state)
        for froze, held in groups.values():
            info = audit.recording.optimizers[held[0].held[0][0]]
            built = (audit.source(info.created), "the optimizer is built here")
            compared = _compared(audit)
            nothing_left = _steps_in_vain(audit, info.index)
            shared = _shared(audit, held) if compared is None else None
            asked = asked_to_freeze(audit, held[0])
            yield self.finding(
                audit,
                held,
                f"`{info.type}` steps in vain: all that it holds was frozen after it had been built"
                if nothing_left
                else f"`{info.type}` holds {audit.names(held)}, though frozen",
                compared or shared or asked or froze or audit.source(info.created),
                related=[(froze, "frozen here; `==` does not assign"), built]
                if compared
                else [(froze, "frozen here, as a part of the other"), built]
                if shared
                else [(froze, "frozen here, as it is asked to"), *_decided(audit, held), built]
                if asked is not None
                else [*_decided(audit, held), built],
                level="warning" if nothing_left else None,
                fix=ASKED if asked is not None and not compared and not shared else None,
            )

    def _again(self, audit: Audit, frozen: list[ParameterState]) -> Iterator[Finding]:
        """The finding for what is unfrozen, and frozen again before any step has trained it."""
        states = [state for state in frozen if state.held and _frozen_again(state) is not None]
        if not states:
            return
        stacks = audit.record.stacks
        thawed, froze = (project_stack(stacks, stack) for stack in _frozen_again(states[0]) or (-1, -1))
        here, there = (audit.source(froze), "frozen again here"), (audit.source(thawed), "unfrozen here")
        # A method of torch's that freezes each time it is called undoes any thaw; a helper may be asked not to.
        is_always = froze >= 0 and stacks.codes[froze].co_name in METHODS_OF_MODULES
        culprit, related = (here[0], there) if is_always else (there[0], here)
        yield self.finding(
            audit,
            states,
            f"{audit.names(states, 'is', 'are')} unfrozen, and frozen again before a step",
            culprit,
            related=[related],
            level="warning",
            fix="Change what the line that freezes asks for, too, so that it leaves them alone from here on.",
        )

    def _refused(self, audit: Audit) -> Iterator[Finding]:
        """One finding where all that is held is frozen when backward runs, so that PyTorch refuses it."""
        values = audit.record.values
        event = next((e for e in audit.graph.backwards if e.error and e.roots), None)
        if event is None or any(values[vid].requires_grad for vid in event.roots):
            return
        held = [state for state in audit.states if state.held]
        frozen = [s for s in held if [flag for time, flag, _ in s.track.freezes if time <= event.time][-1:] == [False]]
        if not held or len(frozen) < len(held):
            return
        at = max(entry for state in frozen for entry in state.track.freezes if entry[0] <= event.time)
        yield self.finding(
            audit,
            held,
            f"{audit.names(held)} is frozen, so that `backward` raises",
            audit.source(at[2]),
            related=[(audit.source(event.stack), "backward is called here")],
            level="error",
        )

    @staticmethod
    def bad() -> Example:
        """A frozen backbone in the optimizer."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        model[0].requires_grad_(False)  # FXA306
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The optimizer gets what is trained."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        model[0].requires_grad_(False)
        optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _frozen_first(audit: Audit, states: list[ParameterState]) -> SourceLine | None:
    """Where the first of them was frozen of which that was seen."""
    return next((line for state in states if (line := frozen_at(audit, state)) is not None), None)


def _frozen_again(state: ParameterState) -> tuple[int, int] | None:
    """The stacks of the last thaw of what had been frozen, and of the other line that froze it again after that."""
    if any(fact.changed or fact.gradient in ("zero", "finite") for fact in state.facts):
        return None  # a step came in between, though it may have had nothing to add
    frozen_at = -1
    for number, (_, flag, stack) in enumerate(state.track.freezes):
        if not flag:
            frozen_at = stack
        elif frozen_at >= 0:
            after = [later for _, other, later in state.track.freezes[number + 1 :] if not other]
            if after:
                return stack, after[0]
    return None


@dataclass(frozen=True, slots=True)
class _IdleThaw:
    """Why a line that unfreezes never ran: the lines, the one to edit first."""

    told: list[tuple[SourceLine, str]]
    choice: Decision | None = None
    """What was decided by a setting that says so, without a word that contradicts it."""
    wanted: tuple[str, ...] = ()
    """What the names of those that it would unfreeze have in them; empty where it asks for none."""
    advice: str = ""
    """What to do; "" where nothing more is known."""

    is_offered: bool = False
    """A method that is there for whoever wants it, and nobody has to; or a setting says that it is never to be."""

    def concerned(self, states: list[ParameterState]) -> list[ParameterState]:
        """Those that it would unfreeze."""
        if not self.wanted:
            return states
        return [state for state in states if any(text in state.local_name for text in self.wanted)]


def _is_choice(decision: Decision) -> bool:
    """Whether a setting decided, by its truth or its word, and nothing shows that it was to be another."""
    if not isinstance(decision.value, str | bool | None) or (decision.birth is not None and decision.birth.because):
        return False
    constants = (node.value for node in ast.walk(ast.parse(decision.text)) if isinstance(node, ast.Constant))
    asked = [text for text in constants if isinstance(text, str)]
    return decision.value in asked or not any(letters_apart(text, str(decision.value)) is not None for text in asked)


def _thaw_never_run(audit: Audit) -> _IdleThaw | None:
    """Why a `requires_grad_(True)` in the user's files never ran; None where there is none."""
    files, ran, ran_calls = project_files(audit.record), audit.record.ran(), _places_of_flags(audit)
    for tree, thaw in _thaws(files):
        if (tree.file, thaw.lineno) in ran_calls:
            continue
        is_assigned = isinstance(thaw, ast.Assign)
        if is_assigned and thaw.lineno in ran.of(tree.file):
            continue  # it was True already
        misnamed = _misnamed_hook(audit, tree, thaw)
        if misnamed is not None:
            return misnamed
        found = obstacles(tree, thaw, ran.of(tree.file))
        loops = [outer.lineno for outer in tree.ancestors(thaw) if isinstance(outer, ast.For)]
        if found and found[0].file == tree.file and loops and found[0].line >= loops[-1]:
            continue  # what a loop selects, and whether it may select nothing, is the story of FXA308
        scope = tree.function(thaw)
        uncalled = never_called(audit.record, tree, scope) if scope is not None else []
        if uncalled:
            if is_assigned:
                continue  # a helper that is there for others
            told = [*uncalled, (source_at(tree.file, thaw.lineno), "would unfreeze it")]
            return _IdleThaw(told, is_offered=_is_offered(audit, tree, scope, uncalled[0][1]))
        if found:
            return _kept_from_running(audit, tree, thaw, found[0])
    helpers = (_misnamed_hook(audit, *call) for call in thaws_through(files))
    misnamed = next(filter(None, helpers), None)
    if misnamed is not None:
        return misnamed
    told = _helper_never_called(audit) or why_never_called(audit.record, "unfreeze")
    return _IdleThaw(told) if told else None


def _is_offered(audit: Audit, tree: Tree, scope: ast.AST | None, role: str) -> bool:
    """Whether it is a method, and no hook, and what runs in its place, as its `role` says, thaws nothing."""
    owner = tree.parents.get(scope) if scope is not None else None
    if not isinstance(owner, ast.ClassDef) or getattr(scope, "name", "").startswith(HOOK):
        return False
    beside = {getattr(t.function(thaw), "name", "") for t, thaw in _thaws(project_files(audit.record))}
    return not any(f".{name}` runs" in role for name in beside - {""})


def _places_of_flags(audit: Audit) -> set[tuple[str, int]]:
    """The lines through which a flag was set."""
    stacks = audit.record.stacks
    of_modules = [event.stack for event in audit.record.events if isinstance(event, FlagEvent)]
    of_tensors = [stack for track in audit.record.tracks for _, _, stack in track.freezes]
    return {(stacks.file(i), stacks.line(i)) for stack in (*of_modules, *of_tensors) for i in stacks.chain(stack)}


def _kept_from_running(audit: Audit, tree: Tree, thaw: ast.Call | ast.Assign, obstacle: Obstacle) -> _IdleThaw:
    """Why the branch or loop went past the thaw."""
    scope, where = tree.function(thaw), source_at(tree.file, thaw.lineno)
    callers = call_sites(project_files(audit.record), getattr(scope, "name", "")) if scope is not None else []
    calls = [(source_at(t.file, c.lineno), "called from here") for t, c in callers[:1]]
    told = [(source_at(obstacle.file, obstacle.line), obstacle.role), (where, "would unfreeze it"), *calls]
    missed = _never_found(audit, obstacle)
    if missed is not None:
        asked = (source_at(missed.file, missed.line), missed.sentence)
        return _IdleThaw([asked, *(one for one in told if one[0] != asked[0])])
    if _waits_for_nothing(audit, obstacle) or _asks_for_kinds(obstacle):
        return _IdleThaw(told, is_offered=True)
    # In a loop within a loop the counter begins again: the number that it is compared with may well be right.
    counting = [tree.ancestors(thaw), *(t.ancestors(c) for t, c in callers[:1])]
    is_nested = sum(_counts(outer) for around in counting for outer in around) > 1
    decision = None if is_nested else decision_at(audit.record, obstacle)
    if decision is None:
        return _IdleThaw(told)
    counted = never_told(audit.record, decision)
    told = [*counted, *blamed(decision, told)]
    if counted or not _is_choice(decision):
        return _IdleThaw(told, advice=TELL if counted else "")
    selection = selected_by(tree, thaw)
    wanted = names_asked_for(project_files(audit.record), selection) if selection is not None else ()
    return _IdleThaw(told, decision, tuple(wanted))


def _asks_for_kinds(obstacle: Obstacle) -> bool:
    """Whether what a branch goes by was picked by kinds of modules, of which a model may have none by intent."""
    _, test = decider_at(obstacle.file, obstacle.line) or (None, None)
    names = {test.id} if isinstance(test, ast.Name) else set()
    made = next((one for one in assignments_behind(obstacle.file, obstacle.line) if names_bound(one) & names), None)
    rounds = [part for node in ast.walk(made) for part in getattr(node, "generators", ())] if made is not None else []
    calls = [node.func for part in rounds for one in part.ifs for node in ast.walk(one) if isinstance(node, ast.Call)]
    return any(isinstance(called, ast.Name) and called.id == "isinstance" for called in calls)


def _waits_for_nothing(audit: Audit, obstacle: Obstacle) -> bool:
    """Whether a counter is compared with a number below 0: `unfreeze_at: -1` says that it is never to be."""
    _, test = decider_at(obstacle.file, obstacle.line) or (None, None)
    if not isinstance(test, ast.Compare) or len(test.comparators) != 1:
        return False
    sights = audit.record.course.at(obstacle.file, obstacle.line)
    seen = [{evaluated(side, sight.read) for sight in sights} for side in (test.left, test.comparators[0])]
    numbers = [[value for value in values if isinstance(value, int | float)] for values in seen]
    if any(len(found) < len(values) or not found for found, values in zip(numbers, seen, strict=True)):
        return False
    return any(max(one) < 0 <= min(other) for one, other in (numbers, numbers[::-1]))


def _misnamed_hook(audit: Audit, tree: Tree, thaw: ast.AST) -> _IdleThaw | None:
    """The method around a thaw, or around a call that leads to it, that nobody calls, of an object that is asked for
    others of nearly that name."""
    ran, files = audit.record.ran(), project_files(audit.record)
    around = [(tree, scope)] if (scope := tree.function(thaw)) is not None else []
    for _, inner in around:
        calls = call_sites(files, name) if (name := getattr(inner, "name", "")) else []
        outer = [(where, scope) for where, call in calls if (scope := where.function(call)) is not None]
        around += [place for place in outer if place not in around]
        if len(around) > MAX_AROUND:
            return None
    if any(was_entered(*place, ran) for place in around):
        return None
    for other, scope in around:
        asked = called_otherwise(audit.record, other, scope) if never_called(audit.record, other, scope) else None
        if asked is not None:
            called = " and ".join(f"`{one}`" for one in asked[0])
            names = f"`{getattr(scope, 'name', '')}`; {called} {'is' if len(asked[0]) == 1 else 'are'} asked for"
            thawed = (source_at(tree.file, _line(thaw)), "would unfreeze it")
            told = [(source_at(other.file, scope.lineno), f"nobody calls {names}"), thawed]
            return _IdleThaw([*told, (asked[1], "asked for here")], advice=RENAME)
    return None


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _never_found(audit: Audit, obstacle: Obstacle) -> Lookup | None:
    """The lookup that gave a test its answer, and can never find anything."""
    tree, test = decider_at(obstacle.file, obstacle.line) or (None, None)
    if tree is None or test is None:
        return None
    return Lookups(audit.record.course).of_another_kind(tree.file, test)


def _counts(node: ast.AST) -> bool:
    match node:
        case ast.For(iter=ast.Call(func=ast.Name(id="range" | "enumerate"))):
            return True
    return False


def _thaws(files: Sequence[str]) -> Iterator[tuple[Tree, ast.Call | ast.Assign]]:
    """The calls of `requires_grad_(True)`, and the assignments `.requires_grad = True`."""
    for tree, call in call_sites(files, "requires_grad_"):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if not given or any(isinstance(part, ast.Constant) and part.value is True for part in given):
            yield tree, call
    for own in filter(None, map(tree_of, files)):
        for node in own.statements:
            match node:
                case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=ast.Constant(value=True)):
                    yield own, node


def _helper_never_called(audit: Audit) -> list[tuple[SourceLine, str]]:
    """Why no call ran of a function that sets the flag to what it is given, with anything but False."""
    ran, files = audit.record.ran(), project_files(audit.record)
    for tree, call in thaws_through(files):
        if call.lineno in ran.of(tree.file):
            continue
        found = obstacles(tree, call, ran.of(tree.file))
        if not found:
            continue
        told = [
            (source_at(found[0].file, found[0].line), found[0].role),
            (source_at(tree.file, call.lineno), "would unfreeze it"),
        ]
        decision = decision_at(audit.record, found[0])
        return blamed(decision, told) if decision is not None else told
    return []


def _decided(audit: Audit, states: list[ParameterState]) -> list[tuple[SourceLine, str]]:
    """The branch that decided what is unfrozen again, or else what is frozen, and what it decides by."""
    stacks = audit.record.stacks
    own = {state.index for state in states}
    thaws = [stack for t in audit.record.tracks if t.index not in own for _, flag, stack in t.freezes if flag]
    froze = [stack for state in states for _, flag, stack in state.track.freezes if not flag]
    for words, freezes in (("unfrozen", thaws), ("frozen", froze)):
        for stack in dict.fromkeys(freezes):
            for frame in stacks.chain(project_stack(stacks, stack))[:3]:
                found = _branch(audit, stacks.file(frame), stacks.line(frame), words)
                if found:
                    return found[:2]
    return []


def _branch(audit: Audit, file: str, line: int, words: str) -> list[tuple[SourceLine, str]]:
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    branches = branches_around(tree, statement) if tree is not None and statement is not None else []
    if not branches:
        return []
    found = origins_of_test(audit.project_files, file, branches[0])
    joined = [(origin, entry) for origin in found if (entry := joined_strings(origin.value)) is not None]
    return [
        (source_at(file, branches[0]), f"this decides what is {words}"),
        *((source_at(o.file, entry.lineno), "two strings without a comma between them") for o, entry in joined),
        *((source_at(o.file, o.line), f"`{o.name}` comes from here") for o in found if not o.is_handed_on),
    ]


def _shared(audit: Audit, states: list[ParameterState]) -> SourceLine | None:
    """Where a module that already was a part of another one was made a part of a second one: frozen with the first, it
    is frozen in the second, too."""
    root = states[0].root
    if root is None or any(state.root is not root for state in states):
        return None
    paths = audit.recording.paths(root)
    indices = [module.index for module in paths.values()]
    for state in states:
        owners = [path for path in paths if f"{state.local_name}.".startswith(f"{path}.") and path]
        twice = [path for path in owners if indices.count(paths[path].index) > 1]
        if not twice:
            return None
    top = next(path for path in owners if path in twice)
    line = registration(audit, root.index, top)
    return line if line is not None and not line.library and _hands_on(line) else None


def _hands_on(line: SourceLine) -> bool:
    """Whether the line gives an attribute something that another object has: `self.stem = other.stem`."""
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    match statement:
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()], value=ast.Attribute() | ast.Name()):
            return True
    return False


def _compared(audit: Audit) -> SourceLine | None:
    """A statement such as `p.requires_grad == True`, which compares and was meant to assign."""
    for file in project_files(audit.record):
        tree = tree_of(file)
        for node in tree.nodes if tree is not None else ():
            match node:
                case ast.Expr(value=ast.Compare(left=ast.Attribute(attr="requires_grad"), ops=[ast.Eq()])):
                    return source_at(file, node.lineno)
    return None


def _steps_in_vain(audit: Audit, index: int) -> bool:
    """Whether an optimizer steps though all that it holds was frozen after it was built, and is frozen still."""
    info = audit.recording.optimizers[index]
    held = [state for state in audit.states if any(holder == index for holder, _ in state.held)]
    late = all(state.verdict == "frozen" and state.index not in info.frozen_then for state in held)
    return bool(info.steps) and bool(held) and late and not audit.recording.mode.is_part
