"""Whether what the steps do to the parameters is undone every few steps: the values from before come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from fxaudit.capture.processes import digest
from fxaudit.capture.session import Session

__all__ = ["PutBacks"]

ENOUGH, ENOUGH_OF_OTHERS = 2, 3
"""How often the first values, or others, have to come back, with steps in between and nothing else in place of them."""
MAX_ELEMENTS = 50_000_000
"""The values of a larger model are not looked at."""
MAX_PARTS = 16
"""So many parts of a model are looked at apart."""


@dataclass
class _Part:
    """The tensors of one part of a model that one optimizer holds."""

    first: dict[int, str]
    """Track → what the value was before the first step."""
    place: tuple[int, int] = (0, -1)
    """(group, position) of the tensor that is looked at around each step."""
    after: str = ""
    """What that one was after the last step."""
    seen: list[tuple[int, dict[int, str]]] = field(default_factory=list)
    """(after how many steps, track → value) of each time that something else wrote them."""
    is_over: bool = False
    """Another optimizer took them over: what begins anew then is meant to."""
    is_drawn: bool = False
    """All of them were drawn at random by what will do so again."""

    @property
    def moves(self) -> bool:
        """Whether what was written there was not always the same, and was not drawn anew either."""
        return self.is_over or (not self.is_drawn and any(values != self.seen[0][1] for _, values in self.seen))

    @property
    def is_first(self) -> bool:
        """Whether what came back is what was there before the first step."""
        return bool(self.seen) and self.seen[0][1] == self.first

    @property
    def is_put_back(self) -> bool:
        """Whether the same values came back, often enough."""
        return not self.moves and len(self.seen) >= (ENOUGH if self.is_first or self.is_drawn else ENOUGH_OF_OTHERS)

    @property
    def period(self) -> int:
        """After how many steps they came back the last time; 0 where they did not yet, or others did."""
        return self.seen[-1][0] - self.seen[-2][0] if len(self.seen) >= ENOUGH and not self.moves else 0


class PutBacks:
    """Looks at the parameters of each optimizer around its steps, whether the recording goes on, rests or has ended.

    One small tensor of each part of a model is looked at around each step, and all of the part where that was written
    by something else. Nothing refers to a tensor in between.

    Args:
        session: The session; its optimizers are looked at.
        is_to_be_seen: Whether the program may put values back; asked once, before the first step.
        comes_again: Whether it did so already, where it will come again, and what it drew at random; asked at the same
            time.
    """

    def __init__(
        self,
        session: Session,
        is_to_be_seen: Callable[[], bool],
        comes_again: Callable[[], tuple[bool, frozenset[int]]] = lambda: (False, frozenset()),
    ) -> None:
        self._session = session
        self._is_to_be_seen, self._asks_what_comes_again = is_to_be_seen, comes_again
        self.comes_again = False
        """What wrote into parameters before the first step will do so again."""
        self._drawn: frozenset[int] = frozenset()
        """The tracks that will be drawn anew then."""
        self._is_on: bool | None = None
        self._parts: dict[int, dict[str, _Part]] = {}
        """Optimizer → name of a part → the part."""
        self._states: dict[int, int] = {}
        """Optimizer → the identity of its state after its last step: where that is loaded, too, it is meant to begin
        anew."""
        self._steps: dict[int, int] = {}
        session.on_step_begins, session.on_step_ended = self._begins, self._ended

    @property
    def is_open(self) -> bool:
        """Whether values may yet be put back that the steps so far have not shown."""
        return bool(self._is_on) and not self.found and any(not part.moves for part in self._all())

    @property
    def has_begun(self) -> bool:
        """Whether old values came back, though not often enough yet."""
        return any(part.seen and not part.moves for part in self._all())

    @property
    def found(self) -> dict[int, tuple[int, int, bool]]:
        """Track → (how often its old value came back, after how many steps the last time, whether that was the value
        before the first step)."""
        parts = [part for part in self._all() if part.is_put_back]
        return {track: (len(part.seen), part.period, part.is_first) for part in parts for track in part.first}

    @property
    def drawn(self) -> set[int]:
        """The tracks of `found` that were drawn anew."""
        return {track for part in self._all() if part.is_put_back and part.is_drawn for track in part.first}

    @property
    def period(self) -> int:
        """After how many steps the same values came back the last time; 0 where they have not twice."""
        return max((part.period for part in self._all()), default=0)

    def end(self) -> None:
        """Look no more."""
        self._session.on_step_begins = self._session.on_step_ended = None

    def _all(self) -> Iterator[_Part]:
        for parts in self._parts.values():
            yield from parts.values()

    def _begins(self, optimizer: Any) -> None:
        if self._is_on is None:
            self.comes_again, self._drawn = self._asks_what_comes_again()
            self._is_on = self.comes_again or self._is_to_be_seen()
        if not self._is_on:
            return
        number = self._number(optimizer)
        if number not in self._parts:
            self._parts[number] = self._taken_up(optimizer)
            return
        is_anew = self._states.get(number, id(optimizer.state)) != id(optimizer.state)
        for name, part in self._parts[number].items():
            part.is_over = part.is_over or is_anew
            tensor = _tensor_at(optimizer, part.place)
            if tensor is not None and not part.is_over and digest(tensor) != part.after:
                part.seen.append((self._steps.get(number, 0), self._values(optimizer).get(name, {})))

    def _ended(self, optimizer: Any) -> None:
        if not self._is_on:
            return
        number = self._number(optimizer)
        self._steps[number] = self._steps.get(number, 0) + 1
        self._states[number] = id(optimizer.state)
        for part in self._parts.get(number, {}).values():
            if part.place[1] < 0:
                part.place = self._smallest(optimizer, part)
            tensor = _tensor_at(optimizer, part.place)
            if tensor is not None:
                part.after = digest(tensor)

    def _taken_up(self, optimizer: Any) -> dict[str, _Part]:
        """The parts that an optimizer holds; those that an earlier one held are over."""
        found = self._values(optimizer)
        held = (self._values(each) for info in self._session.optimizers if (each := info.ref()) is not None)
        every = [*found.values(), *(values for parts in held for values in parts.values())]
        is_drawn = all(self._drawn.issuperset(values) for values in every)  # a new head alone may be meant
        parts = {name: _Part(values, is_drawn=is_drawn) for name, values in found.items()}
        own = {track for part in parts.values() for track in part.first}
        for other in self._all():
            other.is_over = other.is_over or not own.isdisjoint(other.first)
        return parts

    def _number(self, optimizer: Any) -> int:
        return next((info.index for info in self._session.optimizers if info.ref() is optimizer), -1)

    def _smallest(self, optimizer: Any, part: _Part) -> tuple[int, int]:
        """The place of the smallest tensor of several elements that has a gradient."""
        candidates = [
            (tensor.numel(), place)
            for place, track, tensor in self._tensors(optimizer)
            if track in part.first and tensor.grad is not None and tensor.numel() > 1
        ]
        return min(candidates, default=(0, (0, -1)))[1]

    def _values(self, optimizer: Any) -> dict[str, dict[int, str]]:
        """Name of a part → track → value."""
        tensors = [(track, tensor) for _, track, tensor in self._tensors(optimizer) if tensor.requires_grad]
        if sum(tensor.numel() for _, tensor in tensors) > MAX_ELEMENTS:
            return {}
        names = {track: self._session.names.get(track, "").split(".")[:-1] for track, _ in tensors}
        depth = next((depth for depth in (2, 1) if len({(*n[:depth],) for n in names.values()}) <= MAX_PARTS), 0)
        found: dict[str, dict[int, str]] = {}
        for track, tensor in tensors:
            found.setdefault(".".join(names[track][:depth]), {})[track] = digest(tensor)
        return found

    def _tensors(self, optimizer: Any) -> Iterator[tuple[tuple[int, int], int, torch.Tensor]]:
        """(place, track, tensor) of each that the optimizer holds."""
        known = self._session.recorder.known_track
        for group, entries in enumerate(optimizer.param_groups):
            for position, parameter in enumerate(entries["params"]):
                track = known(parameter)
                if track is not None:
                    yield (group, position), track.index, parameter


def _tensor_at(optimizer: Any, place: tuple[int, int]) -> torch.Tensor | None:
    group, position = place
    if position < 0 or group >= len(optimizer.param_groups):
        return None
    parameters = optimizer.param_groups[group]["params"]
    return parameters[position] if position < len(parameters) else None
