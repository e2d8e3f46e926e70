"""Gradients that were taken once and are stepped with again and again, while newer ones go unread."""

from __future__ import annotations

from dataclasses import dataclass

from fxaudit.capture.events import BackwardEvent, GradientEvent
from fxaudit.capture.recording import Op, Track
from fxaudit.judge.rule import Audit
from fxaudit.judge.verdict import ParameterState

__all__ = ["Stale", "stale_gradients"]

ENOUGH = 2
"""So many steps in a row have to repeat a gradient: one may be a trick, such as a second step along the same line."""
MAX_VALUES = 64


@dataclass(frozen=True, slots=True)
class Stale:
    """A gradient that outlived its round: stacks, -1 where there is none."""

    bound: int
    """Where the program took it."""
    stepped: int
    """A step, or an update by hand, that repeats it."""
    newer: int
    """The backward whose gradients arrive elsewhere in the meantime."""


def stale_gradients(audit: Audit, state: ParameterState) -> Stale | None:
    """Whether the last steps of `state`, or what the program does in their place, repeat one gradient."""
    if state.facts:
        return _stepped(audit, state.track)
    return _updated(audit, state.track) if state.track.hand_updates else None


def _stepped(audit: Audit, track: Track) -> Stale | None:
    events, stale = audit.record.events, track.stale_at
    if len(stale) < ENOUGH:
        return None
    steps = [fact.event for fact in track.facts]
    first = steps[steps.index(stale[0]) - 1]
    gaps = list(zip([first, *stale], stale, strict=False))
    newer = [_backward_within(audit, start, end, track.index) for start, end in gaps]
    is_all_there_was = first == steps[0] and not any(fact.written_outside for fact in track.facts)
    if None in newer and not (is_all_there_was and all(_given_again(audit, *gap, track.index) for gap in gaps)):
        return None
    written = [e.stack for e in events[: stale[-1]] if isinstance(e, GradientEvent) and e.track == track.index]
    brought = [e.stack for e in events[:first] if isinstance(e, BackwardEvent) and track.index in e.arrived]
    bound = written[0] if written else brought[-1] if brought else -1
    last = newer[-1]
    return Stale(bound, events[stale[-1]].stack, last.stack if last is not None else -1)


def _backward_within(audit: Audit, start: int, end: int, track: int) -> BackwardEvent | None:
    """The last backward between two events that brought gradients, none of them to `.grad` of `track`."""
    found = (e for e in reversed(audit.record.events[start:end]) if isinstance(e, BackwardEvent))
    return next((e for e in found if (e.arrived or not e.accumulates) and track not in e.arrived), None)


def _given_again(audit: Audit, start: int, end: int, track: int) -> bool:
    """Whether a model was called between two events, for a new loss, and the old gradient was written again."""
    events = audit.record.events
    called = any(events[start].time <= call.time < events[end].time for call in audit.record.calls)
    return called and any(isinstance(e, GradientEvent) and e.track == track for e in events[start:end])


def _updated(audit: Audit, track: Track) -> Stale | None:
    """The same for updates by hand: where the newest gradient that the last of them read was replaced before it."""
    own = set(track.values)
    writes = [op for op in audit.graph.ops if op.phase != "optimizer" and own & set(op.mutates)]
    repeated: list[tuple[Op, Op, BackwardEvent]] = []
    for write in reversed(writes):
        read = _newest_gradient(audit, write, track)
        if read is None:
            continue
        newer = [e for e in _bringing(audit, track.index) if read.index < e.time <= write.index]
        if not newer or (repeated and repeated[-1][0] is not read):
            break
        repeated.append((read, write, newer[-1]))
    if len(repeated) < ENOUGH:
        return None
    read, write, event = repeated[0]
    return Stale(read.stack, write.stack, event.stack)


def _bringing(audit: Audit, track: int) -> list[BackwardEvent]:
    """The backwards that gave the tensor a new gradient, beside those that were read before."""
    return [e for e in audit.record.events if isinstance(e, BackwardEvent) and track in e.anew]


def _newest_gradient(audit: Audit, write: Op, track: Track) -> Op | None:
    """The last read of a gradient of the tensor that what `write` writes is computed from; None where none is known."""
    own = set(track.values)
    newest = max(_gradients_behind(audit, write, own), key=lambda op: op.index, default=None)
    return newest if newest is not None and own & set(newest.inputs) else None


def _gradients_behind(audit: Audit, write: Op, own: set[int]) -> list[Op]:
    """The reads of gradients that what `write` writes is computed from; empty where the way back is too long."""
    values, ops = audit.record.values, audit.record.ops
    queue = [vid for vid in write.inputs if vid not in own]
    seen, found = set(queue), []
    while queue:
        maker = values[queue.pop()].op
        if maker < 0:
            continue
        if ops[maker].name in ("grad", "autograd.grad"):
            found.append(ops[maker])
            continue
        fresh = [vid for vid in ops[maker].inputs if vid not in seen]
        if len(seen) + len(fresh) > MAX_VALUES:
            return []
        seen.update(fresh)
        queue.extend(fresh)
    return found
