"""Observing a loop from outside: what `run` and `watch` share."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from torch import nn

from fxaudit.answer.answer import Answer, Crash
from fxaudit.answer.folding import fold_sentence
from fxaudit.attempts import attempt
from fxaudit.capture import operations
from fxaudit.capture.frozen import Mode, Recording
from fxaudit.capture.naming import ModelName, models_seen
from fxaudit.capture.processes import digest, is_one_of_several, is_sharded, mirrors
from fxaudit.capture.recording import Op, Record
from fxaudit.capture.session import Session
from fxaudit.capture.watch.autograd import note_hand_updates
from fxaudit.judge.rule import Rule
from fxaudit.judge.rules import RULES
from fxaudit.judge.rules.loop.stops_later import StopsLater
from fxaudit.judge.trail import project_files
from fxaudit.judge.write_up import Options, with_later_findings
from fxaudit.program.put_backs import comes_now_and_then, is_drawn_each_time, loads_a_file, loops_at, may_be_put_back
from fxaudit.renderers import write_whole
from fxaudit.run.consulted import with_structure
from fxaudit.run.enough import MAX_FITS, Settling
from fxaudit.run.examination import examine
from fxaudit.run.lookout import Lookout, Vigil
from fxaudit.run.put_backs import PutBacks
from fxaudit.run.ranks.merge import Ending, RankReport

__all__ = ["Observation"]

PROGRESS_SECONDS = 2.0
"""How long nothing is said of the progress, at first and between two lines."""


class Observation:
    """A session together with the decision when enough was seen."""

    def __init__(
        self,
        *,
        title: str = "",
        steps: int | None = None,
        expect: Mapping[str, str] | None = None,
        rules: Sequence[type[Rule]] = RULES,
        progress: Callable[[str], None] | None = None,
        models: Sequence[tuple[str, nn.Module]] = (),
        record: Path | None = None,
    ) -> None:
        self.session = Session()
        self.settling = Settling(self.session, steps)
        session, seen = self.session, self.session.record
        self._put_backs = self.settling.put_backs = PutBacks(
            self.session, lambda: may_be_put_back(project_files(seen), seen.ran()), lambda: _comes_again(session)
        )
        self.title = title
        self.expect = dict(expect or {})
        self.rules = rules
        self.record = record
        """The file to which the recording is written, if it is."""
        self.on_enough: Callable[[], None] | None = None
        self.on_refusal: Callable[[str], None] | None = None
        self.may_end: Callable[[bool], bool] = lambda done: done
        """Whether to end now, given whether enough was seen; several processes have to agree on it."""
        self.compares = False
        """Whether what was seen here will be compared with what other processes saw."""
        self.crash: Crash | None = None
        """Where an exception ended the program."""
        self._compared = RankReport(0, Answer())
        self._first_values: dict[str, str] = {}
        self._progress = progress
        self._told_at = 0.0
        self._told = ""
        self._given = list(models)
        self._made: Answer | None = None
        self._vigil: Vigil | None = None
        self._lookout: Lookout | None = None
        self._unrecorded = 0

    @contextlib.contextmanager
    def watching(self) -> Iterator[Session]:
        """Record what runs inside."""
        self.session.on_progress = self._look
        self._told_at = time.monotonic()
        self.session.on_refusal = self._refused
        raise_stack_limit()
        with self.session.recording():
            for name, model in self._given:
                self.session.module_info(model)
                if name:
                    self.session.variables[id(model)] = name
            try:
                yield self.session
            finally:
                self._end_vigil()

    def _refused(self, kind: str) -> None:
        if self.on_refusal is not None:
            self.on_refusal(kind)

    def go_on_leniently(self) -> None:
        """This process is a forked copy now: it goes on where PyTorch would refuse."""
        self.session.lenient = True
        self.session.recorder.process = os.getpid()
        self.on_refusal = None

    def _look(self) -> None:
        self._tell()
        self.settling.look()
        if self.settling.waits and self._vigil is None and self.on_enough is not None:
            self._keep_vigil()
        if not self._first_values and (self.compares or is_one_of_several()) and _steps(self.session) == 1:
            self._first_values = values_of(self.session, self._models())
        if self.settling.done and self.settling.wanted is not None:
            self._made = self._made or self._examine()
        if self.on_enough is not None and self.may_end(self.settling.done):
            self._conclude()

    def _tell(self) -> None:
        """Say how far it is, seldom; nothing at all of a short run."""
        if self._progress is None or time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        steps = _steps(self.session)
        if not steps and self.rounds < 2:
            return  # its step is about to come
        text = f"step {steps} of {self.settling.sought} recorded" if steps else f"backward {self.rounds} recorded"
        if text != self._told:
            self._progress(text)
            self._told, self._told_at = text, time.monotonic()

    def _tell_of_waiting(self) -> None:
        """Say what is waited for, if anything was said before or a while has passed."""
        if self._progress is None or not (self._told or time.monotonic() - self._told_at >= PROGRESS_SECONDS):
            return
        names = self.session.names
        waiting = [names[index] for index in self.settling.waiting if index in names]
        other = "the next fit" if self.settling.expecting else "values that may be put back"
        other = "what may end all training" if self.settling.fearing else other
        what = f"{fold_sentence(waiting, names.values(), limit=2)} to train" if waiting else other
        self._progress(f"enough was recorded of the rest; waiting for {what}")
        self._told, self._told_at = what, time.monotonic()

    def _conclude(self) -> None:
        """Make the report, and let it end."""
        if self._progress is not None and self._told:
            self._progress("enough was recorded")
            self._told = ""
        self._made = self._made or self._examine()
        if self.on_enough is not None:
            self.on_enough()

    def _keep_vigil(self) -> None:
        """The recorded steps leave something open that the loop may yet do: wait for it with the recording at rest."""
        if is_one_of_several():
            self.settling.give_up()  # ranks that rest by themselves would end at different steps
        elif self.session.rest():
            self._tell_of_waiting()
            is_all = not (self.settling.waiting or self.settling.expecting or self.settling.fearing)
            waiting, put_backs, expects = self.settling.waiting, self.settling.put_backs, self.settling.expecting
            self._vigil = Vigil(
                self.session,
                waiting,
                self._wake,
                self._give_up,
                put_backs,
                is_all=is_all,
                is_for_silence=self.settling.fearing,
                is_for_another=expects,
                on_parameter=self._wake_early if expects and self.settling.hears_of_parameters else None,
            )
        else:
            self.settling.postpone()

    def _wake_early(self) -> None:
        self._wake(by_a_parameter=True)

    def _wake(self, *, by_a_parameter: bool = False) -> None:
        self._end_vigil()
        if self.session.wake():
            self.settling.resume(by_a_parameter=by_a_parameter)
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._end_vigil()
        self.settling.give_up()
        if self.on_enough is not None:
            self._conclude()

    def _end_vigil(self) -> None:
        if self._vigil is not None:
            self._vigil.end()
            self._unrecorded += self._vigil.steps
            self._vigil = None

    def stop_recording(self) -> None:
        """Take the wrappers off and keep nothing; the report made so far stands, and what stops later is noticed."""
        self.on_enough = None
        self._put_backs.end()
        self.session.detach()
        self._lookout = Lookout(self.session)
        self.session.release()

    @property
    def has_ended(self) -> bool:
        """Whether the recording ended while the program went on."""
        return self._lookout is not None

    def release(self) -> None:
        """Let go of everything of the user's, and of what leads back here; the report made so far stands."""
        self.session.release()
        self.session.tell_nobody()
        self.on_enough = self.on_refusal = None
        self._given.clear()

    def report(self) -> Answer:
        """The report on what was seen so far, or when it was enough."""
        if self._made is None:
            return self._examine()
        if self._lookout is None:
            return self._made
        stopped = self._lookout.stops() if StopsLater in self.rules else []
        return with_later_findings(
            replace(self._made, notes=(*self._made.notes, *self._lookout.notes())),
            [StopsLater().told(stop, list(self._made.parameters)) for stop in stopped],
        )

    def _examine(self) -> Answer:
        notes = self.session.notes
        attempt("values that are put back", self._note_put_backs, None, notes)
        attempt("updates made by hand", lambda: note_hand_updates(self.session), None, notes)
        attempt("the names of the parameters", self.session.look_at_names, None, notes)
        models: list[ModelName] = attempt("the models' names", self._models, [], notes) or attempt(
            "the models", lambda: [ModelName(info, module, "") for info, module in self.session.roots()], [], notes
        )
        options = Options(
            expect=self.expect,
            rules=self.rules,
        )
        mode = Mode("part of a loop" if self.session.is_part else "loop")
        report = examine(self.session, models, mode, options, self.title, self._notes(), self._keep)
        named = [(model.prefix, model.module) for model in models]
        report = attempt("the symbolic trace", lambda: with_structure(report, named), report, notes)
        if self.compares or is_one_of_several():
            self._compared = replace(comparable(self.session, models), first_values=self._first_values)
        return report

    def _note_put_backs(self) -> None:
        for track, seen in self._put_backs.found.items():
            self.session.record.tracks[track].put_back = seen
            self.session.record.tracks[track].drawn_anew = track in self._put_backs.drawn

    def _keep(self, recording: Recording) -> None:
        if self.record is not None:
            from fxaudit.capture.recording_file import to_bytes

            write_whole(self.record, to_bytes(recording))

    def rank_report(self, report: Answer, ending: Ending, *, where: str = "", deaths_before: int = 0) -> RankReport:
        """`report`, which this made, as one of several ranks hands it in."""
        return replace(self._compared, report=report, ending=ending, where=where, deaths_before=deaths_before)

    @property
    def rounds(self) -> int:
        """How often the optimizer that stepped most has stepped; without any step, how many backwards there were."""
        return _steps(self.session) or len(self.session.record.backwards())

    @property
    def steps(self) -> int:
        """How many training steps are over: steps of an optimizer, or updates by hand, each after its backward."""
        by_hand = max([track.hand_updates for track in self.session.record.tracks], default=0)
        return max(_steps(self.session), by_hand)

    @property
    def all_steps(self) -> int:
        """The same, with those that were watched without recording."""
        return self.steps + self._watched

    @property
    def _watched(self) -> int:
        return self._unrecorded + (self._vigil.steps if self._vigil is not None else 0)

    def _notes(self) -> tuple[str, ...]:
        steps, notes = self._watched, []
        if steps:
            notes.append(
                f"After the recorded steps {steps} more were watched without recording, for what had not happened yet."
            )
        if self.settling.fits >= MAX_FITS:
            notes.append(f"The first {MAX_FITS} times that something began to train were looked at, and none after.")
        return tuple(notes)

    def _models(self) -> list[ModelName]:
        if not self._given:
            return models_seen(self.session)
        single = len(self._given) == 1
        return [
            ModelName(self.session.module_info(model), model, "" if single or not name else f"{name}.")
            for name, model in self._given
        ]


def comparable(session: Session, models: Sequence[ModelName]) -> RankReport:
    """What only a comparison between ranks can use; its report is empty yet."""
    with session.quietly():
        names: dict[int, str] = {}
        for model in models:
            for local, parameter in model.module.named_parameters():
                names.setdefault(session.recorder.track(parameter).index, model.prefix + local)
        found = mirrors(session)
    return RankReport(
        rank=0,
        report=Answer(),
        steps=_steps(session),
        values=values_of(session, models),
        used=frozenset(names[t] for e in session.record.backwards() for t in e.reached if t in names),
        mirrored=frozenset(names[t] for mirror in found for t in mirror.tracks if t in names),
        awaited=frozenset(
            names[t]
            for mirror in found
            if mirror.waits and len(mirror.calls) > len(mirror.unsynchronised)
            for t in mirror.tracks
            if t in names
        ),
        sharded=is_sharded(session),
    )


def values_of(session: Session, models: Sequence[ModelName]) -> dict[str, str]:
    """Digests of the parameters' values, of those that this process holds as a whole."""
    with session.quietly():
        return {
            model.prefix + local: value
            for model in models
            for local, parameter in model.module.named_parameters()
            if not hasattr(parameter, "to_local") and (value := digest(parameter))
        }


def _steps(session: Session) -> int:
    return max([info.steps for info in session.optimizers], default=0)


def raise_stack_limit() -> None:
    """Let the main thread's stack grow: torch frees a long chain of autograd nodes seen from Python recursively.

    Torch 2.6 to 2.13: a node once seen from Python keeps its Python object for life, and dropping the loss of a graph
    more than some 30,000 nodes deep overflows the usual 8 MB. The soft limit counts when the stack grows, so raising
    it helps the running process (Linux, main thread).
    """
    if sys.platform != "linux":
        return
    import resource

    wanted = 1 << 30
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(
            resource.RLIMIT_STACK, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def _comes_again(session: Session) -> tuple[bool, frozenset[int]]:
    """Whether what wrote the values of a file into parameters before this first step, those of a network that nobody
    trains, or drew them at random, stands in a loop that goes round the step, too; and the tracks that it drew.

    Values that the program keeps itself are another thing: of several members of a population each begins where
    it was, or all where a server is. So is what a test decides, and a loop of which each round trains a model of its
    own.
    """
    record = session.record
    files = set(project_files(record))
    places = []
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename in files:
            places.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    around = loops_at(places)
    writers = {op.stack for op in record.ops if op.mutates} if around else set()
    chains = {stack: [*record.stacks.places(stack)] for stack in writers}
    again = {stack for stack, chain in chains.items() if not around.isdisjoint(loops_at(chain))}
    made = [loops_at(record.stacks.places(optimizer.created)) for optimizer in session.optimizers]
    around = around.difference(*made)  # an optimizer made in each round trains what is made in each round
    drawn = frozenset(_drawn_by(record, {stack for stack in again if is_drawn_each_time(chains[stack], around)}))
    copies = {stack for stack in again if comes_now_and_then(chains[stack], around, places)}
    is_kept = any(loads_a_file(chains[stack]) for stack in again) or _copies_another(session, copies)
    return bool(drawn) or is_kept, drawn


def _copies_another(session: Session, stacks: set[int]) -> bool:
    """Whether something at these places put a parameter that no optimizer holds in the place of one that some does."""
    record = session.record
    held = {track for info in session.optimizers for _, members in info.groups for track in members}
    for op in record.ops:
        if op.stack not in stacks or not operations.of(op.name).replaces_all:
            continue
        if any(record.values[vid].track in held for vid in op.mutates):
            source = _copied(record, op)
            if source >= 0 and source not in held and record.tracks[source].is_parameter:
                return True
    return False


def _copied(record: Record, op: Op) -> int:
    """The track of the tensor whose values the operation copies as they are; -1 where it is none that is followed."""
    queue = [*op.inputs[1:2]]
    for vid in queue:
        value = record.values[vid]
        made = operations.of(record.ops[value.op].name) if value.op >= 0 else None
        if value.track >= 0:
            return value.track
        if made is not None and (made.copies or made.detaches or made.view):
            queue += record.ops[value.op].inputs[:1]
    return -1


def _drawn_by(record: Record, stacks: set[int]) -> Iterator[int]:
    """The tracks into which something at these places wrote random numbers, and those into which that wrote others."""
    written = [op for op in record.ops if op.mutates and op.stack in stacks and operations.of(op.name).replaces_all]
    if any(operations.of(op.name).draws for op in written):
        for op in written:
            yield from (record.values[vid].track for vid in op.mutates if record.values[vid].track >= 0)
