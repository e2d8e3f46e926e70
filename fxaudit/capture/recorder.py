"""The recorded run: a function mode that turns every torch call into an operation with its line and module.

The mode never changes a result: it calls what was called, with what it was called with, and looks at what came out.
"""

from __future__ import annotations

import cmath
import os
import sys
import threading
import weakref
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from types import CodeType, FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

import fxaudit.capture.generated  # noqa: F401  (it finds the lines that generated code was made from)
from fxaudit.attempts import attempt, note
from fxaudit.capture.arguments import is_in, pairs_of, takes_all, tensors_in, written_by
from fxaudit.capture.callees import Callee, learn
from fxaudit.capture.escapes import Escapes
from fxaudit.capture.grad_modes import GradModes
from fxaudit.capture.neutral import Neutralizer
from fxaudit.capture.probing import finds_nonfinite, probe
from fxaudit.capture.reading import is_leaf, storage_of
from fxaudit.capture.recording import LiveRecord, LiveTrack, Op, Phase, RefusedCall, Value
from fxaudit.capture.repeats import ENOUGH, Repeats, Site
from fxaudit.capture.scopes import numbers_seen
from fxaudit.capture.sizes import Sizes
from fxaudit.program.source import is_library

__all__ = ["Recorder"]

MAX_SCOPES = 16
"""So often the variables of one line are looked at."""
MAX_REFUSED, MAX_SAID = 64, 300
"""So many calls that raised are kept, with so many letters of what each said."""

_transforms = torch._C._functorch.peek_interpreter_stack
"""What `torch.func` is doing: tensors inside of it do not say truly whether they require grad."""

NOBODY: weakref.ref[torch.Tensor] = weakref.ref(torch.empty(0))
"""The reference of a track whose tensor is no longer followed."""


class _Reference(weakref.ref[torch.Tensor]):
    """A reference to a tensor that knows the tensor's `id` when it is gone."""

    __slots__ = ("key",)
    key: int


class Recorder(TorchFunctionMode):
    """Records into a `Record` while it is active and not paused.

    `below` is the code object whose frames mark a module call; stacks above it are already known. `before_escape` and
    the other hooks are attributes that the session sets.
    """

    def __init__(self, record: LiveRecord) -> None:
        super().__init__()
        self.record = record
        self.stacks = record.stacks
        self.lines = record.lines
        self.phase: Phase = "forward"
        self.paused = False
        self.probing = False
        self.notes_lines = False
        """In an optimizer's step, which is not recorded: note at least which lines of it run."""
        self.step: Recorder | None = None
        """What records the step that is running, where somebody wants to know."""
        self.sizes: Sizes | None = None
        """What looks at the numbers that are made, where somebody wants to know."""
        self.inside = -1
        self.thread = threading.get_ident()
        self.process = os.getpid()
        self.below: CodeType | None = None
        self.module_stack: list[tuple[int, int]] = []
        """(index of the module call, stack of its caller), innermost last."""
        self.modes = GradModes(record.stacks)
        self.neutral: Neutralizer | None = None
        self.notes: list[str] = []
        """Sentences on what could not be recorded; the session's own."""
        self._callees: dict[Any, Callee] = {}
        self.repeats = Repeats(record)
        self._current: dict[int, tuple[tuple[int, ...], weakref.ref[torch.Tensor], int]] = {}
        """`id` of a tensor → its values, the tensor, and the operation that stands for the one that made it, where that
        was not recorded; -1 where it was."""
        self._aliases: dict[int, set[int]] = {}
        self._storage: dict[int, int] = {}
        self._tracks: dict[int, int] = {}
        self._stand_ins: dict[int, weakref.ref[torch.Tensor]] = {}
        self.escapes = Escapes()

    # -- the mode ------------------------------------------------------------------------------------------------

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call `func` as it was called, and note what went in and out."""
        kwargs = kwargs or {}
        if self.step is not None and self._is_in_step():
            return self.step.__torch_function__(func, types, args, kwargs)
        if self.paused or self.phase == "optimizer" or threading.get_ident() != self.thread:
            if self.notes_lines and self.phase == "optimizer" and not self.paused:
                self.stack(sys._getframe(1))
            return func(*args, **kwargs)
        callee = self._callees.get(func)
        if callee is None:
            callee = self._callees[func] = learn(func)
        kind = callee.kind
        if kind == "quiet":
            return func(*args, **kwargs)
        if kind == "asked":
            self._note_asked(args[0])
            return func(*args, **kwargs)
        if kind == "call":
            lines = self.lines
            if lines is None or not lines.hush():
                return self._call(callee, func, args, kwargs)
            try:  # nobody listens to the lines of what records the call
                return self._call(callee, func, args, kwargs)
            finally:
                lines.unhush()
        if kind == "mode":
            return self._set_grad_enabled(func, args)
        if kind == "escape":
            return self._escape(callee, func, args, kwargs)
        return self._special(callee, func, args, kwargs)

    def _is_in_step(self) -> bool:
        return self.phase == "optimizer" and not self.paused and threading.get_ident() == self.thread

    def stack(self, frame: FrameType | None) -> int:
        """The stack that ends in `frame`, joined to the stack of the innermost module call."""
        if self.lines is not None and self.lines.is_paused:
            self.lines.resume(frame)
        base = self.module_stack[-1][1] if self.module_stack else -1
        return self.stacks.from_frame(frame, self.below, base)

    def _call(self, callee: Callee, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if callee.lists and len(pairs := pairs_of(args)) > 1:
            return self._pairwise(callee, func, args, kwargs, pairs)
        tensors: list[torch.Tensor] = []
        numbers: list[float] = []
        python_inputs: list[int] = []
        try:
            if callee.copies:
                self._collect(args[:1], tensors, numbers, python_inputs, 0)  # `memo` lists what was copied before it
            else:
                self._collect(args, tensors, numbers, python_inputs, 0)
                if kwargs:  # of what `out` names nothing is read
                    read = kwargs if "out" not in kwargs else {**kwargs, "out": None}
                    self._collect(read.values(), tensors, numbers, python_inputs, 0)
                if callee.first_only:
                    del tensors[1:]
                if callee.from_array and not python_inputs:
                    python_inputs = list(self.escapes.behind(args))
            frame = sys._getframe(2)
            # Inside of a region the line and the region's own stack say enough; else the callers are asked for.
            stack = -1 if self.modes.region >= 0 else self.stack(frame)
            place = self.stacks.place(frame, self.below) if self.modes.region >= 0 else stack
            # Another number is another round of the same, but a zero makes a zero.
            site, origin = self.site_of(callee, (place, 0 in numbers), tensors, python_inputs)
            repeated = site is not None and site.count >= ENOUGH
            stack = self.stack(frame) if stack < 0 and not repeated else stack
            inputs = () if repeated else self._read(callee, tensors)
        except Exception as error:  # ours, and none of the user's business
            note(f"a call of `{callee.name}`", error, self.notes)
            return func(*args, **kwargs)
        before = 0 if repeated else torch._C._autograd._get_sequence_nr()
        neutral = self.neutral
        try:
            result = func(*args, **kwargs) if neutral is None else neutral(callee.name, stack, func, args, kwargs)
        except Exception as error:
            self._note_refusal(callee, frame, tensors, error)
            raise
        try:
            if repeated and site is not None:
                if self._is_again(callee, site, (args, kwargs), tensors, result):
                    return result
                inputs, before = self._read(callee, tensors), torch._C._autograd._get_sequence_nr()
                stack = self.stack(frame)
            op = self._record(callee, stack, before, (args, kwargs), (tensors, numbers, python_inputs, inputs), result)
            if op is not None and site is not None:
                self.repeats.note(site, op.index, origin)
        except Exception as error:
            note(f"a call of `{callee.name}`", error, self.notes)
        return result

    def _note_refusal(self, callee: Callee, frame: FrameType, tensors: list[torch.Tensor], error: Exception) -> None:
        """The call raised `error`, which goes on its way."""
        if len(self.record.refused) < MAX_REFUSED:
            none: tuple[int, ...] = ()
            inputs = attempt("a refused call", lambda: self._read(callee, tensors), none, self.notes)
            said = attempt("an error", lambda: str(error).partition("\n")[0][:MAX_SAID], "", self.notes)
            self.record.refused.append(RefusedCall(callee.name, self.stack(frame), inputs, said))

    def _note_asked(self, tensor: torch.Tensor) -> None:
        """The program asked a scalar outside every module whether it carries gradient: a loss before its backward.

        What a trainer's library asks of its own numbers says nothing.
        """
        known = self._current.get(id(tensor)) if not self.module_stack else None
        if known is not None and not is_library(sys._getframe(2).f_code.co_filename):
            for vid in known[0]:
                value = self.record.values[vid]
                value.asked = value.numel == 1 and value.floating and value.track < 0 <= value.op

    def _read(self, callee: Callee, tensors: list[torch.Tensor]) -> tuple[int, ...]:
        """The values that a call reads."""
        inputs = tuple(vid for tensor in tensors for vid in self.values_of(tensor))
        if callee.shape_only:
            return ()
        if self.probing:
            self._probe_inputs(tensors)
        return inputs

    def _record(
        self,
        callee: Callee,
        stack: int,
        before: int,
        given: tuple[tuple[Any, ...], dict[str, Any]],
        collected: tuple[list[torch.Tensor], list[float], list[int], tuple[int, ...]],
        result: Any,
    ) -> Op | None:
        """Add the operation of a call that has returned; `before` is the sequence number at its beginning."""
        args, kwargs = given
        tensors, numbers, python_inputs, inputs = collected
        outputs: list[torch.Tensor] = []
        tensors_in(result, outputs, 0)
        mutates = callee.mutates or "out" in kwargs
        if not outputs and not mutates:
            return None
        op = self._add(callee.name, stack, inputs, before)
        op.numbers = tuple(numbers)
        op.python_inputs = tuple(dict.fromkeys(python_inputs))
        if callee.scales and 0 in numbers and not self.module_stack:
            self.note_scope(op)
        if callee.assigns:
            op.whole = self._whole(args)
        written = written_by(callee.name, args, kwargs) if mutates else []
        for tensor in written:
            self.mark_written(op, tensor)
        self._make(op, outputs, [*tensors, *written])
        if self.sizes is not None and len(outputs) == 1 and self.neutral is None:
            self.sizes.look(stack, callee.name, outputs[0])
        if callee.checks:
            self.probing = self.probing or finds_nonfinite(callee.name, outputs)
        return op

    def _whole(self, args: tuple[Any, ...]) -> tuple[int, ...] | None:
        """What `args[0][args[1]] = args[2]` puts in the place of all that was there; None where something stays."""
        if not _takes_all(args):
            return None
        return self.values_of(args[2]) if isinstance(args[2], torch.Tensor) else ()

    # -- work that is the same again -----------------------------------------------------------------------------

    def site_of(
        self,
        callee: Callee | str,
        place: Hashable,
        tensors: Iterable[torch.Tensor],
        python_inputs: Iterable[int] = (),
        *,
        graded: bool | None = None,
    ) -> tuple[Site | None, int]:
        """The kind of work that a call at `place` is, and what it is computed from; None where a gradient may pass
        through it."""
        if self.neutral is not None or _transforms() is not None:
            return None, 0
        graded = torch.is_grad_enabled() if graded is None else graded
        current, origin = self._current, 0
        if type(callee) is Callee:
            tensors = () if callee.shape_only else tensors
            graded = graded and not callee.cuts
        for tensor in tensors:
            if tensor.requires_grad:
                if graded:
                    return None, 0
                self.values_of(tensor)
            known = current.get(id(tensor))
            if known is not None:  # else data that nobody has seen
                origin |= self.repeats.origin(known[0])
        for index in python_inputs:
            origin |= self.repeats.origin(self.record.ops[index].inputs)
        call, caller = self.module_stack[-1] if self.module_stack else (-1, -1)
        module = self.record.calls[call].module if call >= 0 else -1
        return self.repeats.site((callee, place, module, caller, origin, self.modes.region, self.inside)), origin

    def _is_again(
        self,
        callee: Callee,
        site: Site,
        given: tuple[tuple[Any, ...], dict[str, Any]],
        tensors: list[torch.Tensor],
        result: Any,
    ) -> bool:
        """Whether what a call made is like what the operation made that was recorded last at `site`, which stands for
        it then."""
        made = self.record.ops[site.op].outputs
        if callee.assigns and (self.record.ops[site.op].whole is not None) != _takes_all(given[0]):
            return False
        if isinstance(result, torch.Tensor) and callee.is_plain and not given[1]:  # by far the most common
            if is_in(result, tensors):
                return not made
            if len(made) != 1 or result.requires_grad:
                return False
            self.stand_for(result, made[0], site.op)
            return True
        outputs: list[torch.Tensor] = []
        tensors_in(result, outputs, 0)
        written = written_by(callee.name, *given) if callee.mutates or "out" in given[1] else []
        known = [*tensors, *written]
        fresh = [tensor for tensor in outputs if not is_in(tensor, known)]
        if len(made) != len(written) + len(fresh):
            return False
        for tensor in fresh:
            if tensor.requires_grad:
                return False
        for tensor, vid in zip(written, made, strict=False):
            self._write_again(tensor, vid, site.op)
        for tensor, vid in zip(fresh, made[len(written) :], strict=True):
            self.stand_for(tensor, vid, site.op)
        if callee.checks:
            self.probing = self.probing or finds_nonfinite(callee.name, outputs)
        return True

    def stand_for(self, tensor: torch.Tensor, vid: int, op: int) -> None:
        """Take `tensor` for the value `vid` of an operation at the same site, until somebody records what it does."""
        key = id(tensor)
        known = self._current.get(key)
        self._current[key] = ((vid,), self._remember(tensor, key) if known is None else known[1], op)

    def _write_again(self, tensor: torch.Tensor, vid: int, op: int) -> None:
        """The same for a tensor that was written in place, and its aliases."""
        key = id(tensor)
        track = self._tracks.get(key)
        if track is None:
            self.stand_for(tensor, vid, op)
        elif self.record.values[vid].track == track and key in self._current:
            self._current[key] = ((vid,), self._current[key][1], -1)
        self._note_aliases(key, vid)

    def _note_aliases(self, key: int, vid: int) -> list[int]:
        """What shares its memory with the tensor of the `id` `key` has got the value `vid`; the leaves' old values."""
        storage = self._storage.get(key)
        old: list[int] = []
        for alias in self._aliases.get(storage, ()) if storage is not None else ():
            if alias != key and alias in self._current:
                vids, ref, op = self._current[alias]
                if vid not in vids:
                    # Its own value comes first, and stays: by it a write is known to concern a parameter.
                    self._current[alias] = ((*vids[:1], *vids[1:][-2:], vid), ref, op)
                old.extend(v for v in vids if self.record.values[v].track >= 0)
        return old

    def _own(self, tensor: torch.Tensor) -> tuple[int, ...]:
        """Record what made `tensor`, after all, as another round of the operation that stood for it."""
        vids, _, index = self._current[id(tensor)]
        ops, values, now = self.record.ops, self.record.values, torch._C._autograd._get_sequence_nr()
        stand_in = ops[index]
        op = replace(stand_in, index=len(ops), outputs=(), sequence=(now, now), again_of=index)
        op.mutates = tuple(vid for vid in stand_in.mutates if values[vid].track < 0)
        ops.append(op)
        own = self.new_value(tensor, op.index, replace=True)
        self.repeats.inherit(own, vids[0])
        op.outputs = (own,)
        self._current[id(tensor)] = ((own, *vids[1:]), self._current[id(tensor)][1], -1)
        return self._current[id(tensor)][0]

    def note_scope(self, op: Op) -> None:
        """Keep the numbers that the variables hold around an operation, of the first ones of each line."""
        seen = self.record.scopes.setdefault(op.stack, {})
        if len(seen) < MAX_SCOPES:
            seen[op.index] = numbers_seen(sys._getframe(1))

    def _pairwise(
        self,
        callee: Callee,
        func: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        pairs: list[tuple[torch.Tensor, ...]],
    ) -> Any:
        """Lists that are worked on side by side: each tensor has to do with those at its own place only."""
        stack = self.stack(sys._getframe(3))
        before = torch._C._autograd._get_sequence_nr()
        sites = [self.site_of(callee, stack, pair) for pair in pairs]
        if all(site is not None and site.count >= ENOUGH for site, _ in sites):
            return func(*args, **kwargs)
        inputs = [tuple(vid for tensor in pair for vid in self.values_of(tensor)) for pair in pairs]
        neutral = self.neutral
        result = func(*args, **kwargs) if neutral is None else neutral(callee.name, stack, func, args, kwargs)
        for pair, read, (site, origin) in zip(pairs, inputs, sites, strict=True):
            op = self._add(callee.name, stack, read, before)
            self.mark_written(op, pair[0])
            if site is not None:
                self.repeats.note(site, op.index, origin)
        return result

    def _add(self, name: str, stack: int, inputs: tuple[int, ...], before: int) -> Op:
        op = Op(
            index=len(self.record.ops),
            name=name,
            stack=stack,
            module=self.module_stack[-1][0] if self.module_stack else -1,
            phase=self.phase,
            inputs=tuple(dict.fromkeys(inputs)),
            grad_enabled=torch.is_grad_enabled(),
            inside=self.inside,
            sequence=(before, torch._C._autograd._get_sequence_nr()),
        )
        if not op.grad_enabled:
            op.region = self.modes.region
        self.record.ops.append(op)
        return op

    def _make(self, op: Op, outputs: Iterable[torch.Tensor], inputs: list[torch.Tensor]) -> None:
        """Give `op` its outputs: a new value for each tensor that is not an untouched input."""
        made: list[int] = []
        for tensor in outputs:
            if any(tensor is other for other in inputs):
                made.extend(vid for vid in self._current[id(tensor)][0] if self.record.values[vid].op == op.index)
                continue
            made.append(self.new_value(tensor, op.index))
        op.outputs = (*op.outputs, *(vid for vid in made if vid not in op.outputs))

    def mark_written(self, op: Op, tensor: torch.Tensor) -> None:
        """`op` has written `tensor` in place."""
        old = self.values_of(tensor)
        vid = self.new_value(tensor, op.index, replace=True)
        op.mutates = (*op.mutates, *old)
        op.outputs = (*op.outputs, vid)
        op.mutates = (*op.mutates, *self._note_aliases(id(tensor), vid))

    # -- values --------------------------------------------------------------------------------------------------

    def values_of(self, tensor: torch.Tensor) -> tuple[int, ...]:
        """The values `tensor` stands for now: its own, and those of writes through its aliases."""
        known = self._current.get(id(tensor))
        if known is not None:
            return known[0] if known[2] < 0 else self._own(tensor)
        return (self.new_value(tensor, -1),)

    def new_value(self, tensor: torch.Tensor, op: int, replace: bool = False) -> int:
        """Register `tensor` as the outcome of operation `op` (-1: it came from outside)."""
        key = id(tensor)
        values = self.record.values
        requires_grad = tensor.requires_grad
        leaf = not requires_grad or is_leaf(tensor)
        value = Value(len(values), op, requires_grad, leaf)
        try:
            value.shape = tuple(tensor.shape)
            value.numel = tensor.numel()
            value.floating = tensor.is_floating_point() or tensor.is_complex()
        except RuntimeError:  # a lazy parameter has no shape yet
            pass
        if op < 0 and not leaf:
            value.foreign = True
        track = self._tracks.get(key)
        if track is None and leaf and requires_grad and (op < 0 or isinstance(tensor, torch.nn.Parameter)):
            track = self.track(tensor).index
        if track is not None:
            value.track = track
            self.record.tracks[track].values.append(value.index)
        if self.probing:
            self._look_at(tensor, value)
        values.append(value)
        known = self._current.get(key)
        self._current[key] = ((value.index,), self._remember(tensor, key) if known is None else known[1], -1)
        return value.index

    def _remember(self, tensor: torch.Tensor, key: int) -> weakref.ref[torch.Tensor]:
        """Follow a tensor: its storage, and when it dies."""
        reference = _Reference(tensor, self._forget)
        reference.key = key
        storage = storage_of(tensor)
        if storage is not None:
            self._storage[key] = storage
            self._join(storage, key)
        return reference

    def _join(self, storage: int, key: int) -> None:
        group = self._aliases.get(storage)
        if group is None:
            self._aliases[storage] = {key}
        else:
            group.add(key)

    def _forget(self, reference: weakref.ref[torch.Tensor]) -> None:
        """A tensor that was followed has died."""
        key: int = reference.key  # type: ignore[attr-defined]
        known = self._current.get(key)
        if known is None or known[1] is not reference:
            return
        del self._current[key]
        self._leave(self._storage.pop(key, None), key)

    def _leave(self, storage: int | None, key: int) -> None:
        group = self._aliases.get(storage) if storage is not None else None
        if storage is not None and group is not None:
            group.discard(key)
            if not group:
                del self._aliases[storage]

    def restorage(self, tensor: torch.Tensor) -> None:
        """`tensor` has a new storage now (its `.data` was set)."""
        key = id(tensor)
        self._leave(self._storage.pop(key, None), key)
        storage = storage_of(tensor)
        if storage is None:
            return
        self._storage[key] = storage
        self._join(storage, key)

    def track(self, tensor: torch.Tensor, created: int = -1) -> LiveTrack:
        """The track of `tensor`, made on first sight."""
        key = id(tensor)
        known = self._tracks.get(key)
        if known is not None:
            return self.record.tracks[known]
        tracks = self._tracks

        def forget(_: object, key: int = key) -> None:
            tracks.pop(key, None)

        try:
            shape, numel = tuple(tensor.shape), tensor.numel()
        except RuntimeError:
            shape, numel = (), 0
        track = LiveTrack(
            index=len(self.record.tracks),
            ref=weakref.ref(tensor, forget),
            shape=shape,
            dtype=str(tensor.dtype).removeprefix("torch."),
            numel=numel,
            created=created,
            created_time=self.record.time if created >= 0 else -1,
            is_parameter=isinstance(tensor, torch.nn.Parameter),
            is_leaf=is_leaf(tensor),
            requires_grad=tensor.requires_grad,
            ever_required_grad=tensor.requires_grad,
        )
        self.record.tracks.append(track)
        tracks[key] = track.index
        for vid in self._current.get(key, ((), None, -1))[0]:
            self.record.values[vid].track = track.index
            track.values.append(vid)
        return track

    def stands_for(self, stand_in: torch.Tensor, tensor: torch.Tensor) -> None:
        """Whatever `stand_in` does, or has done, counts as done by `tensor` from here on."""
        track = self.track(tensor)
        own = self._tracks.get(id(stand_in))
        if own == track.index:
            return
        if own is not None:
            other = self.record.tracks[own]
            for vid in other.values:
                self.record.values[vid].track = track.index
            track.values = sorted({*track.values, *other.values})
            other.values = []
            other.ref = NOBODY
        else:
            self._stand_ins[id(stand_in)] = weakref.ref(stand_in, self._forget_stand_in(id(stand_in)))
        self._tracks[id(stand_in)] = track.index

    def references_to(self, tensor: torch.Tensor) -> list[weakref.ref[torch.Tensor]]:
        """The weak references that are kept to `tensor` here."""
        known, track = self._current.get(id(tensor)), self._tracks.get(id(tensor))
        found = [known[1] if known is not None else None, self._stand_ins.get(id(tensor))]
        if track is not None:
            found.append(self.record.tracks[track].ref)
        return [reference for reference in found if reference is not None]

    def note_swap(self, stack: int, inputs: tuple[int, ...], one: torch.Tensor, other: torch.Tensor) -> None:
        """Two tensors have exchanged their contents."""
        op = self._add("swap_tensors", stack, inputs, torch._C._autograd._get_sequence_nr())
        for tensor in (one, other):
            self.mark_written(op, tensor)
            self.restorage(tensor)

    def _forget_stand_in(self, key: int) -> Callable[[object], None]:
        tracks, stand_ins = self._tracks, self._stand_ins

        def forget(_: object) -> None:
            tracks.pop(key, None)
            stand_ins.pop(key, None)

        return forget

    @property
    def number_of_track(self) -> Callable[[int], int | None]:
        """`id` of a tensor → the index of its track, where it has one."""
        return self._tracks.get

    def known_track(self, tensor: torch.Tensor) -> LiveTrack | None:
        """The track of `tensor` if it has one."""
        known = self._tracks.get(id(tensor))
        return self.record.tracks[known] if known is not None else None

    def _probe_inputs(self, tensors: list[torch.Tensor]) -> None:
        """Look at what is about to be read: of the values a tensor stands for, the last writer's is there."""
        for tensor in tensors:
            value = self.record.values[self._current[id(tensor)][0][-1]]
            if value.zero is None:
                self._look_at(tensor, value)

    def release(self) -> None:
        """Forget the Python objects that were kept to recognise them, and keep no reference to any tensor.

        A weak reference is enough for `torch.utils.swap_tensors` to refuse a tensor.
        """
        self.escapes.clear()
        for known in (self._current, self._aliases, self._storage, self._tracks, self._stand_ins):
            known.clear()
        for track in self.record.tracks:
            track.ref = NOBODY

    def look_at_living(self) -> None:
        """Look at the numbers of every value whose tensor is still alive: autograd keeps what backward needs."""
        for vids, ref, stand_in in list(self._current.values()):
            tensor, value = ref(), self.record.values[vids[-1]]
            if tensor is not None and value.zero is None and stand_in < 0:
                self._look_at(tensor, value)

    def _look_at(self, tensor: torch.Tensor, value: Value) -> None:
        probe(tensor, value)
        value.looked = len(self.record.events)

    def is_finite(self, tensor: torch.Tensor) -> bool:
        """Whether no number of the tensor is known to be NaN or infinite; leaves the record alone."""
        seen = Value(-1, -1, False, False)
        probe(tensor, seen)
        return seen.finite is not False

    # -- what is special -----------------------------------------------------------------------------------------

    def _set_grad_enabled(self, func: Any, args: tuple[Any, ...]) -> Any:
        """Remember the line that opened the no-grad region."""
        before = torch.is_grad_enabled()
        frame = sys._getframe(2)
        if (
            self.neutral is not None
            and before
            and not args[0]
            and self.neutral.keeps_gradients(self.modes.opener(frame, self.stack))
        ):
            return None
        result = func(*args)
        self.modes.changed(frame, before, bool(args[0]), self.stack)
        return result

    def _escape(self, callee: Callee, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = func(*args, **kwargs)
        if not args or not isinstance(args[0], torch.Tensor):
            return result
        stack = self.stack(sys._getframe(2))
        if isinstance(result, float | complex):
            # The program will see it, and may leave out the backward that else would tell of it.
            self.probing = self.probing or not cmath.isfinite(result)
        site, origin = self.site_of(callee, stack, args[:1])
        if site is not None and site.count >= ENOUGH:
            self.escapes.keep_latest(result, site)
            return result
        op = self._add(callee.name, stack, self.values_of(args[0]), torch._C._autograd._get_sequence_nr())
        op.detail = "escape"
        self.escapes.keep(result, op.index)
        if site is not None:
            self.repeats.note(site, op.index, origin)
        return result

    def note_array(self, name: str, stack: int, array: object, tensor: torch.Tensor, before: int) -> None:
        """`tensor` was made of an array, outside of what a function mode sees."""
        python_inputs = self.escapes.behind((array,))
        site, origin = self.site_of(name, stack, (), python_inputs)
        if site is not None and site.count >= ENOUGH:
            self.stand_for(tensor, self.record.ops[site.op].outputs[0], site.op)
            return
        op = self._add(name, stack, (), before)
        op.python_inputs = python_inputs
        op.outputs = (self.new_value(tensor, op.index),)
        if site is not None:
            self.repeats.note(site, op.index, origin)

    def _special(self, callee: Callee, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tensor = args[0] if args else None
        kind = callee.kind
        stack = self.stack(sys._getframe(2))
        if kind == "set data" and isinstance(tensor, torch.Tensor):
            return self._set_data(stack, func, args, kwargs)
        try:
            result = func(*args, **kwargs)
        except RuntimeError as error:
            if kind == "backward" and isinstance(tensor, torch.Tensor):
                self.backward_raised(tensor, stack, str(error))
            raise
        if not isinstance(tensor, torch.Tensor):
            return result
        if kind == "grad":
            if isinstance(result, torch.Tensor) and not self._is_gradient_value(result):
                op = self._add("grad", stack, self.values_of(tensor), torch._C._autograd._get_sequence_nr())
                self._make(op, [result], [])
        elif kind == "set grad":
            track = self.known_track(tensor)
            if track is not None:
                self.grad_written(track, args[1] if len(args) > 1 else None, stack)
        elif kind in ("set requires_grad", "requires_grad_"):
            flag = bool(args[1]) if len(args) > 1 else bool(kwargs.get("requires_grad", True))
            track = self.track(tensor)
            track.requires_grad = flag
            track.ever_required_grad = track.ever_required_grad or flag
            track.freezes.append((self.record.time, flag, stack))
            known = self._current.get(id(tensor))
            if known is not None and flag and is_leaf(tensor):
                # The same tensor is a gradient leaf from here on: later reads must see that.
                op = self._add("requires_grad_", stack, known[0], torch._C._autograd._get_sequence_nr())
                vid = self.new_value(tensor, op.index, replace=True)
                op.outputs = (vid,)
        elif kind in ("register_hook", "register_post_accumulate_grad_hook"):
            known_track = self.known_track(tensor)
            if known_track is not None:
                known_track.hooks.append(stack)
        return result

    def _set_data(self, stack: int, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tensor, source = args[0], args[1] if len(args) > 1 else None
        read = [item for item in (tensor, source) if isinstance(item, torch.Tensor)]
        site, origin = self.site_of("data.__set__", stack, read, graded=False)
        repeated = site is not None and site.count >= ENOUGH
        inputs = self.values_of(source) if isinstance(source, torch.Tensor) and not repeated else ()
        before = torch._C._autograd._get_sequence_nr()
        result = self.neutral("set data", stack, func, args, kwargs) if self.neutral else func(*args, **kwargs)
        if site is not None and repeated:
            self._write_again(tensor, self.record.ops[site.op].outputs[0], site.op)
        else:
            op = self._add("data.__set__", stack, inputs, before)
            self.mark_written(op, tensor)
            if site is not None:
                self.repeats.note(site, op.index, origin)
        self.restorage(tensor)
        return result

    def _is_gradient_value(self, tensor: torch.Tensor) -> bool:
        """Whether `tensor` is known already as somebody's `.grad`."""
        known = self._current.get(id(tensor))
        if known is None or not known[0]:
            return False
        op = self.record.values[known[0][0]].op
        return op >= 0 and (self.record.ops[op].name == "grad" or bool(self.record.ops[op].mutates))

    def grad_written(self, track: LiveTrack, value: object, stack: int) -> None:
        """The program set `.grad` itself; the session replaces this to keep its books."""

    def backward_raised(self, root: torch.Tensor, stack: int, error: str) -> None:
        """`root.backward()` raised; the session replaces this to keep its books."""

    # -- collecting arguments ------------------------------------------------------------------------------------

    def _collect(
        self, items: Iterable[Any], tensors: list[torch.Tensor], numbers: list[float], python: list[int], depth: int
    ) -> None:
        for item in items:
            kind = type(item)
            if kind is torch.Tensor:
                tensors.append(item)
            elif kind is float or kind is int:
                if len(numbers) < 4:
                    numbers.append(item)
                op = self.escapes.op_of(item)
                if op is not None:
                    python.append(op)
            elif isinstance(item, torch.Tensor):
                tensors.append(item)
            elif isinstance(item, tuple | list):
                if depth < 3:
                    self._collect(item, tensors, numbers, python, depth + 1)
            elif isinstance(item, dict) and depth < 3:
                self._collect(item.values(), tensors, numbers, python, depth + 1)


def _takes_all(args: tuple[Any, ...]) -> bool:
    """Whether `args[0][args[1]] = args[2]` leaves nothing of what was there; not asked within `vmap` and the like."""
    return (
        len(args) == 3 and isinstance(args[0], torch.Tensor) and _transforms() is None and takes_all(args[0], args[1])
    )
