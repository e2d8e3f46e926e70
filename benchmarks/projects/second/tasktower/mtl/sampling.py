"""Which tasks take part in a step."""
from __future__ import annotations


class RoundRobin:
    """`per_step` tasks at a time, going round all of them."""

    def __init__(self, names, per_step: int) -> None:
        self.names = list(names)
        self.per_step = per_step
        self._pos = 0

    def draw(self) -> list[str]:
        picked = [self.names[(self._pos + k) % len(self.names)] for k in range(self.per_step)]
        self._pos = (self._pos + self.per_step) % len(self.names)
        return picked
