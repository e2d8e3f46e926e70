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

    What clears or schedules behind a step belongs to the next one where it stood in this one before the step, too, or
    clears for another optimizer. Where nothing ever steps, a step ends when another backward follows something else
    than a backward.
    """
    steps: list[StepReport] = []
    names = _OptimizerNames(recording, optimizers)
    moved = Movements([state.track for state in judge.states], {n: o.name for n, o in optimizers.items()})
    forwards = _Forwards(recording)
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
        goes_on = isinstance(event, StepEvent | SchedulerStepEvent | ClearEvent)
        goes_on = goes_on or (isinstance(event, ScalerStepEvent) and not event.skipped)
        if (stepped and not goes_on) or _is_next(shown, current, "step" if stepping else "backward"):
            close(moved.between(number))
            stepped = False
        if not stepping and shown.kind == "backward" and _ended(current):
            close()
        _append(
            current, [*(forwards.before(event, shown.optimizers) if isinstance(event, BackwardEvent) else ()), shown]
        )
        if isinstance(event, BackwardEvent):
            losses.append(_one_nan(event.loss))
        stepped = stepped or isinstance(event, StepEvent)
    if current:
        close(moved.between(len(recording.record.events)))
    return tuple(steps[:MAX_REPORTED_STEPS])


def _append(current: list[Event], new: Sequence[Event]) -> None:
    """Add an event, or a forward with its backward; what was there just before counts as one with it."""
    last = current[-len(new) :]
    if [(e.kind, e.text, e.source) for e in last] == [(e.kind, e.text, e.source) for e in new]:
        current[-len(new) :] = [replace(event, count=before.count + 1) for before, event in zip(last, new, strict=True)]
    else:
        current.extend(new)


def _is_next(event: Event, current: Sequence[Event], end: str) -> bool:
    """Whether what clears or schedules behind the `end` of a step belongs to the next step."""
    ends = [number for number, other in enumerate(current) if other.kind == end]
    if not ends or event.kind not in ("zero_grad", "scheduler"):
        return False
    stepped = {name for other in current if other.kind == end for name in other.optimizers}
    if event.kind == "zero_grad" and event.optimizers and stepped.isdisjoint(event.optimizers):
        return end == "step"
    return any((other.kind, other.source) == (event.kind, event.source) for other in current[: ends[0]])


class _Forwards:
    """The calls of modules with parameters, outside all other modules, with gradients on."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._holding: dict[int, bool] = {}
        self._next = 0

    def before(self, backward: BackwardEvent, optimizers: tuple[str, ...]) -> list[Event]:
        """The forward behind a backward, as one event at its first line, if any was seen since the last one."""
        record = self._recording.record
        called: dict[str, int] = {}
        while self._next < len(record.calls) and record.calls[self._next].time < backward.time:
            call = record.calls[self._next]
            self._next += 1
            on = call.time < len(record.ops) and record.ops[call.time].grad_enabled
            if call.parent < 0 and on and self._holds(call.module):
                called.setdefault(self._recording.modules[call.module].type, call.stack)
        if not called:
            return []
        source = record.stacks.source(next(iter(called.values())))
        return [Event("forward", f"{', '.join(called)} forward", source, optimizers=optimizers)]

    def _holds(self, module: int) -> bool:
        """Whether a module or one below it has parameters."""
        if module not in self._holding:
            below = self._recording.below(self._recording.modules[module])
            self._holding[module] = any(info.parameters for _, info in below)
        return self._holding[module]


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
