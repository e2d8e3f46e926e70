"""The life of a parameter: where it was made, registered, frozen, given to an optimizer, and what became of it."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace

from fxaudit.answer.answer import LifeEvent, LifeKind
from fxaudit.answer.finding import Finding
from fxaudit.capture.events import BackwardEvent, GroupEvent, StepEvent
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.tree import tree_of

__all__ = ["Lives"]

Moment = tuple[int, int]
"""When something happened: the operation before which, and its place among what happened there."""


class Lives:
    """The lives of all parameters of one audit; what they share is looked up once."""

    def __init__(self, audit: Audit, optimizers: dict[int, str]) -> None:
        self._audit = audit
        self._names = optimizers
        self._steps = [event.time for event in audit.record.steps()]
        self._first_call = min((call.time for call in audit.record.calls), default=-1)
        self._first_backward: dict[int, BackwardEvent] = {}
        for event in audit.record.backwards():
            for track in event.reached:
                self._first_backward.setdefault(track, event)
        self._added: dict[int, list[GroupEvent]] = {}
        for found in audit.record.events:
            if isinstance(found, GroupEvent):
                self._added.setdefault(found.optimizer, []).append(found)
        self._shared: dict[tuple[LifeKind, str, int, int], LifeEvent] = {}

    def of(self, state: ParameterState, cause: Finding | None) -> tuple[LifeEvent, ...]:
        """What happened to the parameter, in order; the line of its `cause` comes last."""
        happened = sorted(self._happened(state), key=lambda found: found[0])
        events: list[LifeEvent] = []
        for _, event in happened:
            if events and event.source is not None and events[-1].source == event.source and event.kind == "registered":
                continue  # made and registered in one line
            events.append(event)
        if cause is not None and cause.culprit is not None:
            events.append(LifeEvent("ended", f"{cause.code} {cause.name}", replace(cause.culprit, frames=())))
        return tuple(events)

    def _happened(self, state: ParameterState) -> Iterator[tuple[Moment, LifeEvent]]:
        track = state.track
        if track.created >= 0:
            yield (track.created_time, 0), self._event("made", "made", track.created, track.created_time)
        for time, _, slot, stack, inside in track.registered[:3]:
            words = f"registered as `{slot}`" + (" while forward runs" if inside else "")
            yield (time, 1), self._event("registered", words, stack, time)
        for time, flag, stack in track.freezes[-4:]:
            words = "thawed" if flag else "frozen"
            yield (time, 2), self._event("thawed" if flag else "frozen", words + self._decided(stack), stack, time)
        yield from self._held(state)
        for stack in track.hooks[:2]:
            yield (track.created_time, 4), self._event("hooked", "a gradient hook is put on it", stack, -1)
        yield from self._trained(state)

    def _held(self, state: ParameterState) -> Iterator[tuple[Moment, LifeEvent]]:
        for index, group in state.held:
            if not 0 <= index < len(self._audit.recording.optimizers):
                continue  # where nothing ran, no optimizer was seen being built
            info = self._audit.recording.optimizers[index]
            added = self._added.get(index, [])
            late = group - (len(info.groups) - len(added))
            if 0 <= late < len(added):
                time, stack = added[late].time, added[late].stack
            else:
                time, stack = info.created_time, info.created
            where = f", group {group}" if len(info.groups) > 1 else ""
            yield (time, 3), self._event("held", f"given to `{self._names.get(index, info.type)}`{where}", stack, time)

    def _trained(self, state: ParameterState) -> Iterator[tuple[Moment, LifeEvent]]:
        first = self._first_backward.get(state.index)
        if first is not None:
            arrived, norm = first.arrived.get(state.index, ("none", 0.0))
            words = {"zero": "its first gradient, exactly zero", "nonfinite": "its first gradient, not finite"}
            said = words.get(arrived, f"its first gradient, of norm {norm:.3g}" if arrived == "finite" else "reached")
            yield (first.time, 5), self._event("gradient", said, first.stack, first.time)
        moved = [fact for fact in state.facts if fact.changed]
        if state.facts:
            fact = (moved or state.facts)[0]
            events = self._audit.record.events
            event = events[fact.event] if fact.event < len(events) else None
            if not isinstance(event, StepEvent):
                return  # a step in a hook of the backward that an audit runs: its event is not kept
            name = self._names.get(fact.optimizer, "the optimizer")
            times = f"{len(moved) or len(state.facts)} step{'s' * ((len(moved) or len(state.facts)) != 1)}"
            said = f"changed by {times} of `{name}`" if moved else f"unchanged by {times} of `{name}`"
            yield (event.time, 6), self._event("stepped", said, event.stack, event.time)

    def _decided(self, stack: int) -> str:
        """The test that chose it, as it is written."""
        stacks = self._audit.record.stacks
        frame = project_stack(stacks, stack)
        tree = tree_of(stacks.file(frame)) if frame >= 0 else None
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        if tree is None or statement is None:
            return ""
        inner: ast.AST = statement
        for outer in tree.ancestors(statement):
            if isinstance(outer, ast.If):
                text = tree.text(outer.test)
                return f", because `{text}`" if inner in outer.body else f", because not `{text}`"
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
                break
            inner = outer
        return ""

    def _event(self, kind: LifeKind, text: str, stack: int, time: int) -> LifeEvent:
        step = self._step(time, is_within=kind in ("gradient", "stepped"))
        key = (kind, text, stack, step)
        if key not in self._shared:
            stacks = self._audit.record.stacks
            source = self._audit.source(project_stack(stacks, stack)) if stack >= 0 else None
            source = replace(source, frames=()) if source is not None else None
            self._shared[key] = LifeEvent(kind, text, source, step)
        return self._shared[key]

    def _step(self, time: int, *, is_within: bool) -> int:
        """The number of the training step at that moment, from 1; 0 before the first. Between two operations a backward
        and its step belong to the step, and whatever else happens comes after it."""
        if time < 0 or self._first_call < 0 or time < self._first_call:
            return 0
        return (bisect_left if is_within else bisect_right)(self._steps, time) + 1
