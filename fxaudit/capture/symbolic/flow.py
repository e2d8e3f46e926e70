"""The operations of a symbolic trace as the flow of a program: asked the same questions as a recording."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
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
    None begins at what is only `returned_inside` an object.
    """

    def __init__(
        self, ops: Sequence[Operation], closed: Container[int] = (), returned_inside: Collection[int] = ()
    ) -> None:
        self._ops = ops
        self._closed = closed
        self._left_out = {op.index: returned_inside for op in ops if op.kind == "output" and returned_inside}
        self._users: dict[int, list[int]] = {}
        self._carrying: dict[int, list[int]] = {}
        for op in ops:
            for source in op.inputs:
                self._users.setdefault(source, []).append(op.index)
            for source in self.carried_sources(op.index):
                self._carrying.setdefault(source, []).append(op.index)

    @property
    def ends(self) -> tuple[int, ...]:
        """The outputs."""
        return tuple(op.index for op in self._ops if op.kind == "output")

    def made_of(self, index: int) -> Sequence[int]:
        """The operations that read it."""
        return self._users.get(index, ())

    def carrying_back_to(self, index: int) -> Sequence[int]:
        """Those of them that send gradient back to it."""
        return self._carrying.get(index, ())

    def sources(self, index: int) -> tuple[int, ...]:
        """The operations that it reads."""
        return self._ops[index].inputs

    def carried_sources(self, index: int) -> tuple[int, ...]:
        """Those of them to which it sends gradient."""
        if index in self._closed:
            return ()
        carries, left_out = self._ops[index].carries, self._left_out.get(index)
        return carries if left_out is None else tuple(source for source in carries if source not in left_out)

    def first_cut(self, start: Iterable[int]) -> int | None:
        """The first operation on the way to an end at which the gradient of `start` ends; None where it does not."""
        begun = list(start)
        if any(index in self.carrying for index in begun):
            return None
        cuts = (cut for index in self.carried_from(begun) for cut, _ in self.cuts_at(index))
        return min(cuts, default=None)
