"""Watching modules and parameters: made, registered, replaced, called, switched between training and evaluation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from fxaudit.capture.events import ClearEvent, FlagEvent
from fxaudit.capture.patches import Patches
from fxaudit.capture.registry import SlotAssignment

if TYPE_CHECKING:
    from fxaudit.capture.session import Session

__all__ = ["install"]


def install(session: Session, patches: Patches) -> None:
    """Put the wrappers over `nn.Module`, `nn.Parameter` and `torch.overrides`."""
    _watch_calls(session, patches)
    _watch_attributes(session, patches)
    _watch_parameters(session, patches)
    _watch_variables(session, patches)
    _watch_modes(session, patches)
    _keep_fast_paths(patches)


def _watch_calls(session: Session, patches: Patches) -> None:
    original = nn.Module.__call__
    recorder = session.recorder

    def __call__(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if not session.on:
            return original(self, *args, **kwargs)
        session.enter_call(self, sys._getframe(1))
        try:
            return original(self, *args, **kwargs)
        finally:
            session.leave_call()

    recorder.below = __call__.__code__
    patches.replace(nn.Module, "__call__", __call__)

    init = nn.Module.__init__

    def __init__(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        if session.on:
            session.module_info(self, session.stack(2))

    patches.replace(nn.Module, "__init__", __init__)


def _kind_of(value: object) -> str:
    if isinstance(value, nn.Parameter):
        return "parameter"
    if isinstance(value, nn.Module):
        return "module"
    if isinstance(value, torch.Tensor):
        return "tensor"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list | tuple | dict | set):
        return "container"
    return "object" if hasattr(value, "__dict__") or callable(value) else ""


def _watch_attributes(session: Session, patches: Patches) -> None:
    original = nn.Module.__setattr__
    delete = nn.Module.__delattr__
    recorder = session.recorder

    def __setattr__(self: nn.Module, name: str, value: Any) -> None:
        if not session.on or "_parameters" not in self.__dict__:
            original(self, name, value)
            return
        kind = _kind_of(value)
        if kind == "tensor" and name in self.__dict__["_parameters"]:
            _assign_slot(session, original, self, name, value)
            return
        original(self, name, value)
        if kind:
            info = session.module_info(self)
            entries = info.attributes.setdefault(name, [])
            if kind == "number" and len(entries) > 1 and entries[-1][2] == "number":
                entries.pop()  # a counter in a forward: the first and the last will do
            stack = session.stack(2)
            key = ("set", info.index, name, stack, kind)
            recorder.repeats.append(entries, (session.record.time, stack, kind), key)

    patches.replace(nn.Module, "__setattr__", __setattr__)

    def __delattr__(self: nn.Module, name: str) -> None:
        delete(self, name)
        if session.on:
            info = session.module_info(self)
            info.attributes.setdefault(name, []).append((session.record.time, session.stack(2), "deleted"))

    patches.replace(nn.Module, "__delattr__", __delattr__)

    register = nn.Module.register_parameter

    def register_parameter(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        before = vars(self).get("_parameters", {}).get(name) if session.on else None
        register(self, name, param)
        if session.on and param is not None:
            info = session.module_info(self)
            stack = session.stack(2)
            if before is not None and before is not param and (old := recorder.known_track(before)) is not None:
                session.gave_way.setdefault((info.index, name), []).append(old)
            recorder.track(param).registered.append(
                (session.record.time, info.index, name, stack, bool(recorder.module_stack))
            )

    patches.replace(nn.Module, "register_parameter", register_parameter)


def _assign_slot(
    session: Session, original: Callable[..., None], module: nn.Module, name: str, value: torch.Tensor
) -> None:
    info = session.module_info(module)
    old = module._parameters[name]
    assignment = SlotAssignment(
        module=info.index,
        slot=name,
        stack=session.stack(3),
        track=session.recorder.track(old).index if old is not None else -1,
        time=session.record.time,
        value=session.recorder.values_of(value)[0],
        refused=True,
    )
    session.assignments.append(assignment)
    if session.lenient:
        assignment.refused = False
        session.look_at_names()
        del module._parameters[name]
        object.__setattr__(module, name, value)
        return
    if session.on_refusal is not None:
        session.on_refusal("slot")
        if session.lenient:  # the forked copy goes on from here
            _assign_slot(session, original, module, name, value)
            return
    original(module, name, value)  # raises the TypeError the user would get


def _watch_parameters(session: Session, patches: Patches) -> None:
    original = nn.Parameter.__new__
    recorder = session.recorder

    def __new__(cls: type[nn.Parameter], data: Any = None, *args: Any, **kwargs: Any) -> nn.Parameter:
        if session.on_made_unrecorded is not None and session.is_resting and not _is_copied(sys._getframe(1)):
            session.on_made_unrecorded()
        if not session.on:
            return original(cls, data, *args, **kwargs)
        neutral = recorder.neutral
        if (
            neutral is not None
            and isinstance(data, torch.Tensor)
            and data.requires_grad
            and neutral.covers(session.stack(2))
        ):
            return data  # type: ignore[return-value]
        inputs = recorder.values_of(data) if isinstance(data, torch.Tensor) else ()
        before = torch._C._autograd._get_sequence_nr()
        parameter = original(cls, data, *args, **kwargs)
        stack = session.stack(2)
        if isinstance(parameter, torch.Tensor):
            op = recorder._add("Parameter", stack, inputs, before)
            op.outputs = (recorder.new_value(parameter, op.index),)
            track = recorder.track(parameter)
            track.created, track.created_time = stack, session.record.time
            if op.outputs[0] not in track.values:
                track.values.append(op.outputs[0])
            session.record.values[op.outputs[0]].track = track.index
        return parameter

    patches.replace(nn.Parameter, "__new__", staticmethod(__new__))


def _is_copied(frame: FrameType) -> bool:
    """Whether the parameter is made by `deepcopy`: such a copy is often put aside, and trains nothing."""
    return frame.f_code.co_name == "__deepcopy__"


def _watch_variables(session: Session, patches: Patches) -> None:
    """`Variable(x)`, of older programs, gives a tensor with the same numbers and without a history."""
    recorder = session.recorder

    def __call__(cls: type, *args: Any, **kwargs: Any) -> Any:
        data = args[0] if args else kwargs.get("data")
        if not session.on or not isinstance(data, torch.Tensor):
            return type.__call__(cls, *args, **kwargs)
        if recorder.neutral is not None and data.requires_grad and recorder.neutral.covers(session.stack(2)):
            return data
        inputs = recorder.values_of(data)
        before = torch._C._autograd._get_sequence_nr()
        made = type.__call__(cls, *args, **kwargs)
        if isinstance(made, torch.Tensor) and made is not data:
            op = recorder._add("Variable", session.stack(2), inputs, before)
            op.outputs = (recorder.new_value(made, op.index),)
        return made

    patches.replace(type(torch.autograd.Variable), "__call__", __call__)


def _watch_modes(session: Session, patches: Patches) -> None:
    train = nn.Module.train

    def train_and_note(self: nn.Module, mode: bool = True) -> nn.Module:
        outcome = train(self, mode)
        if session.on:
            info, stack = session.module_info(self), session.stack(2)
            entry = (session.record.time, bool(mode), stack)
            session.recorder.repeats.append(info.modes, entry, ("train", info.index, bool(mode), stack))
        return outcome

    patches.replace(nn.Module, "train", train_and_note)

    requires_grad_ = nn.Module.requires_grad_

    def requires_grad_and_note(self: nn.Module, requires_grad: bool = True) -> nn.Module:
        outcome = requires_grad_(self, requires_grad)
        if session.on:
            index = session.module_info(self).index
            session.note_event(FlagEvent(session.stack(2), session.record.time, index, bool(requires_grad)))
        return outcome

    patches.replace(nn.Module, "requires_grad_", requires_grad_and_note)

    zero_grad = nn.Module.zero_grad

    def zero_grad_and_note(self: nn.Module, set_to_none: bool = True) -> None:
        if not session.on:
            zero_grad(self, set_to_none)
            return
        stack = session.stack(2)
        with session.quietly():
            had = [p for p in self.parameters() if p.grad is not None]
        recorder = session.recorder
        recorder.paused = True
        try:
            zero_grad(self, set_to_none)
        finally:
            recorder.paused = False
        tracks = frozenset(recorder.track(p).index for p in had)
        clear(session, tracks)
        session.module_info(self)
        session.note_event(ClearEvent(stack, session.record.time, tracks, type(self).__name__))

    patches.replace(nn.Module, "zero_grad", zero_grad_and_note)


def clear(session: Session, tracks: frozenset[int]) -> None:
    """The gradients of these tensors were cleared."""
    for index in tracks:
        track = session.record.tracks[index]
        track.contributions = 0
        track.used = 0
        track.cleared += 1


def _keep_fast_paths(patches: Patches) -> None:
    """Let `MultiheadAttention` and `TransformerEncoder` take their fast paths as without a mode (torch 2.6 to 2.13).

    They ask `torch.overrides.has_torch_function`, which answers yes to everything while any function mode is active.
    """
    overrides = torch.overrides
    original = overrides.has_torch_function

    def has_torch_function(relevant_args: Any) -> bool:
        if not original(relevant_args):
            return False
        if torch._C._len_torch_function_stack() > 1:
            return True
        return any(
            type(a) not in (torch.Tensor, nn.Parameter) and hasattr(a, "__torch_function__") for a in relevant_args
        )

    patches.replace(overrides, "has_torch_function", has_torch_function)
