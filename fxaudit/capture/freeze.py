"""From a session to its recording: everything that judging may ask of the user's live objects is looked up here."""

from __future__ import annotations

import contextlib
import inspect
import platform
from collections.abc import Iterator, Sequence, Sized
from dataclasses import fields
from operator import attrgetter
from types import FunctionType
from typing import Any

import torch
from torch import nn

from fxaudit._version import __version__
from fxaudit.capture.autograd import Probe
from fxaudit.capture.frozen import Flows, Mode, ModelRecord, OwnStep, Recording
from fxaudit.capture.members import LISTING, every_module, named_parameters, passed_over
from fxaudit.capture.naming import ModelName, names_in_containers
from fxaudit.capture.processes import mirrors
from fxaudit.capture.reading import is_leaf, shape_of, torch_version
from fxaudit.capture.recording import HeardLines, LiveTrack, Record, Track
from fxaudit.capture.registry import (
    ClassInfo,
    FunctionInfo,
    Kept,
    LiveOptimizer,
    ModuleInfo,
    OptimizerInfo,
)
from fxaudit.capture.session import Session, defining_file
from fxaudit.capture.steps import RecordedStep
from fxaudit.capture.values import gradient_states, is_elsewhere
from fxaudit.program.source import is_library, is_skipped

__all__ = ["environment", "freeze"]

_OF_TRACK, _OF_MODULE, _OF_OPTIMIZER = (
    attrgetter(*(field.name for field in fields(kind))) for kind in (Track, ModuleInfo, OptimizerInfo)
)
MAX_TEXT = 200
"""Attributes that are longer texts are no settings."""
OVERRIDABLE = (*LISTING, "zero_grad", "requires_grad_")
"""Methods of torch's of which it matters that a class has its own."""
_ATOMS = (bool, int, float, str, type(None))
_PRIVATE = frozenset(name for name in vars(nn.Module()) if name.startswith("_"))
"""What every module has, and is no setting."""


def freeze(
    session: Session, models: Sequence[ModelName], mode: Mode, title: str = "", notes: Sequence[str] = ()
) -> Recording:
    """What `session` has seen, as one value in which nothing is alive.

    Methods of the user's that list the members of a module (`parameters`, …) are called once, where something that no
    optimizer holds may be due to them. Nothing else of the user's is called, and nothing is changed.
    """
    with session.quietly(), session.still():
        return _Freezing(session, models).recording(mode, title, notes)


def environment() -> dict[str, str]:
    """The versions of fxaudit, torch and Python, and the platform."""
    return {
        "fxaudit": __version__,
        "torch": torch_version(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


class _Freezing:
    """One pass over everything that a session refers to."""

    def __init__(self, session: Session, models: Sequence[ModelName]) -> None:
        self.session, self.models = session, models
        self.recorder = session.recorder
        self.classes: list[ClassInfo] = []
        self._class_of: dict[type, int] = {}
        self._of_classes: dict[type, list[tuple[str, Kept]]] = {}

    def recording(self, mode: Mode, title: str, notes: Sequence[str]) -> Recording:
        session = self.session
        kept = names_in_containers([(model.prefix, model.module) for model in self.models], self.recorder)
        modules = self._modules()
        models = [self._model(model, modules) for model in self.models]
        wrapped = mirrors(session)
        optimizers = [self._optimizer(info) for info in session.optimizers]
        self._note_listings(modules, optimizers)
        return Recording(
            mode=mode,
            record=self._record(),
            title=title,
            environment=environment(),
            models=tuple(models),
            modules=tuple(modules),
            optimizers=tuple(optimizers),
            classes=tuple(self.classes),
            assignments=tuple(session.assignments),
            mirrors=tuple(wrapped),
            probes=tuple(_flows(event, probe) for event, probe in session.probes),
            measured=tuple(_flows(event, probe) for event, probe in session.measured),
            own_steps={index: _own_step(step) for index, step in session.own_steps.items()},
            names=dict(session.names),
            owners=dict(session.owners),
            history={key: tuple(seen) for key, seen in session.history.items()},
            leaf_names=dict(session.leaf_names),
            kept=kept,
            glances=frozenset(session.glances),
            batch_began=session.batch_began,
            fixed_values=session.fixed_values,
            warming=frozenset(session.warming),
            compiled_calls=tuple(session.compiled_calls),
            compiled_writes=frozenset(session.compiled_writes),
            elsewhere=frozenset(session.elsewhere),
            stepped_elsewhere=frozenset(session.stepped_elsewhere),
            blind_children=session.blind_children,
            forward_unseen=session.forward_unseen,
            died=session.died,
            died_switched_off=session.died_switched_off,
            notes=(*notes, *session.notes),
        )

    # -- tensors -------------------------------------------------------------------------------------------------

    def _record(self) -> Record:
        record = self.session.record
        asks = any(state == "zero" for event in record.backwards() for state, _ in event.arrived.values())
        asks = asks or any(fact.gradient == "zero" for track in record.tracks for fact in track.facts)
        tracks = [self._track(track, asks_for_constants=asks) for track in record.tracks]
        _measure([(track, live.ref()) for track, live in zip(tracks, record.tracks, strict=True) if track.facts])
        return _copied(record, tracks)

    def _track(self, live: LiveTrack, *, asks_for_constants: bool) -> Track:
        track = Track(*_OF_TRACK(live))
        tensor = live.ref()
        if tensor is None:
            return track
        track.is_alive = True
        track.requires_grad, track.is_meta = tensor.requires_grad, tensor.is_meta
        track.variable = self.session.variables.get(id(tensor), "")
        track.is_elsewhere = is_elsewhere(tensor)
        track.dtype = str(tensor.dtype).removeprefix("torch.")
        with contextlib.suppress(RuntimeError, NotImplementedError):  # nested, sparse and lazy tensors cannot say all
            track.shape, track.numel = tuple(tensor.shape), tensor.numel()  # `.to(…)` and resizing change them in place
            track.is_constant = asks_for_constants and self.session.is_constant(live.index)
        attributes = getattr(tensor, "__dict__", None)
        if attributes:
            track.flags = {key: value for key, value in attributes.items() if isinstance(value, bool)}
        if self.session.forward_unseen:
            track.cut_before = self.session.cut_before(tensor)
        return track

    # -- modules -------------------------------------------------------------------------------------------------

    def _modules(self) -> list[ModuleInfo]:
        live = self.session.live_modules()
        modules = [ModuleInfo(*_OF_MODULE(info)) for info in self.session.modules]
        for info, module in live:
            self._look_at(modules[info.index], module)
        return modules

    def _look_at(self, info: ModuleInfo, module: nn.Module) -> None:
        """Fill in what the module is like now."""
        own, kind = vars(module), type(module)
        info.is_alive, info.kind = True, self._class(kind)
        info.variable = self.session.variables.get(id(module), "")
        index_of = self.session.module_info
        info.children = {
            str(name): index_of(child).index for name, child in own.get("_modules", {}).items() if child is not None
        }
        track_of = self.recorder.track
        info.parameters = {
            slot: track_of(parameter).index
            for slot, parameter in own.get("_parameters", {}).items()
            if parameter is not None
        }
        for name, buffer in own.get("_buffers", {}).items():
            if buffer is not None and isinstance(name, str):
                info.buffers[name] = shape_of(buffer)
                info.kept[name] = _kept("buffer", buffer)
        for name in [name for name in own if name not in _PRIVATE]:
            value = own[name]
            if not isinstance(name, str) or name.startswith("_"):
                continue
            if isinstance(value, _ATOMS):
                if not isinstance(value, str) or len(value) <= MAX_TEXT:
                    info.settings[name] = value
            else:
                info.kept[name] = _kept("attribute", value)
        if kind not in self._of_classes:
            self._of_classes[kind] = [(name, _kept("class", value)) for name, value in _of_class(kind)]
        for name, kept in self._of_classes[kind]:
            info.kept.setdefault(name, kept)
        if isinstance(module, Sized) and getattr(getattr(kind, "__len__", None), "__module__", "").startswith("torch."):
            with contextlib.suppress(Exception):  # a scripted or compiled module hands the question on to what it wraps
                info.length = len(module)

    def _model(self, model: ModelName, modules: Sequence[ModuleInfo]) -> ModelRecord:
        unlisted = passed_over(model.module)
        parameters = [(name, id(p), self.recorder.track(p).index) for name, p in named_parameters(model.module)]
        return ModelRecord(
            modules[model.info.index],
            model.prefix,
            tuple((name, track) for name, _, track in parameters),
            frozenset(track for _, number, track in parameters if number in unlisted),
        )

    def _note_listings(self, modules: Sequence[ModuleInfo], optimizers: Sequence[OptimizerInfo]) -> None:
        """Ask the user's own `parameters` and its kin what they hand out, where an optimizer got less than there is."""
        held = {track for info in optimizers for _, members in info.groups for track in members}
        for model in self.models:
            own = {self.recorder.track(parameter).index for _, parameter in named_parameters(model.module)}
            if not optimizers or own <= held:
                continue
            for part in every_module(model.module):
                info = modules[self.session.module_info(part).index]
                for name in self.classes[info.kind].overrides if info.kind >= 0 else ():
                    listed = self._listed(part, name) if name in LISTING else None
                    if listed is not None:
                        info.listed[name] = listed

    def _listed(self, module: nn.Module, name: str) -> frozenset[int] | None:
        try:
            given = list(getattr(module, name)())
            things = [entry[1] if name.startswith("named_") else entry for entry in given]
            if "parameters" not in name:
                parts = [p for thing in things for p in ([thing] if "modules" in name else every_module(thing))]
                things = [p for part in parts for p in vars(part).get("_parameters", {}).values() if p is not None]
            return frozenset(self.recorder.track(thing).index for thing in things if isinstance(thing, torch.Tensor))
        except Exception:  # the user's own method, which may want arguments that nobody knows
            return None

    # -- optimizers ----------------------------------------------------------------------------------------------

    def _optimizer(self, live: LiveOptimizer) -> OptimizerInfo:
        info = OptimizerInfo(*_OF_OPTIMIZER(live))
        info.is_asked_about = self.session.is_asked_about(live)
        info.is_abandoned = self.session.is_abandoned(live)
        optimizer = live.ref()
        if optimizer is None:
            return info
        info.is_alive, info.kind = True, self._class(type(optimizer))
        info.variable = self.session.variables.get(id(optimizer), "")
        info.attributes = frozenset(getattr(optimizer, "__dict__", ()))
        defaults = getattr(optimizer, "defaults", None)
        info.defaults = frozenset(defaults) if isinstance(defaults, dict) else frozenset()
        info.keys = frozenset(key for group in getattr(optimizer, "param_groups", ()) for key in group)
        return info

    # -- classes -------------------------------------------------------------------------------------------------

    def _class(self, kind: type) -> int:
        index = self._class_of.get(kind)
        if index is None:
            index = self._class_of[kind] = len(self.classes)
            self.classes.append(_class(kind))
        return index


def _measure(stepped: Sequence[tuple[Track, torch.Tensor | None]]) -> None:
    """Note the norms of the values that optimizers stepped."""
    known = [(track, tensor) for track, tensor in stepped if tensor is not None and not track.is_meta]
    with contextlib.suppress(RuntimeError, NotImplementedError), torch.no_grad():
        states = gradient_states([tensor for _, tensor in known])
        for (track, _), (state, norm) in zip(known, states, strict=True):
            track.size = norm if state in ("zero", "finite") else None


def _copied(record: Record, tracks: Sequence[Track]) -> Record:
    heard = record.lines
    return Record(
        stacks=record.stacks,
        ops=list(record.ops),
        values=list(record.values),
        calls=list(record.calls),
        events=list(record.events),
        tracks=tracks,
        sizes=record.sizes,
        scopes=record.scopes,
        refused=list(record.refused),
        lines=HeardLines(heard.ran(), heard.is_whole) if heard is not None else None,
        course=record.course,
    )


def _own_step(step: RecordedStep) -> OwnStep:
    tracks = [Track(*_OF_TRACK(track)) for track in step.record.tracks]
    return OwnStep(_copied(step.record, tracks), {index: tracks[track.index] for index, track in step.tracks.items()})


def _flows(event: int, probe: Probe) -> Flows:
    return Flows(event, tuple(probe.flows), tuple(tuple(edges) for edges in probe.edges))


def _kept(place: str, value: object) -> Kept:
    container = type(value).__name__ if isinstance(value, list | dict | tuple | set) else ""
    derived = isinstance(value, torch.Tensor) and not is_leaf(value)
    return Kept(place, container, derived)


def _of_class(kind: type) -> Iterator[tuple[str, object]]:
    """The modules, tensors and containers among the attributes of the classes that are not torch's."""
    for base in kind.__mro__:
        if not base.__module__.startswith(("torch.", "builtins")):
            for name, value in vars(base).items():
                if isinstance(value, nn.Module | torch.Tensor | list | dict | tuple | set) and not name.startswith("_"):
                    yield name, value


def _class(kind: type) -> ClassInfo:
    bases = tuple((base.__name__, base.__module__, defining_file(base)) for base in kind.__mro__ if base is not object)
    code = getattr(getattr(kind, "forward", None), "__code__", None)
    count = code.co_argcount + code.co_kwonlyargcount if code is not None else 0
    return ClassInfo(
        name=kind.__name__,
        module=kind.__module__,
        bases=bases,
        forward=_function(kind.forward) if code is not None else None,  # type: ignore[attr-defined]
        arguments=code.co_varnames[1:count] if code is not None else (),
        defines_forward="forward" in vars(kind),
        overrides=dict(_overrides(kind)),
        methods=frozenset(_methods(kind)),
    )


def _function(function: Any) -> FunctionInfo:
    code = function.__code__
    return FunctionInfo(code.co_filename, code.co_firstlineno, function.__name__, function.__qualname__)


def _overrides(kind: type) -> Iterator[tuple[str, FunctionInfo]]:
    for name in OVERRIDABLE:
        found = getattr(kind, name, None)
        if found is None or found is getattr(nn.Module, name, None) or found is getattr(torch.optim.Optimizer, name, 0):
            continue
        function = inspect.unwrap(found)
        if isinstance(function, FunctionType):
            file = function.__code__.co_filename
            if not is_skipped(file) and not is_library(file):
                yield name, _function(function)


def _methods(kind: type) -> Iterator[tuple[str, int, str]]:
    for base in kind.__mro__:
        if base is not object and not is_library(defining_file(base)):
            for method in vars(base).values():
                if isinstance(method, FunctionType):
                    code = method.__code__
                    yield code.co_filename, code.co_firstlineno, code.co_name
