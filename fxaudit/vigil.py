"""Waiting, at full speed, for what the recorded steps have not shown: recording rests, one cheap hook stays."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch

from fxaudit.capture.session import Session

__all__ = ["Vigil"]

MAX_STEPS = 500
MAX_SECONDS = 30.0


@dataclass(slots=True)
class _Waiting:
    """A tensor that has not trained so far, and what it was like then."""

    ref: weakref.ref[torch.Tensor]
    requires_grad: bool
    had_gradient: bool


class Vigil:
    """Looks after every optimizer step whether something happens for the first time.

    That is: an optimizer steps that never did, a learning rate leaves 0, a group is added, a tensor that was frozen
    requires grad, or a gradient that is not zero arrives where none ever did.

    Args:
        session: A session that rests; it stays so until `on_news` wakes it.
        tracks: The tensors that have not been seen to train.
        on_news: Called after the first step at which something is new; the vigil has ended then.
        on_nothing: Called after 500 steps or 30 seconds without news; the vigil has ended then, too.
    """

    def __init__(
        self, session: Session, tracks: Iterable[int], on_news: Callable[[], None], on_nothing: Callable[[], None]
    ) -> None:
        self.steps = 0
        self._session = session
        self._on_news, self._on_nothing = on_news, on_nothing
        self._began = time.monotonic()
        self._waiting = [self._state(index) for index in tracks]
        self._rates_then = {info.index: _rates(info.ref()) for info in session.optimizers}
        session.on_step_at_rest = self._after

    def end(self) -> None:
        """Look no more."""
        self._session.on_step_at_rest = None

    def _state(self, index: int) -> _Waiting:
        track = self._session.record.tracks[index]
        tensor = track.ref()
        had = any(fact.gradient == "finite" for fact in track.facts)
        return _Waiting(track.ref, tensor is not None and tensor.requires_grad, had)

    def _after(self, optimizer: Any) -> None:
        self.steps += 1
        if self._is_news(optimizer):
            self.end()
            self._on_news()
        elif self.steps >= MAX_STEPS or time.monotonic() - self._began > MAX_SECONDS:
            self.end()
            self._on_nothing()

    def _is_news(self, optimizer: Any) -> bool:
        known = next((info for info in self._session.optimizers if info.ref() is optimizer), None)
        if known is None or not known.steps:
            return True
        rates, before = _rates(optimizer), self._rates_then.get(known.index)
        if before is None or len(rates) != len(before):
            return True
        if any(not then and now for then, now in zip(before, rates, strict=True)):
            return True
        return any(self._has_changed(waiting) for waiting in self._waiting)

    def _has_changed(self, waiting: _Waiting) -> bool:
        tensor = waiting.ref()
        if tensor is None:
            return False
        if tensor.requires_grad and not waiting.requires_grad:
            return True
        if waiting.had_gradient or tensor.grad is None:
            return False
        with torch._C.DisableTorchFunction():
            return bool(tensor.grad.any())


def _rates(optimizer: Any) -> list[Any]:
    """The learning rate of each group."""
    return [group.get("lr") for group in getattr(optimizer, "param_groups", ())]
