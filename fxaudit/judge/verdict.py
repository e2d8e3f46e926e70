"""The verdict on every parameter, computed once from all that was recorded.

Evidence comes first: where a real step was seen, it decides. The graph explains the rest.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from fxaudit.answer.answer import Verdict
from fxaudit.capture import operations
from fxaudit.capture.events import BackwardEvent
from fxaudit.capture.frozen import ModelRecord, Recording
from fxaudit.capture.recording import Op, StepFact, Track
from fxaudit.capture.registry import ModuleInfo
from fxaudit.judge.batch import Batch
from fxaudit.judge.graph import StepGraph
from fxaudit.judge.vanishing import Origins
from fxaudit.program.bindings import variable_name
from fxaudit.program.flow import onwards
from fxaudit.program.put_backs import begins_a_trial
from fxaudit.program.source import SourceLine, is_library

__all__ = ["Judge", "ParameterState"]

UNMOVED = "the optimizer steps with a gradient, yet the value does not change"
UNREGISTERED = "a loss reaches it, but no model registers it and no optimizer holds it"
WHOLE = ("bool", "uint8", "int8", "int16", "int32", "int64")
"""What indices and masks are made of."""
TWICE = 2
"""So many steps that are undone, behind a first one that is not, are no chance: a constant is written each time."""
MASKED_ROUNDS = 20
"""In so many rounds a mask has to be true everywhere before it is said to be so always."""
NEW_MASKS = 8
"""Under another mask than before old values are put back in one of so many steps at most."""
LEAF_CODES = {"rewrapped": "FXA107", "left_torch": "FXA106", "detached": "FXA107"}
"""Kinds of cuts after which the value may go on in a new leaf, and the rule that tells of them."""


@dataclass(slots=True)
class ParameterState:
    """A parameter with its verdict and what it rests on."""

    name: str
    track: Track
    root: ModuleInfo | None
    local_name: str
    reached_in: int
    swapped: bool
    verdict: Verdict = "unknown"
    reason: str = ""
    arrived: Literal["none", "zero", "finite", "nonfinite", "unknown"] = "none"
    norm: float | None = None
    held: tuple[tuple[int, int], ...] = ()
    """(optimizer, group) pairs."""
    module_type: str = ""
    explained: list[str] = field(default_factory=list)
    """Codes of the rules that explained it."""
    writers: tuple[Op, ...] = ()
    """For `replaced`: the operations that overwrote it."""
    is_starved: bool = False
    """For `unknown`: the one batch that was seen left it without a gradient, or without a reader."""
    frozen_at: SourceLine | None = None
    """For `frozen`: the user's line that froze it, where that was seen."""
    mechanism: str = ""
    """For `replaced`: slot, remade, rewritten, rewound, overwritten."""

    @property
    def index(self) -> int:
        """The index of its track."""
        return self.track.index

    @property
    def requires_grad(self) -> bool:
        """Whether it asked for a gradient in the end."""
        return self.track.requires_grad

    @property
    def facts(self) -> list[StepFact]:
        """What the optimizer steps did to it."""
        return self.track.facts

    @property
    def spoiling(self) -> StepFact | None:
        """The step that made its value NaN or infinite, where nothing gave it other values afterwards."""
        found: StepFact | None = None
        for fact in self.facts:
            if fact.changed and not math.isfinite(fact.change):
                found = found or fact
            elif fact.changed and fact.gradient == "finite":
                found = None  # it was given other values meanwhile
        return found


class Judge:
    """Names everything that is a parameter, or acts as one, and gives each its verdict."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.record = recording.record
        self.graph = StepGraph(recording.record)
        self.looped = recording.mode.is_loop
        """Whether the user's own loop was watched (steps are expected), or only one forward and backward."""
        self.optimizers_known = recording.mode.optimizers_known
        self.states: list[ParameterState] = []
        self._named: set[int] = set()
        """The tracks that have a state."""
        self._names: set[str] = set()

    def judge(self) -> list[ParameterState]:
        """The verdicts, parameters of the models first, then unregistered and stale tensors."""
        self._registered()
        self._latest_of_several()
        self._lost_slots()
        self._others()
        return self.states

    @property
    def models(self) -> tuple[ModelRecord, ...]:
        """The root modules that are judged."""
        return self.recording.models

    @functools.cached_property
    def saw_nothing(self) -> bool:
        """Whether neither a forward nor a backward nor a step was seen."""
        return not self.graph.backwards and not self.record.calls and not self.record.steps()

    # -- who is there --------------------------------------------------------------------------------------------

    def _registered(self) -> None:
        for model in self.models:
            for local, index in model.parameters:
                track = self.record.tracks[index]
                if index in self._named or (index in model.unlisted and not self._takes_part(track)):
                    continue
                self._named.add(index)
                state = self._state(model.prefix + local, track, model.root, local)
                path = local.rpartition(".")[0]
                way = self.recording.way(model.root, path)
                state.module_type = way[-1].type if len(way) == 1 + len(path.split(".") if path else ()) else ""
                self._decide(state)

    def _takes_part(self, track: Track) -> bool:
        """Whether it gets a gradient, or an optimizer holds it: what a model hides, as a teacher, does neither."""
        gets_some = any(track.index in event.reached or track.index in event.arrived for event in self.graph.backwards)
        return gets_some or bool(self.recording.holders(track.index))

    def _latest_of_several(self) -> None:
        """Parameters that took the place of others that gradient did reach and that no optimizer held, maybe when
        nobody recorded any more: what was true of those is true of them, and they stand for them."""
        late = [state for state in self.states if state.verdict in ("unreachable", "excluded") and state.swapped]
        if not late or not self.looped:
            return
        reached = {t for event in self.graph.backwards for t in event.arrived}
        for state in late:
            others = [track for track in self._in_the_same_place(state) if track in reached]
            if not others or any(self.recording.holders(track) for track in (state.index, *others)):
                continue
            self._named.update(others)
            if state.verdict == "unreachable":
                self._note_arrivals(state, self.record.tracks[others[-1]])
                state.reached_in = sum(not e.arrived.keys().isdisjoint(others) for e in self.graph.backwards)
                state.verdict = "excluded"
                state.reason = "gradient arrived at what stood in its place before, and no optimizer holds either"

    def _in_the_same_place(self, state: ParameterState) -> list[int]:
        """The other tracks that stood in the slot of the parameter."""
        tracks = self.record.tracks
        history = self.recording.history.get((state.root.index, state.local_name), ()) if state.root else ()
        known = [track for _, track in history]
        places = {place[1:3] for track in known for place in tracks[track].registered}
        seen = [track.index for track in tracks if any(place[1:3] in places for place in track.registered)]
        return [track for track in dict.fromkeys((*known, *seen)) if track != state.index]

    def _lost_slots(self) -> None:
        """Parameters whose slot holds something else by now, because forward assigned to it."""
        for assignment in self.recording.assignments:
            if assignment.track in self._named or assignment.track < 0:
                continue
            track = self.record.tracks[assignment.track]
            self._named.add(track.index)
            local = self.recording.names.get(track.index, assignment.slot)
            root = self.recording.owners.get(track.index, (None, ""))[0]
            model = next((m for m in self.models if m.root.index == root), self.models[0] if self.models else None)
            prefix = model.prefix if model is not None else ""
            state = self._state(prefix + local, track, model.root if model else None, local)
            self._replaced(state, "slot", "forward assigns another tensor to its slot")
            if model is not None:
                self.states.insert(self._place(model.root, local), self.states.pop())

    def _place(self, root: ModuleInfo, local: str) -> int:
        """Where among the states the one that was added last belongs: before those that its model has later."""
        order = [name for (owner, name) in self.recording.history if owner == root.index]
        later = [*itertools.dropwhile(lambda name: name != local, order)][1:]
        behind = (i for i, state in enumerate(self.states) if state.root == root and state.local_name in later)
        return next(behind, len(self.states))

    def _others(self) -> None:
        """What acts as a parameter without being one of the models': held by an optimizer, or reached by a loss."""
        recording = self.recording
        reached = {t for event in self.graph.backwards for t in event.reached} | {
            t for event in self.graph.backwards for t in event.arrived
        }
        if not self.graph.backwards:
            reached = {
                track.index
                for track in self.record.tracks
                if track.requires_grad and self.graph.carries_to_loss(track.index)
            }
        held = {
            t
            for info in recording.optimizers
            if info.is_asked_about and not info.is_abandoned
            for _, members in info.groups
            for t in members
        }
        self._rewrapped_leaves(reached)
        paths = recording.kept
        for track in self.record.tracks:
            was_named = not track.is_alive and track.index in recording.names
            if track.index in self._named:
                continue
            if was_named and any(self._counts(fact) for fact in track.facts):
                self._named.add(track.index)  # it trained, and the program has put another in its place since
            elif track.index in held:
                self._named.add(track.index)
                self._held_outside(track, track.index in reached)
            elif (
                track.index in reached
                and track.is_alive
                and track.requires_grad
                and self._acts_as_parameter(track, paths)
            ):
                self._named.add(track.index)
                self._unheld_outside(track)
        self._remade_leaves(reached, held)
        self._kept_and_cut_off(paths)

    def _held_outside(self, track: Track, is_reached: bool) -> None:
        """The verdict on what an optimizer holds and no model has."""
        name, old = self._best_name(track, self.recording.kept), self.recording.names.get(track.index, "")
        if is_reached:
            self._decide(self._state(name, track, None, ""))
        elif self._is_master(track):
            state = self._state(name, track, None, "")
            state.verdict = "trained"
            state.reason = "the optimizer's step changes it, and it is copied to a parameter"
        elif not self._is_only_a_parts(track.index):
            state = self._state(f"{old} (old)" if old else name, track, None, old)
            state.verdict = "stale"
            state.reason = "an optimizer holds it, but no model has it and no loss reaches it"

    def _unheld_outside(self, track: Track) -> None:
        """The verdict on what a loss reaches, and neither a model nor an optimizer has."""
        state = self._state(self._best_name(track, self.recording.kept), track, None, "")
        if track.hand_updates:
            state.verdict, state.reason = "trained", "the program updates it by hand"
            return
        state.verdict, state.reason = "unregistered", UNREGISTERED
        if track.index not in self.recording.kept and track.index in self.recording.owners:
            state.mechanism = "elsewhere"
            state.reason = "a loss reaches it; it belongs to a module beside the model, and no optimizer holds it"

    def _kept_and_cut_off(self, paths: dict[int, str]) -> None:
        """Parameters that a model made, keeps in a list or dict, computes with, and whose results are cut off.

        No optimizer holds them and no loss reaches them; a teacher that is hidden in a list on purpose comes from
        outside, is a copy, or is used where grad mode is off.
        """
        for index, name in paths.items():
            track = self.record.tracks[index]
            if index in self._named or not track.is_parameter or not track.requires_grad or "[" not in name:
                continue
            if self._is_used_with_gradient(track) and self._was_made_by_a_module(track) and self.graph.cuts(index):
                state = self._state(name, track, None, "")
                state.verdict, state.mechanism = "unregistered", "cut off"
                state.reason = "kept where `parameters()` does not look, and what is computed from it is cut off"

    def _is_used_with_gradient(self, track: Track) -> bool:
        values = self.record.values
        users = (op for vid in track.values for op in self.graph.consumers.get(vid, ()))
        made = (values[out] for op in users for out in op.outputs)
        return any(value.requires_grad and not value.leaf for value in made)  # its own initialisation gives a leaf

    def _was_made_by_a_module(self, track: Track) -> bool:
        """Whether the constructor of one of the user's classes made it anew."""
        stacks = self.record.stacks
        own = (stacks.codes[frame] for frame in stacks.chain(track.created) if not is_library(stacks.file(frame)))
        made = any(code.co_name == "__init__" for code in own)
        return made and not self._is_copy(track)

    def _is_copy(self, track: Track) -> bool:
        """Whether its first value was handed on from another tensor that is followed, as `copy.deepcopy` does."""
        op = self.record.maker(track.values[0])
        while op is not None and op.inputs and (op.name == "Parameter" or _hands_on(op)):
            if self.record.track_of(op.inputs[0]) is not None:
                return True
            op = self.record.maker(op.inputs[0])
        return False

    def _is_only_a_parts(self, track: int) -> bool:
        """Whether only optimizers hold it that another optimizer built for its own use, such as for a schedule."""
        holders = [info for info, _ in self.recording.holders(track)]
        return bool(holders) and all(info.is_part for info in holders)

    def _is_master(self, track: Track) -> bool:
        """Whether the tensor stands for parameters: stepped with gradients that were written by hand, and copied into
        a parameter."""
        if not track.hand_gradient or not any(self._counts(fact) for fact in track.facts):
            return False
        named = {vid for index in self._named for vid in self.record.tracks[index].values if index != track.index}
        depends = self.graph.downstream(track.values)
        return any(named & set(op.mutates) and depends & set(op.inputs) - named for op in self.graph.ops)

    def _rewrapped_leaves(self, reached: set[int]) -> None:
        """Leaves that forward made of a parameter's value: the loss reaches them in the parameter's place."""
        values = self.record.values
        found: dict[int, tuple[Track, str]] = {}
        for state in self.states:
            if state.verdict != "unreachable":
                continue
            for cut in self.graph.cuts(state.index):
                if cut.kind not in LEAF_CODES:
                    continue
                back = [self.record.ops[cut.op], *self.graph.python_consumers.get(cut.op, ())]
                made = [vid for op in back for vid in op.outputs]
                copied = [out for vid in made for out in (vid, *self._leaves_of(vid))]
                outputs = copied
                if cut.kind == "detached":
                    outputs = [out for out in copied if values[out].track in reached] + self._written_leaves(made)
                for out in outputs:
                    track = self.record.track_of(out)
                    if track is None or track.index in self._named or out in self.graph.losses:
                        continue
                    if values[out].requires_grad and self.graph.carries_to_loss(track.index):
                        line = track.created if track.created >= 0 else self.record.ops[cut.op].stack
                        written = cut.kind == "detached" and out not in copied
                        found[line] = (track, "FXA104" if written else LEAF_CODES[cut.kind])
        for track, code in found.values():
            self._named.add(track.index)
            op = self.record.maker(track.values[-1])
            stack = op.stack if op is not None else track.created
            name = variable_name(self.record.stacks, stack) or f"<leaf {track.shape}>"
            state = self._state(name, track, None, "")
            state.verdict, state.mechanism = "unregistered", "remade"
            state.reason = "made anew in each forward from a parameter's value: the gradient stays with it"
            state.explained.append(code)

    def _written_leaves(self, start: list[int]) -> list[int]:
        """The leaves into whose `.data` a detached value is written, as in `total.data += loss.data`."""

        def on(vid: int) -> Iterator[int]:
            made = ((op, out) for op in self.graph.consumers.get(vid, ()) for out in op.outputs)
            return (
                out for op, out in made if not self.record.values[out].requires_grad and not self._sets_leaf(op, out)
            )

        writes = (op for vid in onwards(start, on) for op in self.graph.consumers.get(vid, ()))
        written = (out for op in writes for out in op.outputs if self._sets_leaf(op, out))
        return [vid for vid in written if vid in self.graph.reaching]

    def _sets_leaf(self, op: Op, out: int) -> bool:
        return op.name == "data.__set__" and self.record.track_of(out) is not None

    def _leaves_of(self, vid: int) -> list[int]:
        """The leaves that a value becomes when it is handed on and asks for a gradient."""

        def on(vid: int) -> Iterator[int]:
            return (out for op in self.graph.consumers.get(vid, ()) if _hands_on(op) for out in op.outputs)

        users = (op for same in onwards([vid], on) for op in self.graph.consumers.get(same, ()))
        return [out for op in users if op.name == "requires_grad_" for out in op.outputs]

    def _remade_leaves(self, reached: set[int], held: set[int]) -> None:
        """Parameters that are gone by now: of those made anew in each forward the last of each line stands for all; the
        others lived as long as the loop."""
        lines: dict[tuple[int, int], list[Track]] = {}
        for track in self.record.tracks:
            if track.index in self._named or track.index in held or track.index not in reached:
                continue
            if not track.is_parameter or (track.is_alive and not self._acts_as_parameter(track, {})):
                continue
            lines.setdefault((track.created, len(track.shape)), []).append(track)
        for tracks in lines.values():
            lasts = not self._is_made_again(tracks)
            for track in tracks if lasts else tracks[-1:]:
                self._named.add(track.index)
                slot = track.registered[-1][2] if track.registered else ""
                variable = variable_name(self.record.stacks, track.created)
                name = ".".join(part for part in (variable, slot) if part) or f"<Parameter {track.shape}>"
                state = self._state(name, track, None, "")
                state.verdict, state.reason = "unregistered", UNREGISTERED
                if not lasts:
                    state.reason = "made anew in each forward: a loss reaches it, but it never outlives the call"
                    state.mechanism = "remade"

    def _is_made_again(self, tracks: list[Track]) -> bool:
        """Whether what one line made was made anew after it had been used; used once, it may have been, too."""
        uses = [
            [e.time for e in self.graph.backwards if track.index in e.reached or track.index in e.arrived]
            for track in tracks
        ]
        first = min((time for times in uses for time in times), default=-1)
        return any(len(times) < 2 for times in uses) or any(track.created_time > first for track in tracks)

    def _acts_as_parameter(self, track: Track, paths: dict[int, str]) -> bool:
        """Whether an unregistered leaf is meant to learn; inputs that only need a gradient are not."""
        if track.is_parameter:
            return True
        if any(self._in_forward(op) for vid in track.values if (op := self.record.maker(vid)) is not None):
            return False  # made in a forward: an input that wants its gradient, say for a saliency map
        differentiated = {vid for op in self.graph.ops if op.name == "autograd.grad" for vid in op.inputs}
        is_differentiated = any(vid in differentiated for vid in track.values)
        if track.index in paths:
            # An input with respect to which the loss differentiates may stay on the model, for a plot.
            return not (is_differentiated and self._made_after_optimizers(track))
        if is_differentiated:
            return False
        batches = sum(1 for event in self.graph.backwards if track.index in event.reached)
        return batches > 1 and not any(
            op.name == "grad" for vid in track.values for op in self.graph.consumers.get(vid, ())
        )

    def _made_after_optimizers(self, track: Track) -> bool:
        """Whether the tensor was computed when all optimizers had been built already."""
        made = min((self.record.values[vid].op for vid in track.values), default=-1)
        built = [info.created_time for info in self.recording.optimizers]
        return made >= 0 and bool(built) and made >= max(built)

    def _best_name(self, track: Track, paths: dict[int, str]) -> str:
        """The attribute path, the variable, the name in a model of its own, or what the creating line binds."""
        recording = self.recording
        if track.index in paths:
            return paths[track.index]
        if track.variable:
            return track.variable
        if track.index in recording.leaf_names:
            return recording.leaf_names[track.index]
        if track.index in recording.names:
            root = recording.modules[recording.owners[track.index][0]]
            name = recording.names[track.index]
            return f"{root.variable}.{name}" if root.variable and not recording.model_of(root.index) else name
        slot = track.registered[-1][2] if track.registered else ""
        variable = variable_name(self.record.stacks, track.created)
        if not variable and track.created < 0:
            made = (op for vid in track.values if (op := self.record.maker(vid)) is not None)
            variable = next((variable_name(self.record.stacks, op.stack) for op in made), "")
        return ".".join(part for part in (variable, slot) if part) or f"<Parameter {track.shape}>"

    def _unique(self, name: str) -> str:
        if name not in self._names:
            return name
        return next(new for number in itertools.count(2) if (new := f"{name} #{number}") not in self._names)

    def _state(self, name: str, track: Track, root: ModuleInfo | None, local: str) -> ParameterState:
        index, events = track.index, self.graph.backwards
        history = self.recording.history.get((root.index, local), ()) if root is not None else ()
        reached = [event for event in events if index in event.reached or index in event.arrived]
        swapped = len({t for _, t in history}) > 1
        state = ParameterState(self._unique(name), track, root, local, len(reached), swapped)
        self._names.add(state.name)
        state.held = tuple((info.index, group) for info, group in self.recording.holders(track.index))
        self._note_arrivals(state, track)
        if self._destroying(state) is not None:
            state.arrived, state.norm = "nonfinite", None
        self.states.append(state)
        return state

    def _note_arrivals(self, state: ParameterState, track: Track) -> None:
        """The best of the gradients that arrived at a track, as those of the state."""
        arrivals = [event.arrived[track.index] for event in self.graph.backwards if track.index in event.arrived]
        arrivals += [(fact.gradient, fact.norm) for fact in track.facts]
        if track.hand_updates and track.asked:
            arrivals.append(("finite", track.asked))
        for kind in ("finite", "nonfinite", "zero"):
            norms = [norm for found, norm in arrivals if found == kind]
            if norms:
                state.arrived = kind
                state.norm = max(norms) if kind == "finite" else None
                break

    # -- the verdict ---------------------------------------------------------------------------------------------

    def _decide(self, state: ParameterState) -> None:
        track = state.track
        if self._is_slot_replaced(state):
            return
        if self._is_overwritten(state) or (track.requires_grad and self._overwritten_each_round(state)):
            return
        destroying = self._destroying(state)
        if destroying is not None:
            made = "NaN" if math.isnan(destroying.change) else "infinite"
            state.verdict, state.reason = "blocked", f"a step made its value {made}, and it stays so"
            return
        if self.is_trained(state):
            state.verdict, state.reason = "trained", "gradient arrives and the optimizer's step changes the value"
            if track.hand_updates and not any(self._counts(f) for f in state.facts):
                state.reason = "the program updates it by hand from its gradient"
            return
        if track.index in self.recording.stepped_elsewhere:
            state.verdict = "unknown"
            state.reason = "its optimizer steps in another thread; only the thread that started the audit is recorded"
            return
        if track.requires_grad and self._may_train_in_a_child(track.index):
            state.verdict = "unknown"
            state.reason = "a process that the program starts may train it; only this process is recorded"
            return
        if track.index in self.recording.compiled_writes and (not self.graph.backwards or not state.facts):
            state.verdict = "unknown"
            state.reason = "compiled code trains it, and what happens inside is not recorded"
            return
        if not track.requires_grad:
            state.verdict, state.reason = "frozen", "`requires_grad` is False"
            return
        if self._was_frozen_throughout(track):
            state.verdict = "frozen"
            state.reason = "`requires_grad` was False in all steps that were seen, and was set again behind them"
            return
        if self.saw_nothing and self.recording.mode.is_part:
            state.verdict, state.reason = "unknown", "nothing of the loop was seen"
            return
        if self.looped and not self.graph.backwards and state.held and not self._asked_in_vain(state):
            if self.recording.died and not self.record.steps():
                state.verdict, state.reason = "unknown", "the script died before its first backward"
                return
            if (self.graph.knows_what_was_asked or self._was_answered(state) is False) and not self._is_reached(state):
                state.verdict, state.reason = "unreachable", "no gradient path leads from a loss to it"
                return
            # Without any loss there is no evidence for a cut: what is known is that backward never ran.
            state.verdict, state.reason = "blocked", "`backward` is never called"
            return
        if not self._is_reached(state):
            state.verdict = "unreachable"
            state.reason = "no gradient path leads from a loss to it"
            if self.looped and self._is_in_the_dark(state):
                state.verdict = "unknown"
                state.reason = "no backward ran, and a part of what computes the loss was not recorded"
            return
        if not state.held and not state.facts:
            self._unheld(state)
            return
        if track.is_meta and state.facts:
            state.verdict = "unknown"
            state.reason = "a loss reaches it and an optimizer steps it; on the meta device there is no value to change"
            return
        self._held(state)

    def _was_frozen_throughout(self, track: Track) -> bool:
        """Whether the last change of the flag that was recorded froze it, before every backward: what set it again came
        when nothing was recorded any more."""
        times = [event.time for event in self.graph.backwards]
        return (
            self.looped
            and bool(times and track.freezes)
            and not track.freezes[-1][1]
            and (track.freezes[-1][0] <= min(times))
        )

    def _is_in_the_dark(self, state: ParameterState) -> bool:
        """Whether no backward shows if the tensor has a part in what came to the loss from outside of the recording,
        out of `vmap`, say, and nothing that was recorded ends its way."""
        if self.graph.backwards or not self.graph.is_read(state.index) or self.graph.cuts(state.index):
            return False
        return any(self.record.values[vid].foreign for vid in self.graph.reaching)

    def _may_train_in_a_child(self, track: int) -> bool:
        """Whether it was handed to a process that was started, and no backward here reaches what was handed there."""
        handed = self.recording.elsewhere
        reached = [event.reached for event in self.graph.backwards]
        if track in handed:
            return not any(handed & tracks for tracks in reached)
        return self.recording.blind_children and not reached and not self.record.steps()

    def _is_slot_replaced(self, state: ParameterState) -> bool:
        track = state.track
        if any(assignment.track == track.index for assignment in self.recording.assignments):
            self._replaced(state, "slot", "forward assigns another tensor to its slot")
            return True
        history = self.recording.history.get((state.root.index, state.local_name), ()) if state.root is not None else ()
        first = min((event.time for event in self.graph.backwards), default=math.inf)
        later = [time for time, _ in history[1:] if time > first]
        made_inside = bool(track.registered) and track.registered[-1][4]
        if (made_inside and len(history) > 1) or len(later) >= 2:
            self._replaced(state, "remade", "a new Parameter takes its place in every round")
            return True
        return False

    def _replaced(self, state: ParameterState, mechanism: str, reason: str) -> None:
        state.verdict, state.mechanism, state.reason = "replaced", mechanism, reason

    def _is_overwritten(self, state: ParameterState) -> bool:
        """Whether every change the optimizer made was lost before forward could use it."""
        moved = [fact for fact in state.facts if fact.changed]
        # Of a step in a hook of the backward that an audit runs no event is kept: nothing is seen behind it.
        is_told = bool(moved) and moved[-1].event < len(self.record.events)
        undone = self._undone_by(state, moved) if is_told else []
        if undone:
            state.writers = tuple(undone)
            mechanism = "undone" if self._is_perturbed(state, undone) else "rewritten"
            self._replaced(state, mechanism, "after every step it gets the value back that it had before it")
            return True
        judged = [fact for fact in moved if fact.lost is not None]
        later = judged[1:] if len(judged) > TWICE else judged  # a constant takes the place of the first value once
        if later and self._is_lost_behind_masks(state, later):
            stepped = {self.record.events[fact.event].time for fact in later}
            written = [op.index for op in self.writers(state.track)]
            after = {next((index for index in written if index >= time), -1) for time in stepped}
            state.writers = tuple(op for op in self.writers(state.track) if op.index in after)
            self._replaced(state, "rewound", "after every step its first values come back, under a mask")
            return True
        if later and all(fact.lost for fact in later):
            last = self.record.events[state.facts[-1].event].time
            writers = self.writers(state.track)
            writers = [op for op in writers if op.index < last] or writers
            # What sets the whole value puts it back; what else changes it (a perturbation, a clamp) does not.
            state.writers = tuple(op for op in writers if operations.of(op.name).replaces_all) or tuple(writers)
            inside = any(self._in_forward(op) for op in state.writers)
            self._replaced(
                state,
                "overwritten" if inside else "rewritten",
                "before every step it is again bit for bit what it was before the last one",
            )
            return True
        if self._is_put_back(state):
            times, steps, _ = state.track.put_back
            what = "it was drawn anew" if state.track.drawn_anew else "its old value came back"
            self._replaced(state, "put_back", f"{what} {times} times, {_after(steps)}")
            return True
        if judged and all(fact.written_outside for fact in judged):
            independent = [op for op in self.writers(state.track) if self.is_independent(op, state.track)]
            boundaries = [self.record.events[fact.event].time for fact in state.facts]
            if any(op.is_masked for op in independent):  # the forward behind the last step tells, too
                boundaries += [event.time for event in self.graph.backwards if event.time > boundaries[-1]][:1]
            gaps = list(itertools.pairwise(boundaries))
            if gaps and all(any(start <= op.index <= end for op in independent) for start, end in gaps):
                state.writers = tuple(independent)
                if self._may_leave_some(state, len(gaps)):
                    return True
                inside = any(self._in_forward(op) for op in independent)
                self._replaced(
                    state,
                    "overwritten" if inside else "rewritten",
                    "before every step it is overwritten with a value that does not depend on it",
                )
                return True
        return False

    def _is_lost_behind_masks(self, state: ParameterState, facts: list[StepFact]) -> bool:
        """Whether most steps are lost bit for bit, and after each of the others, too, a copy from before the first step
        was written in its place, under a mask that had become another one."""
        others = [fact for fact in facts if not fact.lost]
        if not others or len(others) * NEW_MASKS > len(facts):
            return False
        first = self.record.events[state.facts[0].event].time
        times = [self.record.events[fact.event].time for fact in state.facts]
        for fact in others:
            start = self.record.events[fact.event].time
            end = next((time for time in times if time > start), len(self.record.ops))
            writes = [op for op in self.writers(state.track) if start <= op.index < end]
            if not writes or not all(self._is_old_under_a_mask(op, state, first) for op in writes):
                return False
        return True

    def _is_old_under_a_mask(self, write: Op, state: ParameterState, before: int) -> bool:
        """Whether what is written is a copy of the tensor's own value from before that moment, or that times a mask."""
        if not operations.of(write.name).replaces_all:
            return False
        if self._keeps_from(write, state, before):
            return True
        made = self.record.maker(write.inputs[-1])
        if made is None or operations.of(made.name).name != "mul" or len(made.inputs) != 2:
            return False
        kept = [vid for vid in made.inputs if self._is_kept([vid], state, before)]
        return len(kept) == 1 and all(self._is_a_mask(vid) for vid in made.inputs if vid not in kept)

    def _is_a_mask(self, vid: int) -> bool:
        """Whether the value is the outcome of a comparison, but for its type, or ones that stand for one."""
        op = self.record.maker(vid)
        while op is not None and operations.of(op.name).copies and op.inputs:
            op = self.record.maker(op.inputs[0])
        return op is not None and (operations.of(op.name).compares or op.name in ("ones", "ones_like"))

    def _is_put_back(self, state: ParameterState) -> bool:
        """Whether old values came back every few steps, and were not computed anew, as a pruned model's are."""
        times, _, is_first = state.track.put_back
        if not times:
            return False
        written = self.writers(state.track)
        whole = [op for op in written if operations.of(op.name).replaces_all]
        state.writers = tuple(whole or written)
        made = (self.record.maker(vid) for op in whole[-1:] for vid in op.inputs[1:])
        makers = [operations.of(op.name) for op in made if op is not None]
        is_kept = not any(maker.factors or maker.sums or maker.scaled for maker in makers)
        # A mean of old and new values in which the new ones have no share is no new value either.
        is_kept = (
            is_kept
            or state.track.drawn_anew
            or (is_first and not any(self.is_independent(op, state.track) for op in whole))
        )
        if not is_kept or not (is_first or written):
            return False
        stacks = self.record.stacks
        frames = stacks.chain(state.writers[-1].stack) if state.writers else ()
        places = [(stacks.file(frame), stacks.line(frame)) for frame in frames if not is_library(stacks.file(frame))]
        return not begins_a_trial(places)

    def _undone_by(self, state: ParameterState, moved: list[StepFact]) -> list[Op]:
        """The first writes after each step, if each puts a copy from before it back."""
        times = [self.record.events[fact.event].time for fact in moved]
        found: list[Op] = []
        for start, end in itertools.pairwise([*times, len(self.record.ops)]):
            writes = [op for op in self.writers(state.track) if start <= op.index < end]
            if not writes and start == times[-1]:
                continue  # the recording ends with the step
            if not writes or not operations.of(writes[0].name).replaces_all:
                return []
            if not self._keeps_from(writes[0], state, start):
                return []
            found.append(writes[0])
        return found if len(found) > 1 else []

    def _is_perturbed(self, state: ParameterState, undone: list[Op]) -> bool:
        """Whether something else was written into it before the step: then only the order of the two is wrong."""
        before = [op for op in self.writers(state.track) if op.index < undone[-1].index]
        return not operations.of(before[-1].name).replaces_all

    def _keeps_from(self, write: Op, state: ParameterState, before: int) -> bool:
        """Whether what is written is a copy of the tensor's own value from before that moment."""
        own = set(state.track.values)
        return self._is_kept([vid for vid in write.inputs[1:] if vid not in own], state, before)

    def _is_kept(self, queue: list[int], state: ParameterState, before: int) -> bool:
        """Whether the values, to which those are added that they are copies of, are such a copy."""
        own, values = set(state.track.values), self.record.values
        for vid in queue:
            made = values[vid].op
            op = self.record.ops[made] if 0 <= made < before else None
            operation = operations.of(op.name) if op is not None else None
            if op is None or operation is None or not (operation.copies or operation.detaches or operation.view):
                return False
            if own & set(op.inputs):
                return True
            queue += op.inputs[:1]
        return False

    def _overwritten_each_round(self, state: ParameterState) -> bool:
        """Whether in each of two or more rounds forward wrote a value that has nothing of the tensor's own in it.

        That is a fact of forward alone, whatever gradient and step do. A single write, at the first call, is
        data-dependent initialisation.
        """
        times = [event.time for event in self.graph.backwards]
        if len(times) < 2:
            return False
        written = [
            op for op in self.writers(state.track) if self._in_forward(op) and self.is_independent(op, state.track)
        ]
        rounds = itertools.pairwise([0, *times])
        if not all(any(start <= op.index < end for op in written) for start, end in rounds):
            return False
        state.writers = tuple(written)
        if self._may_leave_some(state, len(times)):
            return True
        self._replaced(
            state, "overwritten", "forward overwrites it in every round with a value that does not depend on it"
        )
        return True

    def _may_leave_some(self, state: ParameterState, rounds: int) -> bool:
        """Whether it was overwritten through masks that were true everywhere, in too few rounds to call them so."""
        if rounds >= MASKED_ROUNDS or not all(op.is_masked for op in state.writers):
            return False
        state.verdict = "unknown"
        state.reason = (
            f"in all of {rounds} rounds a mask that is true everywhere overwrites it, and may leave some later"
        )
        return True

    def writers(self, track: Track) -> list[Op]:
        """The operations outside optimizers that wrote the tensor, or storage it shares, in place."""
        started = min((event.time for event in self.graph.backwards), default=len(self.record.ops))
        found = {op.index: op for vid in track.values for op in self._writes.get(vid, ())}
        return [op for _, op in sorted(found.items()) if op.index >= started or self._in_forward(op)]

    @functools.cached_property
    def _writes(self) -> dict[int, list[Op]]:
        """Value → the operations outside optimizers that wrote it in place."""
        found: dict[int, list[Op]] = {}
        for op in self.record.ops:
            if op.phase != "optimizer":
                for vid in op.mutates:
                    found.setdefault(vid, []).append(op)
        return found

    def _in_forward(self, op: Op) -> bool:
        return op.module >= 0

    def is_independent(self, op: Op, track: Track) -> bool:
        """Whether what `op` writes has nothing of the tensor's own value in it, and takes the place of all of it."""
        operation = operations.of(op.name)
        if op.inputs[:1] and op.inputs[0] in op.mutates and self.record.values[op.inputs[0]].numel < track.numel:
            return False  # a view of a part
        if operation.fills or op.whole == ():
            return True
        if op.whole is not None:
            return self._carrying(track.index).isdisjoint(op.whole)
        if not operation.replaces_all or operation.name == "swap_tensors":
            return False
        # `copy_` reads the tensor it writes, too, as its first input; `.data = …` reads only what is assigned.
        sources = op.inputs if op.name == "data.__set__" else op.inputs[1:]
        depends = self._depending(track.index)
        return not any(vid in depends for vid in sources)

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - a judge lives for one audit
    def _depending(self, track: int) -> frozenset[int]:
        return frozenset(self.graph.downstream(self.record.tracks[track].values))

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - a judge lives for one audit
    def _carrying(self, track: int) -> frozenset[int]:
        """The values that something of the tensor's numbers went into, but for an index, a mask or a shape."""
        found = set(self.record.tracks[track].values)
        for op in self.record.ops:
            operation = operations.of(op.name)
            if operation.takes == "shape" or operation.dtype in WHOLE:
                continue
            if not found.isdisjoint(op.inputs):
                found.update(op.outputs)
        return frozenset(found)

    def _destroying(self, state: ParameterState) -> StepFact | None:
        """The step that made its value NaN or infinite after gradients that were finite; what only follows from another
        parameter, whose gradients never were, is told with that one."""
        began = self._begins_well and any(fact.gradient == "finite" for fact in state.facts)
        return state.spoiling if began else None

    @functools.cached_property
    def _begins_well(self) -> bool:
        """Whether no parameter got gradients that were never finite."""
        facts = (track.facts for track in self.record.tracks if track.facts)
        return not any(all(fact.gradient == "nonfinite" for fact in own) for own in facts)

    def _counts(self, fact: StepFact) -> bool:
        return fact.changed and fact.gradient == "finite" and fact.lost is not True

    def is_trained(self, state: ParameterState) -> bool:
        """Whether a step was seen to change it because of a gradient, and the change stayed."""
        if any(self._counts(fact) for fact in state.facts):
            return True
        return bool(state.track.hand_updates) and state.arrived == "finite" and not state.facts

    def _is_reached(self, state: ParameterState) -> bool:
        if state.arrived == "zero" and self._asked_in_vain(state):
            return self.graph.carries_to_loss(state.index) and self._was_answered(state) is not False
        if state.arrived != "none":
            return True
        unrestricted = [e for e in self.graph.backwards if not e.restricted and not e.error]
        if state.reached_in:
            # The walk says reached, yet nothing ever came: a custom function returned None for it.
            return not unrestricted or not any(state.track.index in e.reached for e in unrestricted)
        if self.graph.backwards:
            return False
        answered = self._was_answered(state)
        return self.graph.carries_to_loss(state.track.index) if answered is None else answered

    def _was_answered(self, state: ParameterState) -> bool | None:
        """Whether `autograd.grad`, asked for its gradient at a loss, ever had one; None where it was not asked.

        It has none where a custom function returned None, and one where the way there was not seen, as through `vmap`.
        """
        answers = [asked[state.index] for asked in self._asked_at_losses if state.index in asked]
        return any(answers) if answers else None

    @functools.cached_property
    def _asked_at_losses(self) -> list[dict[int, bool]]:
        """What each call of `autograd.grad` at a loss was asked for, and whether it had it."""
        calls = (event for event in self.record.events if isinstance(event, BackwardEvent) and event.asked)
        return [event.asked for event in calls if not set(self.graph.losses).isdisjoint(event.roots)]

    def _asked_in_vain(self, state: ParameterState) -> bool:
        """Whether the program asked `autograd.grad` for its gradient and wrote one itself: zeros, where it got None."""
        return (
            state.track.hand_gradient
            and not state.reached_in
            and any(
                op.name == "autograd.grad" for vid in state.track.values for op in self.graph.consumers.get(vid, ())
            )
        )

    def _unheld(self, state: ParameterState) -> None:
        others = [] if self.looped else self.recording.others_holding(state.index)
        if self.optimizers_known and others:
            state.verdict = "unknown"
            state.reason = f"another `{others[0].type}` holds it, which the audit was not given"
        elif self.optimizers_known:
            state.verdict, state.reason = "excluded", "gradient arrives, but no optimizer holds it"
        elif state.arrived == "zero":
            state.verdict = "unknown"
            state.reason = (
                "its gradient is exactly zero at this step, and without an optimizer nothing can be rehearsed"
            )
        elif state.arrived == "nonfinite":
            state.verdict, state.reason = "unknown", "its gradient is not finite at this step"
        else:
            state.verdict, state.reason = "trained", "gradient arrives; it trains if an optimizer holds it"

    def _held(self, state: ParameterState) -> None:
        facts = state.facts
        if state.track.is_elsewhere:
            state.verdict = "unknown"
            state.reason = "it is sharded over several processes, and this one holds no element of it"
            return
        rates = [lr for info, group in self.recording.holders(state.index) for lr in [info.groups[group][0]]]
        if not facts and not self.looped:
            if state.arrived == "finite" and self.is_warming(state):
                state.verdict = "unknown"
                state.reason = "its learning rate is 0 now, and the scheduler raises it later"
            elif rates and all(lr == 0 for lr in rates):
                state.verdict, state.reason = "blocked", "its learning rate is 0"
            elif state.arrived == "finite":
                state.verdict, state.reason = "trained", "gradient arrives and an optimizer holds it"
            elif state.arrived == "zero":
                state.verdict, state.reason = "unknown", "its gradient is exactly zero at this step"
            elif state.arrived == "nonfinite":
                state.verdict, state.reason = "blocked", "its gradient is not finite"
            else:
                state.verdict, state.reason = "blocked", "gradient could arrive, but does not"
            return
        if not self.looped and state.arrived == "zero" and self._is_unfed(state):
            state.verdict, state.is_starved = "unknown", True
            state.reason = "nothing of this batch is selected for it; give it another batch"
            return
        if not self.looped and state.arrived == "zero" and self._is_at_rest(state):
            state.verdict = "unknown"
            state.reason = "the loss is exactly zero on this batch, and every gradient with it; give it another batch"
            return
        if state.arrived == "finite" and any(fact.lr for fact in state.facts) and self._is_noise(state):
            state.verdict = "unknown"
            state.reason = "its gradient is rounding noise: mathematically it is zero, and nothing depends on the value"
            return
        state.verdict = "blocked"
        state.reason = self._why_blocked(state)
        if state.reason == UNMOVED and self.is_rising(state):
            state.verdict = "unknown"
            state.reason = f"its learning rate was still rising at the last recorded step ({state.facts[-1].lr:g})"
        elif state.reason == UNMOVED and (kind := self._slow_starter(state)):
            state.verdict = "unknown"
            state.reason = (
                f"`{kind}`, which comes from an installed package, did not change it in {len(state.facts)} steps; "
                "it may look for its step size first"
            )

    def is_rising(self, state: ParameterState) -> bool:
        """Whether its learning rate only rose over the recorded steps, as in a warm-up that is not over."""
        rates = [fact.lr for fact in state.facts if fact.lr is not None]
        rises = len(rates) > 1 and rates == sorted(rates) and rates[-1] > rates[0]
        return rises and not self._is_noise(state)

    def _slow_starter(self, state: ParameterState) -> str:
        """The class of an optimizer that computes its steps by rules of its own, if such a one alone steps it."""
        infos = [self.recording.optimizers[fact.optimizer] for fact in state.facts]
        own = all(info.is_library for info in infos) and not any(fact.lost for fact in state.facts)
        return infos[-1].type if own else ""

    def _is_noise(self, state: ParameterState) -> bool:
        """Whether all its gradients are what rounding leaves of zero."""
        return state.track.is_rounding_noise and bool(state.facts)

    def is_warming(self, state: ParameterState) -> bool:
        """Whether every rate it is held with waits at 0 for a scheduler that raises it."""
        holders = [info.index for info, _ in self.recording.holders(state.index)]
        return bool(holders) and all(index in self.recording.warming for index in holders)

    @functools.cached_property
    def batch(self) -> Batch:
        """What the one batch decides that was seen."""
        return Batch(self.recording)

    @functools.cached_property
    def origins(self) -> Origins:
        """Where zero gradients come from."""
        return Origins(self.recording)

    def _is_unfed(self, state: ParameterState) -> bool:
        """Whether its gradient is zero because the given batch selects nothing, by what came from outside or was drawn
        at random.

        A batch that starves all that the loss reaches is none that anybody would choose: there the program is asked.
        """
        if not any(kind != "zero" for event in self.graph.backwards for kind, _ in event.arrived.values()):
            return False
        found = self.origins.of(state.track)
        return found is not None and self.batch.starves(found)

    def _is_at_rest(self, state: ParameterState) -> bool:
        """Whether the loss function itself is at rest on the given batch: a hinge that is satisfied, an impossible
        CTC target.

        Only an audit of one batch has to ask; a loop shows other batches.
        """
        losses = [vid for event in self.graph.backwards for vid in event.roots]
        if not losses or any(self.record.values[vid].zero is False for vid in losses):
            return False
        op = self.origins.derivative(state.track)
        return op is not None and operations.of(op.name).rests

    def _why_blocked(self, state: ParameterState) -> str:
        if not self.graph.backwards and not any(f.gradient != "none" for f in state.facts):
            return "`backward` is never called"
        if not state.facts:
            return "`step` is never called on the optimizer that holds it"
        gradients = {fact.gradient for fact in state.facts}
        if gradients == {"none"}:
            return "it has no gradient whenever the optimizer steps"
        if all(fact.lr == 0 for fact in state.facts):
            return "its learning rate is 0 at every step"
        if gradients <= {"zero", "none"}:
            return "its gradient is exactly zero at every step"
        if "finite" not in gradients:
            return "its gradient is not finite at any step"
        return UNMOVED


def _hands_on(op: Op) -> bool:
    """Whether it hands on a value under another identity."""
    operation = operations.of(op.name)
    return operation.copies or (operation.detaches and not operation.in_place)


def _after(steps: int) -> str:
    return "after one step" if steps == 1 else f"after {steps} steps"
