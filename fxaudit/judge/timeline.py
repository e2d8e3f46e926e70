"""What happened in the loop, step by step, as reports tell it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Sized
from dataclasses import replace

from fxaudit.answer.answer import Event, Movement, OptimizerReport, StepReport
from fxaudit.capture.events import (
    BackwardEvent,
    ClearEvent,
    ClipEvent,
    FlagEvent,
    GradientEvent,
    GroupEvent,
    LoopEvent,
    OptimizerEvent,
    ScalerEvent,
    ScalerStepEvent,
    SchedulerEvent,
    SchedulerStepEvent,
    StepBeginsEvent,
    StepEvent,
)
from fxaudit.capture.frozen import Recording
from fxaudit.judge.movements import Movements
from fxaudit.judge.verdict import Judge

__all__ = ["steps_of"]

MAX_REPORTED_STEPS = 24


def steps_of(recording: Recording, optimizers: Mapping[int, OptimizerReport], judge: Judge) -> tuple[StepReport, ...]:
    """Events grouped into steps: a step ends when something else than another optimizer's step follows a step.

    Where nothing ever steps, a step ends when another backward follows something else than a backward.
    """
    steps: list[StepReport] = []
    names = _OptimizerNames(recording, optimizers)
    moved = Movements([state.track for state in judge.states], {n: o.name for n, o in optimizers.items()})
    stepping = bool(recording.record.steps())
    current: list[Event] = []
    losses: list[float | None] = []
    stepped = False

    def close(movements: tuple[Movement, ...] = ()) -> None:
        steps.append(StepReport(tuple(current), movements, losses[0] if losses else None))
        current.clear()
        losses.clear()

    for number, event in enumerate(recording.record.events):
        shown = _event(recording, event, names)
        if shown is None:
            continue
        if (
            stepped
            and not isinstance(event, StepEvent | SchedulerStepEvent | ClearEvent)
            and not (isinstance(event, ScalerStepEvent) and not event.skipped)
        ):
            close(moved.between(number))
            stepped = False
        if not stepping and shown.kind == "backward" and _ended(current):
            close()
        if current and (current[-1].kind, current[-1].text, current[-1].source) == (
            shown.kind,
            shown.text,
            shown.source,
        ):
            last = current.pop()
            shown = replace(shown, count=last.count + 1)
        current.append(shown)
        if isinstance(event, BackwardEvent):
            losses.append(_one_nan(event.loss))
        stepped = stepped or isinstance(event, StepEvent)
    if current:
        close(moved.between(len(recording.record.events)))
    return tuple(steps[:MAX_REPORTED_STEPS])


def _one_nan(number: float | None) -> float | None:
    """`number`, and one object for all that are not a number: reports that say the same are then equal."""
    return math.nan if number is not None and math.isnan(number) else number


def _ended(events: Sequence[Event]) -> bool:
    return events[-1:] != [] and events[-1].kind != "backward" and any(event.kind == "backward" for event in events)


def _tensors(tracks: Sized) -> str:
    return f"{len(tracks)} tensor{'s' * (len(tracks) != 1)}"


class _OptimizerNames:
    """How the report calls the optimizers, and which of them an event concerns."""

    def __init__(self, recording: Recording, optimizers: Mapping[int, OptimizerReport]) -> None:
        self._names = {index: report.name for index, report in optimizers.items()}
        self._types = [info.type for info in recording.optimizers]
        self._holders: dict[int, list[int]] = {}
        for index in optimizers:
            for _, members in recording.optimizers[index].groups:
                for track in members:
                    self._holders.setdefault(track, []).append(index)

    def __getitem__(self, index: int) -> str:
        return self._names.get(index) or self._types[index]

    def concerned(self, event: LoopEvent) -> tuple[str, ...]:
        """The optimizers that an event concerns."""
        match event:
            case ClearEvent(optimizer=-1, tracks=tracks) | ClipEvent(tracks=tracks) | BackwardEvent(reached=tracks):
                held = sorted({index for track in tracks for index in self._holders.get(track, ())})
                return tuple(self._names[index] for index in held)
            case GradientEvent():
                return tuple(self._names[index] for index in self._holders.get(event.track, ()))
            case ScalerEvent() | FlagEvent():
                return ()
            case _:
                return (self._names[event.optimizer],) if event.optimizer in self._names else ()


def _event(recording: Recording, event: LoopEvent, names: _OptimizerNames) -> Event | None:
    shown = _shown(event, names)
    if shown is None:
        return None
    source = recording.record.stacks.source(event.stack)
    return Event(*shown, source, optimizers=names.concerned(event))


def _shown(event: LoopEvent, names: _OptimizerNames) -> tuple[str, str] | None:
    """The kind of an event and what happened, in words; None for what is not shown."""
    match event:
        case BackwardEvent(accumulates=True):
            error = f" raises: {event.error.splitlines()[0]}" if event.error else ""
            return "backward", f"backward reaches {_tensors(event.reached)}{error}"
        case StepEvent():
            return "step", f"{names[event.optimizer]}.step"
        case ClearEvent():
            gone = f"gradients of {_tensors(event.tracks)} cleared" if event.tracks else "nothing to clear"
            return "zero_grad", f"{names[event.optimizer] if event.optimizer >= 0 else event.by}: {gone}"
        case OptimizerEvent():
            return "optimizer", f"{names[event.optimizer]} is built"
        case SchedulerEvent():
            return "scheduler", f"{event.scheduler} is built"
        case SchedulerStepEvent():
            return "scheduler", f"{event.scheduler}.step"
        case ClipEvent():
            return "clip", str(event)
        case ScalerEvent():
            return "scaler", "GradScaler is made"
        case ScalerStepEvent():
            return "scaler", "GradScaler skips the step" if event.skipped else "GradScaler.step"
        case GradientEvent():
            return "gradient", "`.grad` is written by hand"
        case BackwardEvent() | GroupEvent() | StepBeginsEvent() | FlagEvent():
            return None
