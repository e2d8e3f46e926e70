"""Watching autograd: backwards, custom functions, grad modes that no function mode sees, and gradients written by
hand."""

from __future__ import annotations

import contextlib
import functools
import math
import sys
from collections.abc import Callable
from functools import partial
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import _get_current_function_mode_stack

from fxaudit.attempts import attempt
from fxaudit.capture.autograd import Probe, Walk
from fxaudit.capture.events import BackwardEvent, ClearEvent, GradientEvent
from fxaudit.capture.patches import Patches
from fxaudit.capture.processes import hands_through
from fxaudit.capture.reading import is_leaf
from fxaudit.capture.recording import LiveTrack, Op, Record
from fxaudit.capture.repeats import ENOUGH, Site
from fxaudit.capture.sums import Sums
from fxaudit.capture.values import copy_of, gradient_states, same_numbers, single_number
from fxaudit.program.source import PACKAGE, displayed_path, is_skipped

if TYPE_CHECKING:
    from fxaudit.capture.session import Session

__all__ = ["drop_hooks", "install", "note_earlier_hooks", "note_hand_updates"]

MAX_GRAD_FNS = 50_000
"""A bigger `grad_fn` graph is not kept, and once as many nodes are kept in all, no more graphs are."""


def install(session: Session, patches: Patches) -> None:
    """Put the wrappers over `torch.autograd`."""
    _watch_backward(session, patches)
    _watch_functions(session, patches)
    _watch_inference_mode(session, patches)
    _watch_arrays(session, patches)
    _watch_written_gradients(session, patches)
    _watch_refusals(session, patches)


def _watch_backward(session: Session, patches: Patches) -> None:
    original = torch.autograd.graph._engine_run_backward
    recorder = session.recorder
    depth = 0

    def _engine_run_backward(t_outputs: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal depth
        # Inside the handler of `Tensor.backward` the mode is off, so ask for thread and process only.
        if depth or not session.on:
            return original(t_outputs, *args, **kwargs)
        depth += 1
        event = BackwardEvent(session.stack(), session.record.time)
        look = session.lines.unheard(lambda: _open(session, event, t_outputs, args, kwargs))
        close = session.lines.unheard(lambda: _close(session, event))
        attempt("what a backward reaches", look, None, session.notes)
        outer, phase = recorder.module_stack, recorder.phase
        # Hooks and recomputation run under callers of their own.
        recorder.module_stack = []
        recorder.phase = "backward"
        try:
            if event.error and session.lenient:
                return ()
            if recorder not in _get_current_function_mode_stack():
                with recorder:
                    outcome = original(t_outputs, *args, **kwargs)
            else:
                outcome = original(t_outputs, *args, **kwargs)
            attempt("what a backward brought", close, None, session.notes)
            if not event.accumulates:
                inputs = args[3] if len(args) > 3 else ()
                make = partial(_note_grad_call, session, event, outcome, inputs)
                attempt("what `torch.autograd.grad` brought", make, None, session.notes)
            return outcome
        except RuntimeError as error:
            event.error = str(error)
            attempt("what a backward brought", close, None, session.notes)
            if session.on_refusal is not None and "does not require grad" in event.error:
                session.on_refusal("backward")
                if session.lenient:  # the forked copy goes on from here
                    return ()
            raise
        finally:
            recorder.module_stack, recorder.phase = outer, phase
            depth -= 1
            if session.probe is not None:  # something raised that is no RuntimeError
                session.probe.close()
                session.probe = None
            session.measuring = False
            if session.sums is not None:
                session.sums.close()
                session.sums = None
            if event.accumulates:
                attempt("how far the program is", session.lines.unheard(session.progress), None, session.notes)

    patches.replace(torch.autograd.graph, "_engine_run_backward", _engine_run_backward)
    patches.replace(torch.autograd, "_engine_run_backward", _engine_run_backward)


def _open(session: Session, event: BackwardEvent, outputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Look at everything before the gradients flow."""
    recorder = session.recorder
    accumulates = bool(kwargs.get("accumulate_grad", False))
    inputs = args[3] if len(args) > 3 else None
    roots = [t for t in outputs if isinstance(t, torch.Tensor)]
    event.accumulates = accumulates
    event.roots = tuple(vid for root in roots for vid in recorder.values_of(root))
    event.restricted = accumulates and bool(inputs)
    if accumulates and roots and not any(r.requires_grad for r in roots):
        event.error = "element 0 of tensors does not require grad and does not have a grad_fn"
    if accumulates:
        recorder.repeats.forget()
        with session.quietly(), session.still():
            session.look_at_names()
            walk = Walk(roots)
            leaves = walk.leaves()
            if session.on_leaves is not None:
                session.on_leaves(leaves)
            event.reached = frozenset(recorder.track(leaf).index for leaf in leaves)
            session.remember_leaves(event.reached, sys._getframe(3))
            _keep_graph(session, event, walk)
            _note_hand_updates(session)
            _note_zeroed_by_hand(session)
            session.gradients_before = {
                track.index: (id(tensor.grad), tensor.grad._version)
                for track, tensor in session.live_tracks()
                if tensor.grad is not None
            }
            event.loss = single_number(roots)
            spoilt = not recorder.probing and not all(recorder.is_finite(root) for root in roots)
            if spoilt:
                # After a step with it every number is NaN: what is still alive now tells where that begins.
                recorder.look_at_living()
                session.glances.add(len(session.record.events))
            if not event.error and (recorder.probing or spoilt or walk.meets_singularity()):
                session.probe = Probe.on(roots, recorder)
            elif session.measuring_plan.begins(event, len(walk.nodes), session.live_tracks()):
                session.probe = Probe.on(roots, recorder)
                session.measuring = True
            if not event.error:
                session.sums = Sums(walk, recorder)
    session.record.events.append(event)


def _watch_refusals(session: Session, patches: Patches) -> None:
    def backward_raised(root: torch.Tensor, stack: int, error: str) -> None:
        last = session.record.events[-1] if session.record.events else None
        if not session.on or not root.requires_grad or (isinstance(last, BackwardEvent) and last.error):
            return  # the engine had been asked already: that is on record
        event = BackwardEvent(stack, session.record.time, error=error)
        event.roots = session.recorder.values_of(root)
        with session.quietly():
            event.reached = frozenset(session.recorder.track(leaf).index for leaf in Walk([root]).leaves())
        session.record.events.append(event)

    patches.replace(session.recorder, "backward_raised", backward_raised)


def _keep_graph(session: Session, event: BackwardEvent, walk: Walk) -> None:
    """Keep the `grad_fn` graph for the pictures, as long as those kept so far are not too big."""
    if session.grad_fns_kept < MAX_GRAD_FNS:
        event.grad_fns = walk.graph(session.recorder, MAX_GRAD_FNS)
        session.grad_fns_kept += len(event.grad_fns.nodes) if event.grad_fns is not None else 0


def _note_zeroed_by_hand(session: Session) -> None:
    """A gradient that is all zeros when a backward begins was cleared, whoever did it (`p.grad.zero_()`)."""
    used = [(track, tensor.grad) for track, tensor in session.live_tracks() if track.used and tensor.grad is not None]
    for (track, _), (state, _) in zip(used, gradient_states([gradient for _, gradient in used]), strict=True):
        if state == "zero":
            track.contributions = track.used = 0


def _note_grad_call(session: Session, event: BackwardEvent, outcome: Any, inputs: Any) -> None:
    """`torch.autograd.grad` is an operation too: its results depend on what was differentiated."""
    recorder = session.recorder
    sources = [t for t in inputs or () if isinstance(t, torch.Tensor)]
    read = (*event.roots, *(vid for t in sources for vid in recorder.values_of(t)))
    op = recorder._add("autograd.grad", event.stack, read, torch._C._autograd._get_sequence_nr())
    op.phase = "forward"
    op.outputs = tuple(recorder.new_value(t, op.index) for t in outcome if isinstance(t, torch.Tensor))
    answers = [(recorder.known_track(t), gradient) for t, gradient in zip(sources, outcome, strict=False)]
    event.asked = {track.index: gradient is not None for track, gradient in answers if track is not None}
    event.anew = frozenset(event.asked)
    with session.quietly():
        _remember_asked(session, list(zip(sources, outcome, strict=False)))


def _close(session: Session, event: BackwardEvent) -> None:
    """Look at what arrived."""
    if not event.accumulates:
        return
    with session.quietly():
        before = session.gradients_before
        arrived = []
        for track, tensor in session.live_tracks():
            gradient = tensor.grad
            if gradient is None:
                continue
            if before.get(track.index) != (id(gradient), gradient._version):
                arrived.append((track, gradient))
        states = gradient_states([gradient for _, gradient in arrived])
        for (track, _), state in zip(arrived, states, strict=True):
            event.arrived[track.index] = state
            track.contributions += 1
            track.arrivals += 1
        event.anew = frozenset(
            track.index for track, gradient in arrived if before.get(track.index, (0, 0))[0] != id(gradient)
        )
        _note_steps_inside(session, event, event.time)
        if session.probe is not None:
            session.probe.close()
            kept = session.measured if session.measuring else session.probes
            kept.append((len(session.record.events) - 1, session.probe))
            session.probe = None
        _remember_free(session)


def _remember_free(session: Session) -> None:
    """Copy the tensors that have a gradient but no torch optimizer: somebody may update them by hand."""
    held = _held(session)
    kept = {}
    for track, tensor in session.live_tracks():
        if tensor.grad is not None and track.index not in held and is_leaf(tensor) and tensor.requires_grad:
            copied = copy_of(tensor)
            if copied is not None:
                kept[track.index] = copied
    session.free_copies = {**session.free_copies, **kept}


def _remember_asked(session: Session, answers: list[tuple[torch.Tensor, torch.Tensor | None]]) -> None:
    """The same for Parameters whose gradient `autograd.grad` has just returned."""
    held = _held(session)
    free = []
    for tensor, gradient in answers:
        track = session.recorder.known_track(tensor)
        if track is not None and track.is_parameter and track.index not in held:
            free.append((track, tensor, gradient))
    for (track, tensor, _), (state, norm) in zip(free, gradient_states([g for *_, g in free]), strict=True):
        if state == "finite":
            track.asked = max(track.asked, norm)
            if track.index not in session.free_copies and (copied := copy_of(tensor)) is not None:
                session.free_copies[track.index] = copied


def _held(session: Session) -> set[int]:
    """What optimizers update in their `step`; one of the user's own that never steps may do it in another way."""
    held = set()
    for info in session.optimizers:
        kind = type(info.ref())
        if info.steps or kind.__module__.startswith("torch.optim"):
            held |= {t for _, members in info.groups for t in members}
    return held


def _note_steps_inside(session: Session, event: BackwardEvent, begun: int) -> None:
    """Parameters that a gradient hook has updated while the backward ran, as LOMO does: nothing is left of the
    gradient when it ends."""
    record = session.record
    for op in record.ops[begun:]:
        if op.phase != "backward" or not op.mutates or not _takes_gradient(record, op):
            continue
        for index in {record.values[vid].track for vid in op.mutates} - {-1}:
            track = record.tracks[index]
            if track.requires_grad and track.is_leaf:
                track.hand_updates += 1
                event.arrived.setdefault(index, ("finite", math.nan))


def _takes_gradient(record: Record, op: Op) -> bool:
    """Whether what the operation writes is computed from some `.grad`, or from what a hook was given."""
    queue = [vid for vid in op.inputs if vid not in op.mutates]
    seen: set[int] = set()
    while queue and len(seen) < 64:
        vid = queue.pop()
        if vid in seen:
            continue
        seen.add(vid)
        value = record.values[vid]
        if value.op < 0:
            if value.track < 0:
                return True
            continue
        maker = record.ops[value.op]
        if maker.name == "grad":
            return True
        queue.extend(maker.inputs)
    return False


def _note_hand_updates(session: Session) -> None:
    """Has a tensor with a gradient changed since the last backward without a torch optimizer?"""
    for track, tensor in session.live_tracks():
        copied = session.free_copies.get(track.index)
        if copied is not None and not same_numbers(tensor.detach(), copied):
            track.hand_updates += 1
    session.free_copies = {}


def note_hand_updates(session: Session) -> None:
    """The same, when the watching ends."""
    with session.quietly():
        _note_hand_updates(session)


def note_earlier_hooks(session: Session, parameter: torch.Tensor) -> None:
    """The gradient hooks that were put on `parameter` before anybody watched: their functions tell a line, too."""
    track = session.recorder.track(parameter)
    if not track.hooks:
        places = [_place(hook) for hook in (getattr(parameter, "_backward_hooks", None) or {}).values()]
        track.hooks.extend(session.record.stacks.at(*place) for place in places if place is not None)


def drop_hooks(tensor: torch.Tensor, lines: set[tuple[str, int]]) -> None:
    """Take the gradient hooks off `tensor` whose functions begin on one of these lines, given as they are displayed."""
    hooks = getattr(tensor, "_backward_hooks", None) or {}
    for key, hook in list(hooks.items()):
        place = _place(hook)
        if place is not None and (displayed_path(place[0]), place[1]) in lines:
            del hooks[key]


def _place(hook: Any) -> tuple[str, int, str] | None:
    """(file, line, name) of a hook's function; None where it is not the user's."""
    while isinstance(hook, functools.partial):
        hook = hook.func
    code = getattr(hook, "__code__", None) or getattr(vars(type(hook)).get("__call__"), "__code__", None)
    if not isinstance(code, CodeType) or is_skipped(code.co_filename):
        return None
    return code.co_filename, code.co_firstlineno, code.co_name


def _watch_functions(session: Session, patches: Patches) -> None:
    function = torch.autograd.Function
    original = vars(function)["apply"]
    recorder = session.recorder

    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        call = original.__get__(None, cls)
        if not session.on or recorder.inside >= 0:
            return call(*args, **kwargs)
        tensors: list[torch.Tensor] = []
        recorder._collect((*args, *kwargs.values()), tensors, [], [], 0)
        stack = session.stack(2)
        site, origin = recorder.site_of(cls.__qualname__, stack, tensors)
        if site is not None and site.count >= ENOUGH:
            return _apply_again(session, site, call, args, kwargs)
        inputs = tuple(vid for t in tensors for vid in recorder.values_of(t))
        before = torch._C._autograd._get_sequence_nr()
        op = recorder._add(cls.__name__, stack, inputs, before)
        op.custom = True
        op.detail = f"{cls.__module__}.{cls.__qualname__}"
        recorder.inside = op.index
        first = len(session.record.ops)
        try:
            if recorder.neutral is not None:
                result = recorder.neutral("apply", op.stack, call, args, kwargs)
            else:
                result = call(*args, **kwargs)
        finally:
            recorder.inside = -1
        op.sequence = (before, torch._C._autograd._get_sequence_nr())
        _adopt(session, op.index, first)
        outputs: list[torch.Tensor] = []
        recorder._collect((result,), outputs, [], [], 0)
        if hands_through(cls) and len(outputs) == len(tensors):
            _hand_through(session, op, tensors, outputs)
            return result
        made = [recorder.new_value(t, op.index) for t in outputs if not any(t is other for other in tensors)]
        made += [recorder.new_value(t, op.index, replace=True) for t in outputs if any(t is other for other in tensors)]
        op.outputs = tuple(dict.fromkeys((*op.outputs, *made)))
        if site is not None:
            recorder.repeats.note(site, op.index, origin)
        return result

    patches.replace(function, "apply", classmethod(apply))


def _apply_again(session: Session, site: Site, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a custom function without gradient whose like was recorded often enough."""
    recorder = session.recorder
    recorder.inside = site.op
    try:
        result = call(*args, **kwargs)
    finally:
        recorder.inside = -1
    tensors: list[torch.Tensor] = []
    outputs: list[torch.Tensor] = []
    recorder._collect((*args, *kwargs.values()), tensors, [], [], 0)
    recorder._collect((result,), outputs, [], [], 0)
    made = session.record.ops[site.op].outputs
    for tensor, vid in zip([t for t in outputs if not any(t is other for other in tensors)], made, strict=False):
        recorder.stand_for(tensor, vid, site.op)
    return result


def _hand_through(session: Session, op: Op, tensors: list[torch.Tensor], outputs: list[torch.Tensor]) -> None:
    """Note each output as what its own input became: one that nobody uses has nothing to do with the others."""
    recorder = session.recorder
    op.name, op.custom = "DistributedDataParallel", False
    for position, (before, after) in enumerate(zip(tensors, outputs, strict=True)):
        inputs = recorder.values_of(before)
        one = op if position == 0 else recorder._add(op.name, op.stack, inputs, op.sequence[1])
        one.inputs = inputs
        one.outputs = (recorder.new_value(after, one.index, replace=after is before),)


def _adopt(session: Session, index: int, first: int) -> None:
    """What the calls inside a custom function read from outside counts as read by the function."""
    record = session.record
    outer = record.ops[index]
    hidden: list[int] = []
    for op in record.ops[first:]:
        for vid in op.inputs:
            value = record.values[vid]
            if value.op < index and vid not in outer.inputs and vid not in hidden:
                hidden.append(vid)
    outer.inputs = (*outer.inputs, *hidden)
    outer.hidden = tuple(hidden)


def _watch_inference_mode(session: Session, patches: Patches) -> None:
    mode = torch.inference_mode
    enter, leave = mode.__enter__, mode.__exit__
    recorder = session.recorder

    def __enter__(self: Any) -> None:
        before = torch.is_grad_enabled()
        neutral = recorder.neutral if session.on else None
        if neutral is not None and neutral.keeps_gradients(recorder.modes.opener(sys._getframe(1), recorder.stack)):
            self._inference_mode_context = contextlib.nullcontext()
            return
        enter(self)
        if session.on:
            recorder.modes.changed(sys._getframe(0), before, torch.is_grad_enabled(), recorder.stack)

    def __exit__(self: Any, *exc: Any) -> None:
        before = torch.is_grad_enabled()
        leave(self, *exc)
        if session.on:
            recorder.modes.changed(sys._getframe(0), before, torch.is_grad_enabled(), recorder.stack)

    patches.replace(mode, "__enter__", __enter__)
    patches.replace(mode, "__exit__", __exit__)


def _watch_arrays(session: Session, patches: Patches) -> None:
    """Arrays that become tensors again; no function mode sees these calls (torch 2.6 to 2.13)."""
    recorder = session.recorder

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def from_array(array: Any, *args: Any, **kwargs: Any) -> Any:
            before = torch._C._autograd._get_sequence_nr()
            result = original(array, *args, **kwargs)
            if session.on and isinstance(result, torch.Tensor):
                recorder.note_array(original.__name__, session.stack(2), array, result, before)
            return result

        return from_array

    for name in ("from_numpy", "frombuffer"):
        patches.replace(torch, name, watched(getattr(torch, name)))


def _watch_written_gradients(session: Session, patches: Patches) -> None:
    def grad_written(track: LiveTrack, value: object, stack: int) -> None:
        if session.recorder.phase == "backward" and _is_torchs_own(sys._getframe(1)):
            return  # a sharded parameter's gradient, on its way from the whole to the shard
        if value is None:
            track.contributions = track.used = 0
            track.cleared += 1
            session.note_event(ClearEvent(stack, session.record.time, frozenset({track.index}), ".grad = None"))
        elif session.recorder.phase != "optimizer":
            track.hand_gradient = True
            track.written += 1
            session.note_event(GradientEvent(stack, session.record.time, track.index))

    patches.replace(session.recorder, "grad_written", grad_written)


def _is_torchs_own(frame: FrameType | None) -> bool:
    """Whether torch's code wrote the attribute whose write the recorder is handling in `frame`."""
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame is not None and is_skipped(frame.f_code.co_filename)
