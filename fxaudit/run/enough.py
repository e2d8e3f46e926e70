"""When enough was seen: every held parameter is trained, or explained by a cut that no branch or draw could lift."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fxaudit.capture.events import BackwardEvent, ClearEvent, FlagEvent, GroupEvent, ScalerStepEvent, StepEvent
from fxaudit.capture.recording import Record, StepFact
from fxaudit.capture.session import Session
from fxaudit.capture.values import is_elsewhere
from fxaudit.judge.graph import StepGraph
from fxaudit.judge.questions.other_ways import calls_not_taken
from fxaudit.judge.trail import calls_not_run, project_files, project_stack, share_a_loop
from fxaudit.program.fits import may_fit_again
from fxaudit.program.grad_switches import may_open, switched_off_for_good
from fxaudit.program.groups import late_thaws, thaws_through
from fxaudit.program.late_models import models_given_later
from fxaudit.program.put_backs import CALLERS, is_repeated, may_be_put_back
from fxaudit.program.ran import Ran
from fxaudit.program.source import is_library, qualified_name
from fxaudit.run.put_backs import PutBacks

__all__ = ["Settling"]

MAX_STEPS = 50
MIN_STEPS = 3
ENCORE = 6
"""Steps that are recorded after something began that the first steps had not shown."""
MAX_BACKWARDS_WITHOUT_STEP = 200
THAWING = ("requires_grad_", "add_param_group", "unfreeze")
MAX_ACCUMULATION = 1000
"""Backwards that add up without ever being cleared: that is how gradients are accumulated over many small batches."""
MAX_FITS = 5
"""Of a program that trains again and again (folds, a grid of settings) so many fits are looked at."""
LOST_AGAIN = 3
"""Steps of which all but the first are undone."""
CHECKPOINTS = (3, 6, 12, 25)
"""Steps after which the graph is asked whether what remains is explained by a cut."""


def thaws_not_run(record: Record, files: Iterable[str] = ()) -> bool:
    """Whether the program, or one of these `files` beside it, has a statement, not seen running, that lets something
    train."""
    ran = record.ran()
    own = project_files(record)
    assigned = any(line not in ran.of(file) for file, line in late_thaws(own))
    assigned = assigned or any(call.lineno not in ran.of(tree.file) for tree, call in thaws_through(own))
    return assigned or bool(calls_not_run(record, THAWING, files))


def _begins_to_lose(facts: Sequence[StepFact]) -> bool:
    """Whether the last step that is known of was undone, and the first was not: the next ones tell whether something
    else is put in the place of what was trained each time."""
    lost = [fact.lost for fact in facts if fact.lost is not None and fact.changed]
    return len(lost) < LOST_AGAIN and lost[-1:] == [True] and not all(lost)


class Settling:
    """Looks after every step and backward whether more has to be seen, and switches probing on where zeros appear."""

    def __init__(self, session: Session, steps: int | None = None) -> None:
        self.session = session
        self.wanted = steps
        self.done = False
        self.waiting: list[int] = []
        """What has not trained in the recorded steps, though the loop may yet let it: worth waiting for."""
        self.expecting = False
        """All is settled, and the program says that it will train something else: worth waiting for, too."""
        self.put_backs: PutBacks | None = None
        """What notices that old values come back every few steps, if anything looks."""
        self.suspecting = False
        """All is settled, and the program may yet put old values back: worth waiting for, too."""
        self.fearing = False
        """All is settled, and the program may yet end all training: switch gradients off for good, and die of it, or
        go on with another model than the one that is stepped."""
        self.fits = 1
        """How often something began to train."""
        self.hears_of_parameters = True
        """Whether it is news, while another fit is waited for, that a parameter is made."""
        self._woken_with = -1
        """How many optimizers there were when a new parameter ended the waiting; -1 where something else did."""
        self._limit = MAX_STEPS
        self._was_suspected = False
        """Old values came back, and the next time was waited for."""
        self._was_feared = False
        """The end of all training was waited for, and it came."""
        self._until = 0
        """Up to so many steps more are recorded than what trains would need."""
        self._counted = self._steps = self._backwards = 0
        """How many events were looked at, and how many steps and backwards were among them."""
        self._cleared = False
        self._thaws: bool | None = None

    @property
    def sought(self) -> str:
        """How many steps are to be recorded, in words."""
        return str(self.wanted) if self.wanted is not None else f"at most {self._limit}"

    def look(self) -> None:
        """Called after every step and backward."""
        if self.done:
            return
        self._count()
        steps, backwards = self._steps, self._backwards
        self._probe_if_needed()
        if self.wanted is not None:
            self.done = max(steps, 0) >= self.wanted or (steps == 0 and backwards >= self.wanted + 1)
            return
        rounds = self._rounds(steps)
        patience = MAX_BACKWARDS_WITHOUT_STEP if self._cleared else MAX_ACCUMULATION
        if steps == 0 and (backwards >= patience or self._is_updated_by_hand()):
            self.done = True
        elif rounds >= self._limit:
            self.waiting = self._worth_waiting_for()
            self.fearing = not self.waiting and (self._may_switch_off() or self._may_take_another_model())
            self.done = not (self.waiting or self.fearing)
        elif rounds >= max(MIN_STEPS, self._until) and self._all_settled(rounds):
            self._look_back()
            self.expecting = self._may_fit_again()
            self.suspecting = self._may_be_put_back()
            self.fearing = not self._was_feared and self._may_take_another_model()
            self.done = not (self.expecting or self.suspecting or self.fearing)

    def _count(self) -> None:
        """Look at the events that are new."""
        events = self.session.record.events
        for event in events[self._counted :]:
            self._steps += isinstance(event, StepEvent) or (isinstance(event, ScalerStepEvent) and event.skipped)
            self._backwards += isinstance(event, BackwardEvent) and event.accumulates
            self._cleared = self._cleared or (isinstance(event, ClearEvent) and bool(event.tracks))
        self._counted = len(events)

    def _is_updated_by_hand(self) -> bool:
        """Whether the program itself has added gradients to its parameters, without any optimizer, often enough: all
        of them, or as many times as optimizers' steps are recorded."""
        record = self.session.record
        counts = [track.hand_updates for track in record.tracks]
        if self._held() or max(counts, default=0) < MIN_STEPS:
            return False
        if max(counts) >= MAX_STEPS:
            return True
        reached = {track for event in record.backwards() for track in event.reached}
        return all(counts[index] >= MIN_STEPS for index in reached | set(self._trainable())) and not self._may_thaw()

    def _trainable(self) -> list[int]:
        """The named parameters that require grad."""
        tracks = self.session.record.tracks
        return [i for i in self.session.names if (tensor := tracks[i].ref()) is not None and tensor.requires_grad]

    @property
    def waits(self) -> bool:
        """Whether something is worth waiting for with the recording at rest."""
        return bool(self.waiting) or self.expecting or self.suspecting or self.fearing

    def _wait_no_more(self) -> None:
        self.waiting, self.expecting, self.suspecting, self.fearing = [], False, False, False

    def _look_back(self) -> None:
        """Where a new parameter had ended the waiting, and no optimizer was built after it, that was no fit, and such
        news is not heard any more: the loop itself makes parameters."""
        if self._woken_with == len(self.session.optimizers):
            self.fits -= 1
            self.hears_of_parameters = False
        self._woken_with = -1

    def resume(self, *, by_a_parameter: bool = False) -> None:
        """What was waited for has begun: see some steps of it."""
        self._woken_with = len(self.session.optimizers) if by_a_parameter else -1
        steps = sum(info.steps for info in self.session.optimizers)
        period = self.put_backs.period if self.put_backs is not None else 0
        self._was_suspected = self._was_suspected or bool(period)
        self._was_feared = self._was_feared or self.fearing
        self.fits += self.expecting and not period
        self._wait_no_more()
        more = min(period + MIN_STEPS, MAX_STEPS) if period else ENCORE
        self._limit = max(self._limit, self._rounds(steps) + more)
        self._until = self._rounds(steps) + more if period else 0  # the next time is to be recorded

    def postpone(self) -> None:
        """Waiting cannot begin here: record a little more, but not for ever."""
        self._wait_no_more()
        if self._limit >= 2 * MAX_STEPS:
            self.done = True
        self._limit += ENCORE

    def give_up(self) -> None:
        """What was waited for does not come."""
        self._wait_no_more()
        self.done = True

    def _may_be_put_back(self) -> bool:
        """Whether a statement that has not run yet may undo every few steps what these do."""
        record, put_backs = self.session.record, self.put_backs
        if put_backs is None or not put_backs.is_open or self._was_suspected:
            return False
        since = min((event.time for event in record.steps()), default=0)
        places = {
            place for op in record.ops if op.index >= since and op.mutates for place in record.stacks.places(op.stack)
        }
        ran: dict[str, set[int]] = {}
        for file, line in places:
            ran.setdefault(file, set()).add(line)
        is_suspect = put_backs.has_begun or put_backs.comes_again
        return is_suspect or may_be_put_back(project_files(record), Ran(ran))

    def _may_fit_again(self) -> bool:
        """Whether an optimizer that has stepped was built where the program will build another."""
        if self.fits >= MAX_FITS:
            return False
        record = self.session.record
        stacks, files = record.stacks, project_files(record)
        for info in self.session.optimizers:
            if not info.steps or info.created < 0 or self._was_built_often(info.created):
                continue
            frames = [frame for frame in stacks.chain(info.created) if not is_library(stacks.file(frame))]
            codes = [(frame, stacks.codes[frame]) for frame in frames]
            built = [
                (
                    stacks.file(frame),
                    stacks.line(frame),
                    qualified_name(code),
                    stacks.column(frame),
                )
                for frame, code in codes
            ]
            if may_fit_again(files, built, record.ran(), info.type):
                return True
        return False

    def _was_built_often(self, place: int) -> bool:
        """Whether so many optimizers that stepped were built there that no more fits would be looked at, or it is no
        fit at all: an inner loop builds one for every task."""
        return sum(info.created == place and info.steps > 0 for info in self.session.optimizers) >= MAX_FITS

    def _rounds(self, steps: int) -> int:
        """Steps of the optimizer that stepped least, among those that step at all.

        Between one that is gone and the next (an inner loop builds its own for every task) the last one counts.
        """
        stepped = [info for info in self.session.optimizers if info.steps]
        counts = [info.steps for info in stepped if info.died < 0] or [info.steps for info in stepped[-1:]]
        return min(counts, default=steps)

    def _held(self) -> list[int]:
        return sorted({t for info in self.session.optimizers for _, members in info.groups for t in members})

    def _probe_if_needed(self) -> None:
        """Watch the numbers in the next round if some gradient that arrived was zero or not finite."""
        recorder = self.session.recorder
        if recorder.probing:
            return
        for event in reversed(self.session.record.events):
            if isinstance(event, BackwardEvent) and event.accumulates:
                recorder.probing = any(state != "finite" for state, _ in event.arrived.values())
                return

    def _all_settled(self, rounds: int) -> bool:
        if self._is_overwritten_by_mask():
            return False
        open_ones = self._open()
        if not open_ones:
            return not self._may_thaw() and not self._may_switch_off()
        if rounds not in CHECKPOINTS or any(self._steps_of(index) < MIN_STEPS for index in open_ones):
            return False
        graph = StepGraph(self.session.record)
        return all(self._is_cut_for_good(graph, index) for index in open_ones)

    def _is_overwritten_by_mask(self) -> bool:
        """Whether a mask that was true everywhere put something in the place of a parameter in the last round: the next
        may leave some of it, as where codes that nobody uses begin anew."""
        record = self.session.record
        since = next((event.time for event in reversed(record.backwards()[:-1])), 0)
        written = {vid for op in record.ops[since:] if op.is_masked for vid in op.mutates}
        return bool(written) and any(not written.isdisjoint(record.tracks[index].values) for index in self._held())

    def _open(self) -> list[int]:
        """The tensors held that require grad and were not seen to train."""
        found = []
        for index in self._held():
            track = self.session.record.tracks[index]
            tensor = track.ref()
            if tensor is not None and (not tensor.requires_grad or is_elsewhere(tensor)):
                continue
            trains = any(f.changed and f.gradient == "finite" and f.lost is False for f in track.facts)
            if not trains or _begins_to_lose(track.facts):
                found.append(index)
        return found

    def _worth_waiting_for(self) -> list[int]:
        graph = StepGraph(self.session.record)
        found = [
            index
            for index in self._open()
            if self._steps_of(index) < MIN_STEPS or not self._is_cut_for_good(graph, index)
        ]
        return found or (self._idle() if self._may_thaw() else [])

    def _steps_of(self, index: int) -> int:
        return max((info.steps for info, _ in self.session.holders(index)), default=0)

    def _may_thaw(self) -> bool:
        """Whether something is frozen or left out that a line of the program, not yet run, would let train."""
        if self._thaws is None:
            idle = self._idle()
            self._thaws = bool(idle) and (
                self._has_thawed()
                or self._freezes_by_stages()
                or thaws_not_run(self.session.record, self._frozen_in(idle))
                or bool(self._dropped() & set(idle))
            )
        return self._thaws

    def _may_switch_off(self) -> bool:
        """Whether a statement that has not run yet would switch gradients off for good, in the midst of training."""
        record = self.session.record
        ran, files = record.ran(), project_files(record)
        return any(
            node.lineno not in ran.of(tree.file) and is_repeated(files, tree, node, CALLERS)
            for tree, node in switched_off_for_good(files)
        )

    def _may_take_another_model(self) -> bool:
        """Whether a statement that has not run yet gives the variable of a model another one."""
        record = self.session.record
        return next(models_given_later(project_files(record), record.ran()), None) is not None

    def _idle(self) -> list[int]:
        """The parameters that are frozen or that no optimizer holds."""
        tracks = self.session.record.tracks
        held = set(self._held())
        return [
            index
            for index in self.session.names
            if (tensor := tracks[index].ref()) is not None and (not tensor.requires_grad or index not in held)
        ]

    def _frozen_in(self, idle: list[int]) -> set[str]:
        """The files of installed libraries through which the program froze any of these: a callback may thaw them."""
        record = self.session.record
        freezes = {stack for index in idle for _, flag, stack in record.tracks[index].freezes[-1:] if not flag}
        files = {record.stacks.file(frame) for stack in freezes for frame in record.stacks.chain(stack)[:3]}
        return {file for file in files if is_library(file)}

    def _dropped(self) -> set[int]:
        """What some optimizer held once, and may hold again."""
        return {track for info in self.session.optimizers if info.died < 0 for track in info.dropped}

    def _has_thawed(self) -> bool:
        """Whether the loop has unfrozen or added something already: it may do so again."""
        events = self.session.record.events
        first = next((e.time for e in events if isinstance(e, BackwardEvent)), 0)
        return any(isinstance(e, FlagEvent | GroupEvent) and e.time > first for e in events)

    def _may_open(self, index: int) -> bool:
        """Whether the region without gradients in which the operation ran is one only for now."""
        record = self.session.record
        region = record.ops[index].region
        frame = project_stack(record.stacks, region) if region >= 0 else -1
        return frame >= 0 and may_open(record.stacks.file(frame), record.stacks.line(frame))

    def _freezes_by_stages(self) -> bool:
        """Whether something is frozen or thawed in the same loop as it is trained: the next round may thaw more."""
        record = self.session.record
        backward = next(iter(record.backwards()), None)
        if backward is None:
            return False
        flags = {stack for track in record.tracks for _, _, stack in track.freezes}
        return any(share_a_loop(record.stacks, stack, backward.stack) for stack in flags)

    def _is_cut_for_good(self, graph: StepGraph, index: int) -> bool:
        track = self.session.record.tracks[index]
        if any(fact.gradient != "none" for fact in track.facts):
            return False
        name = self.session.names.get(index)
        if name is not None and next(calls_not_taken(self.session.record, [name]), None) is not None:
            return False  # a later round may take the other way
        if any(self._may_open(cut.op) for cut in graph.cuts(index)):
            return False
        return graph.reaches_by_data(index) and bool(graph.cuts(index)) and not graph.carries_to_loss(index)
