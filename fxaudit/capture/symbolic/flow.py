"""The operations of a symbolic trace as the flow of a program: asked the same questions as a recording."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Protocol

from fxaudit.program.flow import Flow

__all__ = ["TraceFlow"]


class Operation(Protocol):
    """What has to be known of an operation of a trace: its number, and those that it reads."""

    @property
    def index(self) -> int:
        """Its place in the trace."""

    @property
    def kind(self) -> str:
        """`output` for what the model returns."""

    @property
    def inputs(self) -> tuple[int, ...]:
        """The operations whose data it reads."""

    @property
    def carries(self) -> tuple[int, ...]:
        """Those of them to which gradient flows back."""


class TraceFlow(Flow):
    """What each operation of a trace reads, and what reads it; the outputs of the model are the ends.

    No gradient passes the operations that are `closed`: what could not be followed, or what another way leaves out.
    """

    def __init__(self, ops: Sequence[Operation], closed: Container[int] = ()) -> None:
        self._ops = ops
        self._closed = closed
        self._users: dict[int, list[int]] = {}
        for op in ops:
            for source in op.inputs:
                self._users.setdefault(source, []).append(op.index)

    @property
    def ends(self) -> tuple[int, ...]:
        """The outputs."""
        return tuple(op.index for op in self._ops if op.kind == "output")

    def made_of(self, index: int) -> Sequence[int]:
        """The operations that read it."""
        return self._users.get(index, ())

    def carrying_back_to(self, index: int) -> Iterable[int]:
        """Those of them that send gradient back to it."""
        return (user for user in self.made_of(index) if index in self._ops[user].carries and user not in self._closed)

    def sources(self, index: int) -> tuple[int, ...]:
        """The operations that it reads."""
        return self._ops[index].inputs

    def carried_sources(self, index: int) -> tuple[int, ...]:
        """Those of them to which it sends gradient."""
        return self._ops[index].carries if index not in self._closed else ()

    def first_cut(self, start: Iterable[int]) -> int | None:
        """The first operation on the way to an end at which the gradient of `start` ends; None where it does not."""
        begun = list(start)
        if any(index in self.carrying for index in begun):
            return None
        cuts = (cut for index in self.carried_from(begun) for cut, _ in self.cuts_at(index))
        return min(cuts, default=None)
