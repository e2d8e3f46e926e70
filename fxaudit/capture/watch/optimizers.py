"""Watching optimizers: built, stepped, cleared; schedulers, scalers and clipping."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from fxaudit.attempts import attempt
from fxaudit.capture.events import (
    ClearEvent,
    ClipEvent,
    GroupEvent,
    OptimizerEvent,
    ScalerEvent,
    ScalerStepEvent,
    SchedulerEvent,
    SchedulerStepEvent,
    StepBeginsEvent,
    StepEvent,
)
from fxaudit.capture.patches import Patches
from fxaudit.capture.recording import LiveTrack, StepFact
from fxaudit.capture.steps import OwnSteps
from fxaudit.capture.values import Snapshot, gradient_states, number_of
from fxaudit.capture.watch.autograd import note_earlier_hooks
from fxaudit.capture.watch.modules import clear
from fxaudit.program.source import is_library, variables_of

if TYPE_CHECKING:
    from fxaudit.capture.registry import LiveOptimizer
    from fxaudit.capture.session import Session

__all__ = ["inner_optimizer", "install"]


def install(session: Session, patches: Patches) -> None:
    """Put the wrappers over `torch.optim` and `torch.amp`."""
    _watch_construction(session, patches)
    _watch_steps(session, patches)
    _watch_clearing(session, patches)
    _watch_schedulers(session, patches)
    _watch_scalers(session, patches)
    _watch_clipping(session, patches)


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer that really steps, inside the wrappers that a trainer has put around it.

    A wrapper hands the groups of the inner one through, and torch does not hear its steps: it never initialised it. An
    optimizer that works by means of another (SAM, Lookahead) is heard, and stays what it is.
    """
    while not getattr(type(optimizer).step, "hooked", False):
        groups = optimizer.param_groups
        kept = vars(optimizer).values() if hasattr(optimizer, "__dict__") else ()
        inner = [one for one in kept if isinstance(one, Optimizer) and one.param_groups is groups]
        if len(inner) != 1 or inner[0] is optimizer:
            break
        optimizer = inner[0]
    return optimizer


def _watch_construction(session: Session, patches: Patches) -> None:
    original = Optimizer.__init__

    def __init__(self: Optimizer, params: Any, defaults: dict[str, Any]) -> None:
        if not session.on and not session.is_resting:
            original(self, params, defaults)
            return
        stack = session.stack(2)
        if session.lenient:
            _build_leniently(self, params, defaults, stack)
            return
        kept = params if isinstance(params, torch.Tensor | dict) else list(params)
        try:
            original(self, kept, defaults)
        except ValueError as error:
            if "empty parameter list" not in str(error):
                raise
            info = session.optimizer_info(self, stack)
            info.refused = str(error)
            session.look_at_names()
            if session.on_refusal is not None:
                session.on_refusal("empty")
                if session.lenient:  # the forked copy goes on from here
                    _build_leniently(self, kept, defaults, stack)
                    return
            raise
        info = note_construction(session, self, stack)
        info.is_part = info.is_part or _is_built_by_another(info, sys._getframe(1))
        if session.is_resting and session.on_built_unrecorded is not None:
            session.on_built_unrecorded()

    def _build_leniently(self: Optimizer, params: Any, defaults: dict[str, Any], stack: int) -> None:
        kept = params if isinstance(params, torch.Tensor | dict) else list(params)
        if isinstance(kept, list) and not kept:
            original(self, [nn.Parameter(torch.zeros(1))], defaults)
            self.param_groups[0]["params"] = []
            info = session.optimizer_info(self, stack)
            info.refused = info.refused or "optimizer got an empty parameter list"
        else:
            original(self, kept, defaults)
        note_construction(session, self, stack)

    patches.replace(Optimizer, "__init__", __init__)

    add_param_group = Optimizer.add_param_group

    def add_and_note(self: Optimizer, param_group: dict[str, Any]) -> None:
        add_param_group(self, param_group)
        if (session.on or session.is_resting) and session.knows_optimizer(self):
            info = session.optimizer_info(self)
            session.look_at_groups(info, self)
            session.note_event(GroupEvent(session.stack(2), session.record.time, info.index))

    patches.replace(Optimizer, "add_param_group", add_and_note)

    load_state_dict = Optimizer.load_state_dict

    @functools.wraps(load_state_dict)
    def load_and_note(self: Optimizer, *args: Any, **kwargs: Any) -> None:
        before = _rates(self)
        load_state_dict(self, *args, **kwargs)
        if (session.on or session.is_resting) and session.knows_optimizer(self) and any(before):
            is_zeroed = not any(_rates(self))
            session.optimizer_info(self).zeroed_on_load = session.stack(2) if is_zeroed else -1

    patches.replace(Optimizer, "load_state_dict", load_and_note)


def _rates(optimizer: Optimizer) -> list[bool]:
    """For each group whether its learning rate is other than 0."""
    rates = [group.get("lr") for group in optimizer.param_groups]
    return [not isinstance(rate, int | float) or rate != 0 for rate in rates]


def note_construction(session: Session, optimizer: Any, stack: int) -> LiveOptimizer:
    """`optimizer` was built by the code at `stack`: remember what it holds, and what the names were then."""
    info = session.optimizer_info(optimizer, stack)
    info.created, info.created_time = stack, session.record.time
    session.look_at_groups(info, optimizer)
    session.look_at_names()
    held = [track for _, members in info.groups for track in members]
    session.remember_owners(held, sys._getframe(1))
    session.remember_leaves(held, sys._getframe(1))
    if session.is_resting:  # what was hung on them meanwhile was not heard
        for tensor in (session.record.tracks[number].ref() for number in held):
            if tensor is not None:
                note_earlier_hooks(session, tensor)
    info.names_then = {track: name for track, name in session.names.items()}
    session.keep_until_called({track for _, members in info.groups for track in members})
    frozen = set()
    for track, tensor in session.live_tracks():
        if track.index in session.names and not tensor.requires_grad:
            frozen.add(track.index)
    info.frozen_then = frozenset(frozen)
    session.note_event(OptimizerEvent(stack, session.record.time, info.index))
    return info


def _is_built_by_another(info: LiveOptimizer, frame: FrameType | None) -> bool:
    """Whether another optimizer builds this one for its own use."""
    while frame is not None:
        builder = variables_of(frame).get("self") if frame.f_code.co_name == "__init__" else None
        if isinstance(builder, Optimizer) and builder is not info.ref():
            return True
        frame = frame.f_back
    return False


def _watch_steps(session: Session, patches: Patches) -> None:
    snapshots: dict[int, Snapshot] = {}
    depth: list[int] = []
    stacks: list[int] = []
    started: list[StepBeginsEvent] = []
    inside: list[tuple[int, dict[int, Snapshot]]] = []
    """For each step that runs: the event that began it, and what it found, where it runs inside another's."""
    recorder = session.recorder
    own = OwnSteps(session)

    def look_around(look: Callable[[Any], None] | None, optimizer: Optimizer) -> None:
        if look is not None and not session.is_elsewhere:
            with session.quietly():
                attempt("values that are put back", lambda: look(optimizer), None, session.notes)

    def before(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        look_around(session.on_step_begins, optimizer)
        if not session.on:
            if session.is_elsewhere:
                tracks = (recorder.known_track(p) for group in optimizer.param_groups for p in group["params"])
                session.stepped_elsewhere.update(track.index for track in tracks if track is not None)
            return
        info = session.optimizer_info(optimizer)
        stack = recorder.stack(sys._getframe(1))
        stacks.append(stack)
        is_nested, found = bool(depth), dict[int, Snapshot]()
        inside.append((len(session.record.events), found))
        depth.append(info.index)
        started.append(StepBeginsEvent(stack, session.record.time, info.index))
        session.note_event(started[-1])
        if not info.steps:
            for other in session.optimizers:  # those that never step are told apart by their variables
                if not other.name and (known := other.ref()) is not None:
                    other.name = session.variable_of(known, sys._getframe(1))
            session.remember_leaves([t for _, members in info.groups for t in members], sys._getframe(1))
        with session.quietly():
            if session.on_before_step is not None:
                session.on_before_step(optimizer)
            session.look_at_groups(info, optimizer)
            if not info.steps:
                session.keep_owners_of({track for _, members in info.groups for track in members}, info)
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    track = recorder.track(parameter)
                    if is_nested:
                        found[track.index] = Snapshot(parameter)  # the outer one's own stays as it is
                    else:
                        _compare_with_last(track, parameter, snapshots)
        recorder.notes_lines = not is_library(_file_of_step(optimizer))
        recorder.phase = "optimizer" if len(args) < 2 and "closure" not in kwargs else recorder.phase
        if recorder.notes_lines and recorder.phase == "optimizer":
            own.begin(info.index, optimizer)

    def after(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        look_around(session.on_step_ended, optimizer)
        if not session.on:
            if session.on_step_unrecorded is not None and not session.is_elsewhere:
                session.on_step_unrecorded(optimizer)
            return
        if not depth:
            return
        wanted = session.optimizer_info(optimizer).index
        while depth and depth[-1] != wanted:  # a step that raised never came here
            depth.pop(), stacks.pop(), started.pop(), inside.pop()
        if not depth:
            return
        index = depth.pop()
        stack = stacks.pop()
        begun, found = inside.pop()
        started.pop().ended = True
        info = session.optimizers[index]
        info.steps += 1
        own.end(index)
        _own_writes(session, stack)
        recorder.repeats.forget()
        recorder.phase = "forward"
        event = StepEvent(stack, session.record.time, index, closure=len(args) > 1 or "closure" in kwargs)
        session.note_event(event)
        number = len(session.record.events) - 1
        last_backward = session.last_backward()
        touched = set()
        with session.quietly():
            for group_number, group in enumerate(optimizer.param_groups):
                parameters = list(group["params"])
                states = gradient_states([p.grad for p in parameters])
                lr = info.groups[group_number][0] if group_number < len(info.groups) else None
                for parameter, (state, norm) in zip(parameters, states, strict=True):
                    track = recorder.track(parameter)
                    snapshot = found.get(track.index) or snapshots.get(track.index)
                    changed, size = snapshot.note_step(parameter) if snapshot is not None else (False, 0.0)
                    if not changed:
                        _lose(track, begun)
                    fact = StepFact(
                        number, index, group_number, lr, state, norm, changed, size, last_backward=last_backward
                    )
                    track.facts.append(fact)
                    touched.add(track.index)
                    _note_reuse(track, state, number)
                    _note_stale(track, parameter.grad, fact, number)
        event.tracks = frozenset(touched)
        own.note(index, [session.record.tracks[track].facts[-1] for track in touched])
        session.progress()

    handles = [
        register_optimizer_step_pre_hook(session.lines.unheard(before)),
        register_optimizer_step_post_hook(session.lines.unheard(after)),
    ]
    for handle in handles:
        patches.on_close(handle.remove)  # not while torch goes through its hooks
    session.snapshots = snapshots


def _file_of_step(optimizer: Optimizer) -> str:
    """The file in which the class of the optimizer, not a wrapper that torch puts around it, defines `step`."""
    code = getattr(inspect.unwrap(type(optimizer).step), "__code__", None)
    return code.co_filename if code is not None else ""


def _own_writes(session: Session, stack: int) -> None:
    """Operations on the very line of the step are the optimizer's own, also where it called a closure in between."""
    for op in reversed(session.record.ops):
        if op.stack != stack:
            chain = session.record.stacks.chain(op.stack)
            if stack not in chain:
                break
        else:
            op.phase = "optimizer"


def _compare_with_last(track: LiveTrack, parameter: torch.Tensor, snapshots: dict[int, Snapshot]) -> None:
    """Before a step: has the tensor kept what the last step did to it?"""
    snapshot = snapshots.get(track.index)
    if snapshot is None:
        snapshots[track.index] = Snapshot(parameter)
        return
    written, lost = snapshot.note_before(parameter)
    if track.facts:
        track.facts[-1].written_outside = written
        track.facts[-1].lost = lost


def _lose(track: LiveTrack, begun: int) -> None:
    """A step left the tensor as it was: what the steps inside it did to it since that event is lost."""
    for fact in reversed(track.facts):
        if fact.event < begun:
            return
        fact.lost = True


def _note_reuse(track: LiveTrack, state: str, event: int) -> None:
    if state == "none":  # whoever took the gradient away, nothing of it is left to be used again
        track.contributions = 0
    if state in ("finite", "nonfinite") and track.used and track.contributions > track.used:
        track.reused_at.append(event)
    track.used = track.contributions


def _note_stale(track: LiveTrack, gradient: torch.Tensor | None, fact: StepFact, number: int) -> None:
    """Has nothing come to the tensor since the last step, whose gradient is there again?"""
    now: tuple[int, ...] = ()
    if gradient is not None:
        now = (id(gradient), gradient._version, track.arrivals, track.cleared, track.written)
    last, norm = track.last_stepped, track.facts[-2].norm if len(track.facts) > 1 else None
    is_same = bool(now) and now[:3] == last[:3] and fact.norm == norm
    # What was cleared and not given again is another tensor in the old one's place.
    is_same = is_same and (now[3] == last[3] or now[4] > last[4])
    track.last_stepped = now
    if is_same and fact.gradient == "finite" and fact.lr != 0:
        track.stale_at.append(number)
    else:
        track.stale_at.clear()


def _watch_clearing(session: Session, patches: Patches) -> None:
    original = Optimizer.zero_grad

    def zero_grad(self: Optimizer, set_to_none: bool = True) -> None:
        if not session.on:
            original(self, set_to_none)
            return
        stack = session.stack(2)
        with session.quietly():
            had = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        recorder = session.recorder
        recorder.paused = True
        try:
            original(self, set_to_none)
        finally:
            recorder.paused = False
        tracks = frozenset(recorder.track(p).index for p in had)
        clear(session, tracks)
        index = session.optimizer_info(self).index
        session.note_event(ClearEvent(stack, session.record.time, tracks, type(self).__name__, index))

    patches.replace(Optimizer, "zero_grad", zero_grad)


def _watch_schedulers(session: Session, patches: Patches) -> None:
    from torch.optim import lr_scheduler

    base = lr_scheduler.LRScheduler
    init = base.__init__

    def __init__(self: Any, optimizer: Any, *args: Any, **kwargs: Any) -> None:
        events = len(session.record.events)
        before = _zero_groups(optimizer)
        init(self, optimizer, *args, **kwargs)
        if session.on or session.is_resting:
            info = session.optimizer_info(optimizer)
            # A scheduler takes a step of its own when it is built; that is not the loop's.
            own = [e for e in session.record.events[events:] if isinstance(e, SchedulerStepEvent)]
            info.scheduler_steps -= len(own)
            session.record.events[events:] = [e for e in session.record.events[events:] if e not in own]
            if _zero_groups(optimizer) - before:
                info.zeroed_by = len(info.schedulers)
            info.factors[len(info.schedulers)] = _places(getattr(self, "lr_lambdas", ()))
            info.schedulers.append((session.stack(2), type(self).__name__))
            session.look_at_groups(info, optimizer)
            session.note_event(SchedulerEvent(session.stack(2), session.record.time, info.index, type(self).__name__))

    patches.replace(base, "__init__", __init__)
    kinds: tuple[Any, ...] = (base, lr_scheduler.ReduceLROnPlateau)
    for kind in kinds:
        patches.replace(kind, "step", _scheduler_step(session, kind.step))


def _places(functions: Iterable[Any]) -> list[tuple[str, int]]:
    """(file, first line) of functions, and of the `__call__` of objects that are called like one."""
    codes = (getattr(f, "__code__", None) or getattr(type(f).__call__, "__code__", None) for f in functions)
    return [(code.co_filename, code.co_firstlineno) for code in codes if code is not None]


def _zero_groups(optimizer: Any) -> set[int]:
    """The numbers of the groups whose learning rate is 0."""
    groups = getattr(optimizer, "param_groups", ())
    return {number for number, group in enumerate(groups) if number_of(group.get("lr")) == 0}


def _scheduler_step(session: Session, step: Callable[..., Any]) -> Callable[..., Any]:
    import functools

    @functools.wraps(step)
    def step_and_note(self: Any, *args: Any, **kwargs: Any) -> Any:
        if session.on and session.on_before_schedule is not None:
            session.on_before_schedule(self)
        before = _zero_groups(getattr(self, "optimizer", None))
        outcome = step(self, *args, **kwargs)
        if session.on and getattr(self, "optimizer", None) is not None:
            info = session.optimizer_info(self.optimizer)
            if _zero_groups(self.optimizer) - before:
                kinds = [kind for _, kind in info.schedulers]
                name = type(self).__name__
                info.zeroed_by = len(kinds) - 1 - kinds[::-1].index(name) if name in kinds else -1
            info.scheduler_steps += 1
            session.look_at_groups(info, self.optimizer)
            stepped = SchedulerStepEvent(session.stack(2), session.record.time, info.index, type(self).__name__)
            session.note_event(stepped)
        return outcome

    return step_and_note


def _watch_scalers(session: Session, patches: Patches) -> None:
    scaler = torch.amp.grad_scaler.GradScaler
    init, step = scaler.__init__, scaler.step

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        if session.on:
            session.note_event(ScalerEvent(session.stack(2), session.record.time))

    def step_and_note(self: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        if not session.on:
            return step(self, optimizer, *args, **kwargs)
        info = session.optimizer_info(optimizer)
        before = info.steps
        stack = session.stack(2)
        outcome = step(self, optimizer, *args, **kwargs)
        if self.is_enabled():
            skipped = info.steps == before
            held = frozenset(track for _, members in info.groups for track in members)
            session.note_event(ScalerStepEvent(stack, session.record.time, info.index, skipped, held))
            if skipped:
                session.progress()
        return outcome

    patches.replace(scaler, "__init__", __init__)
    patches.replace(scaler, "step", step_and_note)


def _watch_clipping(session: Session, patches: Patches) -> None:
    module = nn.utils.clip_grad
    for name in ("clip_grad_norm_", "clip_grad_value_"):
        original = getattr(module, name)
        wrapped = _clip(session, original, name)
        patches.replace(module, name, wrapped)
        if getattr(nn.utils, name) is original:
            patches.replace(nn.utils, name, wrapped)


def _clip(session: Session, original: Callable[..., Any], name: str) -> Callable[..., Any]:
    import functools

    @functools.wraps(original)
    def clip(parameters: Any, *args: Any, **kwargs: Any) -> Any:
        if not session.on:
            return original(parameters, *args, **kwargs)
        kept = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
        stack = session.stack(2)
        bound = args[0] if args else kwargs.get("max_norm", kwargs.get("clip_value"))
        outcome = original(kept, *args, **kwargs)
        tracks = frozenset(session.recorder.track(p).index for p in kept)
        event = ClipEvent(stack, session.record.time, tracks, name, str(bound))
        session.note_event(event)
        with session.quietly():
            event.norm = number_of(outcome)
        return outcome

    return clip
