"""What happens inside the `step` of an optimizer of the user's own: recorded when an earlier one moved too little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fxaudit.capture.recorder import Recorder
from fxaudit.capture.recording import LiveRecord, LiveTrack, Op, Record, StepFact, Track

if TYPE_CHECKING:
    from fxaudit.capture.session import Session

__all__ = ["OwnSteps", "RecordedStep"]

MAX_STEPS = 3
"""So many steps of one optimizer are recorded."""


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """One step: its operations, and the tracks that stand in them for those of the session."""

    record: Record
    tracks: Mapping[int, Track]


class StepRecorder(Recorder):
    """Records one step, with the numbers of everything that it reads and makes; no mode, but called by one."""

    def __init__(self, session: Session, optimizer: Any) -> None:
        super().__init__(LiveRecord(stacks=session.record.stacks))
        self.below, self.module_stack = session.recorder.below, list(session.recorder.module_stack)
        self.probing = True
        self.tracks: dict[int, LiveTrack] = {}
        for parameter in (p for group in optimizer.param_groups for p in group["params"]):
            self.values_of(parameter)
            self.tracks[session.recorder.track(parameter).index] = self.track(parameter)
            if parameter.grad is not None:
                self.values_of(parameter.grad)

    def _add(self, name: str, stack: int, inputs: tuple[int, ...], before: int) -> Op:
        op = super()._add(name, stack, inputs, before)
        op.module = -1
        self.note_scope(op)
        return op

    def finished(self) -> RecordedStep:
        """What was recorded; every reference to the user's tensors is dropped."""
        self.release()
        return RecordedStep(self.record, self.tracks)


class OwnSteps:
    """Decides which steps are recorded: those after one that left something unmoved in spite of a gradient."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._idle: set[int] = set()
        self._counts: dict[int, int] = {}
        self._now = -1

    def begin(self, index: int, optimizer: Any) -> None:
        """The optimizer of the user's own is about to step."""
        recorder = self._session.recorder
        if index not in self._idle or (self._now >= 0 and recorder.step is not None and self._now != index):
            return
        with self._session.quietly():
            recorder.step = StepRecorder(self._session, optimizer)
        self._now = index

    def end(self, index: int) -> None:
        """An optimizer has stepped."""
        recorder = self._session.recorder
        if index != self._now or not isinstance(recorder.step, StepRecorder):
            return
        self._session.own_steps[index] = recorder.step.finished()
        recorder.step, self._now = None, -1
        self._counts[index] = self._counts.get(index, 0) + 1

    def note(self, index: int, facts: list[StepFact]) -> None:
        """What the step did."""
        idle = any(fact.gradient == "finite" and fact.lr != 0 and not fact.changed for fact in facts)
        if idle and self._counts.get(index, 0) < MAX_STEPS:
            self._idle.add(index)
        else:
            self._idle.discard(index)
