"""A session: one recorder with everything it has learned of models, optimizers and the loop.

`Session.recording()` installs the wrappers, runs the block, and takes them off. Within it the user's code runs as ever.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.overrides import _get_current_function_mode_stack, _pop_mode, _push_mode

from fxaudit.capture import members
from fxaudit.capture.autograd import Probe
from fxaudit.capture.events import BackwardEvent, LoopEvent, ScalerStepEvent
from fxaudit.capture.lines import Lines
from fxaudit.capture.measuring import Measuring
from fxaudit.capture.members import named_modules, named_parameters
from fxaudit.capture.patches import Patches
from fxaudit.capture.processes import is_wrapper, join_shards, synchronises
from fxaudit.capture.recorder import Recorder
from fxaudit.capture.recording import LiveRecord, LiveTrack, ModuleCall
from fxaudit.capture.registry import LiveModule, LiveOptimizer, SlotAssignment
from fxaudit.capture.repeats import ENOUGH
from fxaudit.capture.sizes import Sizes
from fxaudit.capture.steps import RecordedStep
from fxaudit.capture.sums import Sums
from fxaudit.capture.unheard import UnheardByModes
from fxaudit.capture.values import Snapshot, local_part, number_of
from fxaudit.capture.variables import modules_around, names_of
from fxaudit.program.source import SourceLine, is_library, read_anew

__all__ = ["Session", "active_session", "defining_file"]


MAX_KEPT_ALIKE = 8
MAX_SEARCHES = 100
"""So often all owners of a module that the loop calls are looked for; then only where none is known."""
"""Of the models whose optimizers are built at one place, so many are kept alive to be named."""

_ACTIVE: list[Session] = []


def active_session() -> Session | None:
    """The innermost session that is recording in this process and thread, if any."""
    for session in reversed(_ACTIVE):
        if session.recorder.process == os.getpid() and session.recorder.thread == threading.get_ident():
            return session
    return None


class Session:
    """See the module's docstring. `on_progress` is called after every optimizer step and backward."""

    def __init__(self) -> None:
        read_anew()
        self.record = LiveRecord()
        self.lines = self.record.lines = Lines(self.record)
        self.recorder = Recorder(self.record)
        self.recorder.sizes = Sizes(self.record)
        self.modules: list[LiveModule] = []
        self.optimizers: list[LiveOptimizer] = []
        self.assignments: list[SlotAssignment] = []
        self.names: dict[int, str] = {}
        """Track → the fully-qualified name last known, without a root's prefix."""
        self.owners: dict[int, tuple[int, str]] = {}
        """Track → (module index of the root, name) last known."""
        self.gave_way: dict[tuple[int, str], list[LiveTrack]] = {}
        """(module, slot) → the parameters in whose place another was registered, in order."""
        self.history: dict[tuple[int, str], list[tuple[int, int]]] = {}
        """(root, name) → (time, track) of each tensor seen under the name."""
        self.lenient = False
        """Let through what PyTorch refuses; only in a forked copy."""
        self.is_part = False
        """Only a part of the loop is watched: what has not happened in it may happen after it."""
        self.forward_unseen = False
        """The loss was computed before anybody watched: only its autograd graph tells of the forward."""
        self.cut_before: Callable[[torch.Tensor], SourceLine | None] = lambda leaf: None
        """The line that cuts a leaf off from that loss, where an earlier block had recorded it."""
        self.died = False
        self.died_switched_off = False
        """An exception ended the program."""
        self.on_refusal: Callable[[str], None] | None = None
        self.on_progress: Callable[[], None] | None = None
        self.on_step_unrecorded: Callable[[Any], None] | None = None
        """Called with each optimizer that has stepped while the recording rests, or after it has ended."""
        self.on_built_unrecorded: Callable[[], None] | None = None
        """Called when another optimizer was built while the recording rests."""
        self.on_made_unrecorded: Callable[[], None] | None = None
        """Called when a parameter is about to be made while the recording rests."""
        self.on_step_begins: Callable[[Any], None] | None = None
        self.on_step_ended: Callable[[Any], None] | None = None
        """Called around each step of an optimizer, whether the recording goes on, rests or has ended."""
        self.on_leaves: Callable[[list[torch.Tensor]], None] | None = None
        """Called with the leaves that a backward is about to reach."""
        self.on_before_step: Callable[[Any], None] | None = None
        """Called with an optimizer that is about to step."""
        self.on_before_schedule: Callable[[Any], None] | None = None
        """Called with a learning-rate scheduler that is about to step."""
        self.variables: dict[int, str] = {}
        """Module or optimizer `id` → the name of the variable it was seen under."""
        self.leaf_names: dict[int, str] = {}
        """Track → the variable or attribute of a tensor that belongs to no module."""
        self.holding: set[int] | None = None
        """Where an audit was given optimizers, only these hold; others merely explain."""
        self.batch_began = -1
        """The moment at which the one batch of an audit without a loop begins; -1 where a loop is watched."""
        self.fixed_values: frozenset[int] = frozenset()
        """The values that modules kept then: parameters, buffers, and tensors in attributes."""
        self.compiled_calls: list[int] = []
        """The stacks at which compiled code was entered that no module stands for."""
        self.compiled_writes: set[int] = set()
        """The tracks whose value or gradient changed in such code."""
        self.elsewhere: set[int] = set()
        """The tracks of what was handed to processes that the program started."""
        self.blind_children = False
        """A process was started of which it is not known what it was given."""
        self.stepped_elsewhere: set[int] = set()
        """The tracks that an optimizer stepped in another thread."""
        self.notes: list[str] = self.recorder.notes
        self.lines.writer.notes = self.notes
        self.kept: list[object] = []
        self._kept_parts: set[int] = set()
        self._owners_sought = 0
        """Root modules and optimizers in use, kept alive while the session is, so that they can be named at its end."""
        self.uncalled: list[object] = []
        """Owners of what optimizers hold, kept alive as long as no module was called."""
        self.unsynchronised: set[int] = set()
        """The calls of a `DistributedDataParallel` after which no gradient is averaged over the processes."""
        self.own_steps: dict[int, RecordedStep] = {}
        """Optimizer → the last step of it that was recorded."""
        self.snapshots: dict[int, Snapshot] = {}
        self.gradients_before: dict[int, tuple[int, int]] = {}
        self.free_copies: dict[int, torch.Tensor] = {}
        self.probe: Probe | None = None
        self.sums: Sums | None = None
        self.warming: set[int] = set()
        """The optimizers whose rates are all 0 now, and are raised later by their schedulers."""
        self.probes: list[tuple[int, Probe]] = []
        self.measured: list[tuple[int, Probe]] = []
        """The same, of backwards in which gradients were only measured: something in it gets none."""
        self.measuring = False
        """The probe of the backward that runs only measures."""
        self.measuring_plan = Measuring()
        self.glances: set[int] = set()
        """Events of backwards before which only what was still alive could be looked at."""
        """(index of the backward's event, what flowed)."""
        self.grad_fns_kept = 0
        """How many nodes the kept `grad_fn` graphs have in all."""
        self._kept_for: dict[int, deque[list[nn.Module]]] = {}
        """The place where optimizers were built → the models kept for each of these."""
        self._by_id: dict[int, int] = {}
        self._optimizer_by_id: dict[int, int] = {}
        self._still: list[Any] | None = None
        """Inside of `still`: how many modules were known when they were looked up, and those that live."""
        self._times_noted = 0
        """How often names were noted."""
        self._last_look: tuple[int, list[Any]] = (-1, [])
        """`_times_noted` after the last look at all names, and what was seen in it."""
        self._living: list[int] = []
        """The tracks whose tensors were alive when last asked, among the first `_tracks_seen`."""
        self._tracks_seen = 0
        self._depth = 0
        self._mode_entered = False
        self._rests_on: list[Any] | None = None
        """The function modes that were on when the recording went to rest."""
        self._patches: Patches | None = None
        self._aside: tuple[bool, int] | None = None
        """After `step_aside`: whether the recorder was paused, and how many modes lay on it; -1 where it was off."""

    # -- on and off ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def recording(self) -> Iterator[Session]:
        """Record what runs inside; everything that was wrapped is put back afterwards, also after an exception."""
        if self._depth:
            self._depth += 1
            try:
                yield self
            finally:
                self._depth -= 1
            return
        from fxaudit.capture.watch import (
            autograd,
            children,
            compiled,
            modules,
            optimizers,
            swapping,
        )

        patches = Patches()
        self._patches = patches
        self.recorder.thread = threading.get_ident()
        self.recorder.process = os.getpid()
        self._depth = 1
        _ACTIVE.append(self)
        try:
            modules.install(self, patches)
            optimizers.install(self, patches)
            autograd.install(self, patches)
            compiled.install(self, patches)
            swapping.install(self, patches)
            children.install(self, patches)
            self.recorder.__enter__()  # type: ignore[no-untyped-call]
            self._mode_entered = True
            self.lines.start(sys._getframe())
            yield self
        finally:
            self.lines.stop()
            patches.close()
            self._patches = None
            self._depth = 0
            self._rests_on = None
            if self._mode_entered:
                self._mode_entered = False
                self.recorder.__exit__(None, None, None)  # type: ignore[no-untyped-call]
            _ACTIVE.remove(self)

    def detach(self) -> None:
        """Take every wrapper off now, while the code goes on: from here on it runs as if nobody had ever watched."""
        self.lines.stop()
        if self._patches is not None:
            self._patches.restore()
        self.recorder.paused = True
        self._rests_on = None
        modes = _get_current_function_mode_stack()
        if self._mode_entered and modes and modes[-1] is self.recorder:
            self._mode_entered = False
            self.recorder.__exit__(None, None, None)

    def rest(self) -> bool:
        """Stop recording for a while; False where that cannot be done here, because another mode lies on top.

        Optimizers and schedulers that are built are still noted.
        """
        modes = _get_current_function_mode_stack()
        if not self._mode_entered or not modes or modes[-1] is not self.recorder:
            return False
        self.lines.pause()
        self._mode_entered = False
        self.recorder.__exit__(None, None, None)
        self._rests_on = _get_current_function_mode_stack()
        self.recorder.paused = True
        return True

    def wake(self) -> bool:
        """Record again after `rest`; False where that would disturb modes that were put on in between."""
        if not self.may_wake:
            return False
        self._rests_on = None
        self.recorder.paused = False
        self.recorder.__enter__()  # type: ignore[no-untyped-call]
        self._mode_entered = True
        self.snapshots.clear()  # what happened in between was not seen and is nobody's fault
        for track in self.record.tracks:  # and gradients may have been cleared
            track.contributions = track.used = 0
        return True

    @property
    def may_wake(self) -> bool:
        """Whether the recording rests, and the same modes are on as when it went to rest."""
        return self.is_resting and self._rests_on == _get_current_function_mode_stack()

    def step_aside(self) -> None:
        """Be as if nobody watched, until `step_back`: what runs now is looked at by a compiler."""
        if self._aside is not None or self._patches is None:
            return
        self.lines.pause()
        self._patches.put_aside()
        above: list[Any] = []
        if self.recorder in _get_current_function_mode_stack():
            while (mode := _pop_mode()) is not self.recorder:
                above.append(mode)
            for mode in reversed(above):
                _push_mode(mode)
        else:
            above.append(self.recorder)
        self._aside = (self.recorder.paused, len(above) if self.recorder not in above else -1)
        self.recorder.paused = True

    def step_back(self) -> None:
        """Watch again after `step_aside`."""
        if self._aside is None:
            return
        self.recorder.paused, depth = self._aside
        self._aside = None
        if self._mode_entered and depth >= 0:
            above = [_pop_mode() for _ in range(min(depth, len(_get_current_function_mode_stack())))]
            for mode in (self.recorder, *reversed(above)):
                _push_mode(mode)
        if self._patches is not None:
            self._patches.put_back()

    @property
    def is_resting(self) -> bool:
        """Whether `rest` has stopped the recording, in this thread and process."""
        recorder = self.recorder
        return (
            self._depth > 0
            and self._rests_on is not None
            and recorder.thread == threading.get_ident()
            and recorder.process == os.getpid()
        )

    @property
    def on(self) -> bool:
        """Whether wrappers should do more than pass on: right thread, right process, not paused."""
        recorder = self.recorder
        return (
            self._depth > 0
            and not recorder.paused
            and recorder.thread == threading.get_ident()
            and recorder.process == os.getpid()
        )

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is another thread of the process, while the session records its own."""
        recorder = self.recorder
        return self._depth > 0 and recorder.thread != threading.get_ident() and recorder.process == os.getpid()

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """fxaudit's own torch calls: unrecorded, and invisible to any function mode."""
        recorder = self.recorder
        before = recorder.paused
        recorder.paused = True
        try:
            with UnheardByModes():
                yield
        finally:
            recorder.paused = before

    def stack(self, depth: int = 2) -> int:
        """The stack of the code `depth` frames above the caller of this method."""
        return self.recorder.stack(sys._getframe(depth))

    # -- modules -------------------------------------------------------------------------------------------------

    def module_info(self, module: nn.Module, created: int = -1) -> LiveModule:
        """What is known of `module`, learned now if it is new."""
        index = self._by_id.get(id(module))
        if index is not None:
            info = self.modules[index]
            if info.ref() is module:
                return info
        kind = type(module)
        info = LiveModule(
            index=len(self.modules),
            ref=weakref.ref(module),
            type=kind.__name__,
            defined_in=defining_file(kind),
            created=created,
            created_time=self.record.time if created >= 0 else -1,
        )
        self.modules.append(info)
        self._by_id[id(module)] = info.index
        return info

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Inside, none of the user's code runs: which modules there are is looked up once."""
        outer, self._still = self._still, []
        try:
            with members.still():
                yield
        finally:
            self._still = outer

    def live_modules(self) -> list[tuple[LiveModule, nn.Module]]:
        """The known modules that are still alive, with all their sub-modules made known."""
        if self._still and self._still[0] == len(self.modules):
            return list(self._still[1])
        found = self._find_modules()
        if self._still is not None:
            self._still[:] = (len(self.modules), found)
        return found

    def _find_modules(self) -> list[tuple[LiveModule, nn.Module]]:
        found: list[tuple[LiveModule, nn.Module]] = []
        seen: set[int] = set()
        for info in list(self.modules):
            module = info.ref()
            if module is None or id(module) in seen:
                continue
            found.extend((self.module_info(part), part) for part in _parts(module, seen))
        return found

    def roots(self) -> list[tuple[LiveModule, nn.Module]]:
        """The topmost owning modules: those that are no other live module's sub-module."""
        live = self.live_modules()
        if self._still is None:
            return self._find_roots(live)
        if len(self._still) < 3:
            self._still.append(self._find_roots(live))
        return list(self._still[2])

    def _find_roots(self, live: list[tuple[LiveModule, nn.Module]]) -> list[tuple[LiveModule, nn.Module]]:
        children = _children(module for _, module in live)
        wrappers = {id(module) for _, module in live if is_wrapper(module) and id(module) not in children}
        if wrappers:  # the model in a wrapper around it all is a root of its own
            children = wrappers | _children(module for _, module in live if id(module) not in wrappers)
        return [(info, module) for info, module in live if id(module) not in children]

    def wrapped(self) -> dict[int, nn.Module]:
        """Root module `id` → the wrapper around it that carries it to other processes or devices."""
        roots = {id(root) for _, root in self.roots()}
        return {
            id(module.module): module
            for _, module in self.live_modules()
            if is_wrapper(module) and id(module.module) in roots
        }

    def look_at_names(self) -> None:
        """Refresh the names of all parameters from the module trees as they are now."""
        with self.quietly():
            join_shards(self)
            listed = [(info, root, named_parameters(root)) for info, root in self.roots()]
            if self._last_look == (self._times_noted, self._seen(listed)):
                return
            for info, root, named in listed:
                self._note_names(info, root, named)
            self._last_look = (self._times_noted, self._seen(listed))

    def _seen(self, listed: Iterable[tuple[LiveModule, nn.Module, list[tuple[str, nn.Parameter]]]]) -> list[Any]:
        number = self.recorder.number_of_track
        return [(info.index, [(name, number(id(one))) for name, one in named]) for info, _, named in listed]

    def begin_batch(self, modules: Iterable[nn.Module], *, is_computed: bool) -> None:
        """One batch is audited, without a loop: what stands in `modules` now is the program's, and not the batch's.

        Where its loss is computed already, nobody knows since when.
        """
        self.batch_began = 0 if is_computed else self.record.time
        with self.quietly():
            known: dict[type, bool] = {}
            kept = [
                thing
                for root in modules
                for _, module in named_modules(root)
                for kept in (vars(module).get("_buffers", {}), vars(module).get("_parameters", {}), vars(module))
                for thing in kept.values()
                if (known[kind] if (kind := type(thing)) in known else _is_tensor(kind, known))
            ]
            self.fixed_values = frozenset(vid for tensor in kept for vid in self.recorder.values_of(tensor))

    def note_names(self, root: LiveModule, module: nn.Module, *, unseen_only: bool = False) -> None:
        """The parameters of `module` stand in its tree under the names that they have there.

        A parameter that another root has named already keeps that name, unless the other root is a part of this one.
        """
        named = named_parameters(module)
        if unseen_only:
            named = [(name, one) for name, one in named if self.recorder.known_track(one) is None]
        self._note_names(root, module, named)

    def _note_names(self, root: LiveModule, module: nn.Module, named: Iterable[tuple[str, nn.Parameter]]) -> None:
        self._times_noted += 1
        parts: set[int] | None = None
        for name, parameter in named:
            track = self.recorder.track(parameter)
            known = self.owners.get(track.index)
            if known is not None and known[0] != root.index:
                other = self.modules[known[0]].ref()
                if other is not None and _has_slot(other, known[1]):
                    parts = {id(part) for part in _parts(module)} if parts is None else parts
                    if id(other) not in parts:
                        continue
            self._note_name(root.index, name, track)

    def _note_name(self, root: int, name: str, track: LiveTrack) -> None:
        self.names[track.index] = name
        self.owners[track.index] = (root, name)
        history = self.history.setdefault((root, name), [])
        if not history and track.registered:
            for old in self.gave_way.get(track.registered[-1][1:3], ()):  # before anybody looked at names
                if old.index not in self.names and any(old.index in m for i in self.optimizers for _, m in i.groups):
                    self.names[old.index], self.owners[old.index] = name, (root, name)
                    history.append((old.registered[-1][0] if old.registered else 0, old.index))
        if not history or history[-1][1] != track.index:
            history.append((self.record.time, track.index))

    # -- optimizers ----------------------------------------------------------------------------------------------

    def optimizer_info(self, optimizer: Any, created: int = -1) -> LiveOptimizer:
        """What is known of `optimizer`, learned now if it is new."""
        index = self._optimizer_by_id.get(id(optimizer))
        if index is not None and self.optimizers[index].ref() is optimizer:
            return self.optimizers[index]
        try:
            ref: Any = weakref.ref(optimizer, self._optimizer_died(len(self.optimizers)))
        except TypeError:  # a class with slots and no weak references

            def ref(kept: Any = optimizer) -> Any:
                return kept

        info = LiveOptimizer(
            index=len(self.optimizers),
            ref=ref,
            type=type(optimizer).__name__,
            is_library=_is_foreign(type(optimizer)),
            created=created,
            created_time=self.record.time,
            modules_then=len(self.modules),
        )
        self.optimizers.append(info)
        groups = getattr(optimizer, "param_groups", None)
        for other in self.optimizers[:-1]:
            inner = other.ref()
            if inner is not None and groups is not None and getattr(inner, "param_groups", None) is groups:
                info.wrapper_of = other.index
                break
        self._optimizer_by_id[id(optimizer)] = info.index
        return info

    def knows_optimizer(self, optimizer: Any) -> bool:
        """Whether `optimizer` was seen before; its `id` alone may have been another's."""
        index = self._optimizer_by_id.get(id(optimizer))
        return index is not None and self.optimizers[index].ref() is optimizer

    def _optimizer_died(self, index: int) -> Callable[[object], None]:
        """Notes when an optimizer is gone: one that never stepped before that holds nothing any more."""
        owner = weakref.ref(self)

        def note(_: object) -> None:
            session = owner()
            if session is not None and index < len(session.optimizers):
                session.optimizers[index].died = session.record.time

        return note

    def _holds(self, info: LiveOptimizer) -> bool:
        """Whether an optimizer counts as a holder: no wrapper's inner twin, not gone unused, and not merely seen in
        passing."""
        return info.wrapper_of < 0 and self.is_asked_about(info) and not self.is_abandoned(info)

    def is_asked_about(self, info: LiveOptimizer) -> bool:
        """Whether an optimizer is one of those that an audit was given, if it was given any."""
        return self.holding is None or info.index in self.holding

    def others_holding(self, track: int) -> list[LiveOptimizer]:
        """The optimizers in use that hold the tensor and that the audit was not given."""
        return [
            info
            for info in self.optimizers
            if not self.is_asked_about(info) and info.wrapper_of < 0 and info.ref() is not None
            if any(track in members for _, members in info.groups)
        ]

    def is_abandoned(self, info: LiveOptimizer) -> bool:
        """Whether an optimizer was dropped without ever having stepped, before the training that was seen."""
        if info.died < 0 or info.steps:
            return False
        if any(isinstance(event, ScalerStepEvent) and event.optimizer == info.index for event in self.record.events):
            return False  # a scaler was to let it step
        training = self.record.backwards() or self.record.steps()
        return info.died < max((event.time for event in training), default=-1)

    def look_at_groups(self, info: LiveOptimizer, optimizer: Any) -> None:
        """Refresh what `info` says of its param groups."""
        groups = []
        info.group_ids = frozenset(map(id, getattr(optimizer, "param_groups", ())))
        with self.quietly():
            for group in getattr(optimizer, "param_groups", ()):
                lr = group.get("lr")
                members = tuple(
                    self.recorder.track(p).index for p in group.get("params", ()) if isinstance(p, torch.Tensor)
                )
                groups.append((number_of(lr), members))
        info.settings = info.settings or frozenset(
            key for group in getattr(optimizer, "param_groups", ()) for key in group if key != "params"
        )
        before = {track for _, members in info.groups for track in members}
        info.groups = groups
        info.held_in = {}
        for number, (_, members) in enumerate(groups):
            for track in members:
                info.held_in.setdefault(track, []).append(number)
        info.dropped = (info.dropped | before) - {track for _, members in groups for track in members}

    def holders(self, track: int) -> list[tuple[LiveOptimizer, int]]:
        """The optimizers and groups that hold the tensor."""
        return [
            (info, number)
            for info in self.optimizers
            if track in info.held_in and self._holds(info)
            for number in dict.fromkeys(info.held_in[track])
        ]

    # -- events --------------------------------------------------------------------------------------------------

    def note_event(self, event: LoopEvent) -> None:
        """Note that the loop did something."""
        self.record.events.append(event)

    def progress(self) -> None:
        """Tell whoever is waiting that a backward or a step of the loop has just ended; an audit's own are none."""
        if self.on_progress is not None and self.batch_began < 0:
            self.on_progress()

    def last_backward(self) -> int:
        """The index, among all events, of the last backward; -1 for none."""
        events = self.record.events
        for index in range(len(events) - 1, -1, -1):
            if isinstance(events[index], BackwardEvent):
                return index
        return -1

    def remember_variable(self, thing: object, frame: FrameType | None) -> None:
        """Note the name of the variable that holds `thing` in the outermost of the user's frames that has one."""
        if id(thing) not in self.variables and (name := self.variable_of(thing, frame)):
            self.variables[id(thing)] = name

    def variable_of(self, thing: object, frame: FrameType | None) -> str:
        """The variable or attribute that holds `thing` in the user's frames; empty where none does."""
        return names_of([thing], frame, self.record.stacks.skips).get(id(thing), "")

    def remember_leaves(self, tracks: Iterable[int], frame: FrameType | None) -> None:
        """Note the variables that hold tensors which belong to no module."""
        unnamed = {
            id(tensor): track
            for track in tracks
            if track not in self.names and track not in self.leaf_names
            if (tensor := self.record.tracks[track].ref()) is not None
        }
        if unnamed:
            tensors = [self.record.tracks[track].ref() for track in unnamed.values()]
            found = names_of(tensors, frame, self.record.stacks.skips)
            self.leaf_names.update({unnamed[key]: name for key, name in found.items()})

    def remember_owners(self, tracks: Iterable[int], frame: FrameType | None) -> None:
        """Make the modules known that variables hold, of which some of the tensors are parameters, and that were made
        while nobody watched."""
        unnamed = {id(self.record.tracks[track].ref()) for track in tracks if track not in self.names}
        if not unnamed:
            return
        known = len(self.modules)
        with self.quietly():
            for module in modules_around(frame, self.record.stacks.skips):
                if any(id(parameter) in unnamed for _, parameter in named_parameters(module)):
                    self.module_info(module)
        if len(self.modules) > known:
            self.look_at_names()

    def remember_scope(self, scope: Mapping[str, object], named: Container[int] = ()) -> None:
        """Note the names under which a scope's variables hold tensors, modules and optimizers.

        The modules whose `id`s are `named` get names for their parameters from somebody else.
        """
        for name, value in scope.items():
            if isinstance(value, torch.Tensor | nn.Module) or hasattr(value, "param_groups"):
                self.variables.setdefault(id(value), name)
                if isinstance(value, nn.Module) and id(value) not in named:
                    info = self.module_info(value)
                    with self.quietly():
                        self.note_names(info, value, unseen_only=True)

    def enter_call(self, module: nn.Module, frame: FrameType | None) -> ModuleCall:
        """A call of `module` begins, made by `frame`."""
        recorder = self.recorder
        if recorder.phase == "optimizer":  # a step that raised never said that it ended
            recorder.phase = "forward"
        info = self.module_info(module)
        if not info.calls:
            info.first_called = self.record.time
        info.calls += 1
        info.training = module.training
        stack = recorder.stack(frame)
        parent = recorder.module_stack[-1][0] if recorder.module_stack else -1
        site = None
        if not torch.is_grad_enabled():
            site = recorder.repeats.site(
                ("call", info.index, stack, module.training, recorder.modes.region, recorder.inside)
            )
            if site.count >= ENOUGH:
                recorder.module_stack.append((site.op, stack))
                return self.record.calls[site.op]
        call = ModuleCall(len(self.record.calls), info.index, stack, parent, module.training, self.record.time)
        self.record.calls.append(call)
        if site is not None:
            site.count, site.op = site.count + 1, call.index
        if not synchronises(module):
            self.unsynchronised.add(call.index)
        recorder.module_stack.append((call.index, stack))
        if parent < 0 and info.calls == 1:
            self.remember_variable(module, frame)
            self._keep_owners(module, frame)
        return call

    def _keep_owners(self, module: nn.Module, frame: FrameType | None) -> None:
        """Keep the topmost owners of a module that the loop calls."""
        self.uncalled.clear()
        called = module.module if is_wrapper(module) else module
        self._owners_sought += 1
        if self._owners_sought > MAX_SEARCHES and id(called) in self._kept_parts:
            return  # a loop that calls each of thousands of parts itself: their owner is known
        known = {id(kept) for kept in self.kept}
        for _, root in self.roots():
            if id(root) not in known and any(part is called for part in _parts(root)):
                self.kept.extend([root] if called is module else [root, module])
                self._kept_parts.update(map(id, _parts(root)))
                self.remember_variable(root, frame)
                if called is root and id(module) in self.variables:
                    self.variables.setdefault(id(root), self.variables[id(module)])

    def _owners_of(self, tracks: set[int]) -> list[nn.Module]:
        wanted = {self.owners[track][0] for track in tracks & self.owners.keys()}
        return [root for info, root in self.roots() if info.index in wanted]

    def keep_until_called(self, tracks: set[int]) -> None:
        """Keep the models that an optimizer was just built for: a loop without a round would leave none to name."""
        if not self.record.calls:
            self.uncalled.extend(self._owners_of(tracks))

    def keep_owners_of(self, tracks: set[int], info: LiveOptimizer) -> None:
        """Keep the models that an optimizer steps, whether the loop calls them or copies of them.

        An inner loop builds an optimizer and a model for every task: of these only the latest are kept.
        """
        owners, known = self._owners_of(tracks), {id(kept) for kept in self.kept}
        self.kept.extend(root for root in owners if id(root) not in known)
        if info.created >= 0 and not info.steps:
            alike = self._kept_for.setdefault(info.created, deque())
            alike.append(owners)
            if len(alike) > MAX_KEPT_ALIKE:
                dropped = {id(root) for root in alike.popleft()} - {id(root) for roots in alike for root in roots}
                self.kept[:] = [kept for kept in self.kept if id(kept) not in dropped]
                self._kept_parts.clear()

    def release(self) -> None:
        """Let go of everything of the user's."""
        self.kept.clear()
        self._kept_parts.clear()
        self._kept_for.clear()
        self.uncalled.clear()
        self.snapshots.clear()
        self.free_copies.clear()
        self.recorder.release()
        self.lines.writer.release()

    def tell_nobody(self) -> None:
        """Call nobody any more: who was told of what happens has this session, which would keep both alive."""
        self.on_refusal = self.on_progress = self.on_step_unrecorded = None
        self.on_step_begins = self.on_step_ended = self.on_made_unrecorded = None
        self.on_leaves = self.on_before_step = self.on_before_schedule = None

    def leave_call(self) -> None:
        """The innermost module call ends."""
        self.recorder.module_stack.pop()

    def is_constant(self, track: int) -> bool:
        """Whether all elements of a tracked tensor are one number, and not zero."""
        tensor = self.record.tracks[track].ref()
        if tensor is None or tensor.device.type == "meta" or local_part(tensor.detach()).numel() == 0:
            return False
        with self.quietly():
            plain = local_part(tensor.detach()).flatten()
            return bool((plain == plain[0]).all()) and bool(plain[0] != 0)

    def live_tracks(self) -> Iterator[tuple[LiveTrack, torch.Tensor]]:
        """The tracked tensors that are still alive."""
        tracks = self.record.tracks
        self._living.extend(range(self._tracks_seen, len(tracks)))
        self._tracks_seen = len(tracks)
        found = [(tracks[index], tensor) for index in self._living if (tensor := tracks[index].ref()) is not None]
        self._living = [track.index for track, _ in found]
        return iter(found)


def _children(modules: Iterable[nn.Module]) -> set[int]:
    """The `id`s of the direct sub-modules."""
    return {id(child) for module in modules for child in vars(module).get("_modules", {}).values() if child is not None}


def _parts(module: nn.Module, seen: set[int] | None = None) -> list[nn.Module]:
    """`module` and everything below it that is not `seen` yet, whatever `modules()` was overridden to do."""
    seen = set() if seen is None else seen
    found = [module]
    seen.add(id(module))
    for part in found:  # it grows: breadth first, and without recursion
        for child in (vars(part).get("_modules") or {}).values():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                found.append(child)
    return found


def _is_tensor(kind: type, known: dict[type, bool]) -> bool:
    known[kind] = issubclass(kind, torch.Tensor)
    return known[kind]


def _has_slot(root: nn.Module, name: str) -> bool:
    """Whether there is a parameter under `name` in the tree of `root`."""
    *path, slot = name.split(".")
    module: nn.Module | None = root
    for child in path:
        module = vars(module).get("_modules", {}).get(child)
        if module is None:
            return False
    return vars(module).get("_parameters", {}).get(slot) is not None


def _is_foreign(kind: type) -> bool:
    return not kind.__module__.startswith("torch.") and is_library(defining_file(kind))


def defining_file(kind: type) -> str:
    """The file of the module that defines a class; empty where it has none."""
    module = sys.modules.get(kind.__module__)
    return getattr(module, "__file__", None) or ""
