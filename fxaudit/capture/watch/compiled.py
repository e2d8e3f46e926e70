"""Staying out of compiled code: while `torch.compile` looks at Python frames, every wrapper is off."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.capture.patches import Patches
from fxaudit.capture.values import gradient_states

if TYPE_CHECKING:
    from fxaudit.capture.session import Session

__all__ = ["eagerly", "install"]


def eagerly() -> contextlib.AbstractContextManager[object]:
    """Run compiled callables as they were written, so that their inside can be recorded."""
    if "torch._dynamo.eval_frame" not in sys.modules:
        return contextlib.nullcontext()
    stance: contextlib.AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance


def install(session: Session, patches: Patches) -> None:
    """Put the wrappers over `torch.compile`, and over its compiler where that is in use already.

    What the compiler meets is compiled: it would take fxaudit's wrappers for part of the user's model, and fail on
    them (torch 2.6 to 2.13). It says by itself when it begins and ends to look at frames.
    """
    switch = Patches()
    patches.on_restore(switch.restore)
    _watch_switch(session, patches, switch)
    original = torch.compile

    @functools.wraps(original)
    def compile(*args: Any, **kwargs: Any) -> Any:
        outcome = original(*args, **kwargs)
        _watch_switch(session, patches, switch)
        return outcome

    switch.replace(torch, "compile", compile)


def _watch_switch(session: Session, patches: Patches, switch: Patches) -> None:
    """Take the wrappers off while the compiler looks at frames, and put them on again afterwards."""
    frames = sys.modules.get("torch._dynamo.eval_frame")
    if frames is None or not patches.in_force:
        return
    name = "_maybe_set_eval_frame" if hasattr(frames, "_maybe_set_eval_frame") else "set_eval_frame"
    original: Callable[[Any], Any] = getattr(frames, name)
    if getattr(original, "_session", None) is session:
        return

    entered: list[FrameType] = []  # compiled code that calls compiled code is one stay
    before: list[Outside | None] = []

    def set_eval_frame(callback: Any) -> Any:
        recorder = session.recorder
        if threading.get_ident() != recorder.thread and os.getpid() == recorder.process:
            return original(callback)
        caller = sys._getframe(1)
        if entered:
            outcome = original(callback)
            if not callable(callback) and (entered[0] is caller or not _is_running(entered[0], caller)):
                entered.clear()
                session.step_back()
                if (outer := before.pop()) is not None:
                    outer.close()
            return outcome
        if callable(callback):
            entered.append(caller)
            outer = Outside(session) if not recorder.module_stack else None
            before.append(outer)
            session.step_aside()
        return original(callback)

    set_eval_frame._session = session  # type: ignore[attr-defined]
    switch.replace(frames, name, set_eval_frame)


def _is_running(wanted: FrameType, frame: FrameType | None) -> bool:
    """Whether `wanted` is among the frames from `frame` outwards."""
    while frame is not None and frame is not wanted:
        frame = frame.f_back
    return frame is not None


class Outside:
    """One stay in compiled code that no module stands for: a loss, or a whole training step."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._before: dict[int, tuple[object, ...]] = {}
        if session.on:
            session.compiled_calls.append(session.stack(3))
            self._before = self._state()

    def close(self) -> None:
        """Note what was trained inside."""
        if self._before:
            after = self._state()
            changed = {index for index, state in after.items() if self._before.get(index, state) != state}
            self._session.compiled_writes |= changed

    def _state(self) -> dict[int, tuple[object, ...]]:
        """Of each held tensor: what stands for its value and its gradient."""
        session = self._session
        held = {t for info in session.optimizers for _, members in info.groups for t in members}
        with session.quietly():
            found = [(track.index, tensor) for track, tensor in session.live_tracks() if track.index in held]
            values = gradient_states([tensor.detach() for _, tensor in found])
            gradients = gradient_states([tensor.grad for _, tensor in found])
        return {index: (*v, *g) for (index, _), v, g in zip(found, values, gradients, strict=True)}
