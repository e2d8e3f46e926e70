"""One cheap hook that looks on at full speed: while the recording rests, and after it has ended."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch

from fxaudit.capture.session import Session
from fxaudit.capture.unheard import UnheardByModes
from fxaudit.judge.questions.rates import written_rate
from fxaudit.judge.rules.loop.stops_later import Stop
from fxaudit.judge.trail import source_at
from fxaudit.program.source import SourceLine
from fxaudit.run.put_backs import PutBacks

__all__ = ["Lookout", "Vigil"]

Line = tuple[SourceLine | None, str]

MAX_STEPS = 500
MAX_SECONDS = 30.0
SILENCE = 20
"""Steps without a gradient, until the end, after which a parameter is said to have stopped training."""


@dataclass(slots=True)
class _Waiting:
    """A tensor that has not trained so far, and what it was like then."""

    ref: weakref.ref[torch.Tensor]
    requires_grad: bool
    had_gradient: bool


class Vigil:
    """Looks after every optimizer step whether something happens for the first time.

    That is: an optimizer steps that never did, a learning rate leaves 0, a group is added, a tensor that was frozen
    requires grad, a gradient that is not zero arrives where none ever did, or old values come back again and again; or,
    where that is asked for, that no gradient is there any more.

    Args:
        session: A session that rests; it stays so until `on_news` wakes it.
        tracks: The tensors that have not been seen to train.
        on_news: Called after the first step at which something is new; the vigil has ended then.
        on_nothing: Called after 500 steps or 30 seconds without news, or as soon as nothing is waited for any more; the
            vigil has ended then, too.
        put_backs: What notices that old values come back; None where that is not waited for.
        is_all: Whether nothing else is waited for than old values that come back.
        is_for_silence: Whether it is news, too, that an optimizer steps without any gradient.
        is_for_another: Whether it is news already that another optimizer is built.
        on_parameter: Called where a parameter is about to be made, and the session can be woken; the vigil has ended
            then. None where that is no news.
    """

    def __init__(
        self,
        session: Session,
        tracks: Iterable[int],
        on_news: Callable[[], None],
        on_nothing: Callable[[], None],
        put_backs: PutBacks | None = None,
        *,
        is_all: bool = False,
        is_for_silence: bool = False,
        is_for_another: bool = False,
        on_parameter: Callable[[], None] | None = None,
    ) -> None:
        self._put_backs, self._is_all, self._is_for_silence = put_backs, is_all, is_for_silence
        self.steps = 0
        self._session = session
        self._on_news, self._on_nothing, self._on_parameter = on_news, on_nothing, on_parameter
        self._began = time.monotonic()
        self._waiting = [self._state(index) for index in tracks]
        self._rates_then = {info.index: _rates(info.ref()) for info in session.optimizers}
        session.on_step_unrecorded = self._after
        if is_for_another:
            session.on_built_unrecorded = self._built
        if on_parameter is not None:
            session.on_made_unrecorded = self._made

    def end(self) -> None:
        """Look no more."""
        self._session.on_step_unrecorded = self._session.on_built_unrecorded = None
        self._session.on_made_unrecorded = None

    def _made(self) -> None:
        """What becomes of a new parameter before the next optimizer is built is to be recorded, where that can be."""
        if self._session.may_wake and self._on_parameter is not None:
            self.end()
            self._on_parameter()

    def _built(self) -> None:
        """What the next optimizer holds, and what happens to that before its first step, is to be recorded."""
        self.end()
        self._on_news()

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
        elif (
            (self._is_all and self._put_backs is not None and not self._put_backs.is_open)
            or self.steps >= MAX_STEPS
            or time.monotonic() - self._began > MAX_SECONDS
        ):
            self.end()
            self._on_nothing()

    def _is_news(self, optimizer: Any) -> bool:
        if self._put_backs is not None and self._put_backs.period:
            return True
        known = next((info for info in self._session.optimizers if info.ref() is optimizer), None)
        if known is None or not known.steps:
            return True
        rates, before = _rates(optimizer), self._rates_then.get(known.index)
        if before is None or len(rates) != len(before):
            return True
        if any(not then and now for then, now in zip(before, rates, strict=True)):
            return True
        if self._is_for_silence and _is_silent(optimizer):
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
        with UnheardByModes():
            return bool(tensor.grad.any())


@dataclass(slots=True)
class _Trained:
    """A tensor that trained in the recorded steps, and when a gradient was last there for its optimizer's step."""

    name: str
    last: int = 0
    steps: int = 0
    rate: Any = None
    frozen: bool = False
    optimizer: int = -1
    """The `id` of the optimizer that stepped it last."""

    @property
    def silent(self) -> int:
        """The steps since then."""
        return self.steps - self.last


class Lookout:
    """Notices, once the recording has ended, parameters that trained and stop doing so.

    It looks at each `.grad` only to see whether there is one, refers to no tensor, not even weakly, and says what it
    saw in `stops`.
    """

    def __init__(self, session: Session) -> None:
        self._known = {id(optimizer): info for info in session.optimizers if (optimizer := info.ref()) is not None}
        self._record = session.record
        self._unseen: set[int] = set()
        self._trained: dict[int, _Trained] = {}
        for track, tensor in session.live_tracks():
            if any(fact.changed and fact.gradient == "finite" for fact in track.facts):
                name = session.names.get(track.index)
                if name is not None:
                    self._trained[id(tensor)] = _Trained(name)
        session.on_step_unrecorded = self._after

    def _after(self, optimizer: Any) -> None:
        if id(optimizer) not in self._known:
            self._unseen.add(id(optimizer))
        trained = self._trained
        for group in optimizer.param_groups:
            rate = group.get("lr")
            for parameter in group["params"]:
                known = trained.get(id(parameter))
                if known is not None:
                    known.steps += 1
                    known.rate, known.frozen = rate, not parameter.requires_grad
                    known.optimizer = id(optimizer)
                    if parameter.grad is not None and rate != 0:
                        known.last = known.steps

    def stops(self) -> list[Stop]:
        """What stopped, for at least 20 steps and a tenth of all, until the end."""
        found: dict[tuple[str, int, int, int], list[str]] = {}
        for known in self._trained.values():
            if known.silent >= SILENCE and known.silent * 10 >= known.steps:
                found.setdefault((_reason(known), known.silent, known.steps, known.optimizer), []).append(known.name)
        return [
            Stop(tuple(names), reason, silent, steps, reason == FROZEN, *self._lines(optimizer, reason))
            for (reason, silent, steps, optimizer), names in found.items()
        ]

    def _lines(self, optimizer: int, reason: str) -> tuple[SourceLine | None, tuple[Line, ...]]:
        """The schedule or the assignment that makes the rate 0; where something else stops it, no line is known."""
        info = self._known.get(optimizer)
        if info is None:
            return None, ()
        stacks = self._record.stacks
        related = ((stacks.source(info.created), "the optimizer is built here"),)
        if reason == RATE and info.schedulers:
            return stacks.source(info.schedulers[-1][0]), related
        written = written_rate(self._record, later=True) if reason == RATE else None
        return source_at(written.tree.file, written.line) if written is not None else None, related

    def notes(self) -> tuple[str, ...]:
        """How many optimizers came too late to be looked at."""
        count = len(self._unseen)
        more = (
            f"{count} more optimizer{'s' * (count > 1)} stepped after the recording had ended; what "
            f"{'they train' if count > 1 else 'it trains'} was not looked at.",
        )
        return more if count else ()


FROZEN, RATE = "it was frozen", "its learning rate is 0"


def _reason(known: _Trained) -> str:
    if known.frozen:
        return FROZEN
    return RATE if known.rate == 0 else "no gradient arrives"


def _is_silent(optimizer: Any) -> bool:
    """Whether nothing that it holds has a gradient."""
    return all(parameter.grad is None for group in optimizer.param_groups for parameter in group["params"])


def _rates(optimizer: Any) -> list[Any]:
    """The learning rate of each group."""
    return [group.get("lr") for group in getattr(optimizer, "param_groups", ())]
