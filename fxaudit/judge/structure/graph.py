"""The graph of what a symbolic trace wrote down."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from fxaudit.capture.recording import Record
from fxaudit.judge.graph import StepGraph, UnusedValue

__all__ = ["TracedGraph"]


class TracedGraph(StepGraph):
    """The graph of transcribed traces. The outputs of the models stand in for the loss."""

    def __init__(self, record: Record, outputs: Sequence[int]) -> None:
        self._outputs = tuple(dict.fromkeys(outputs))
        super().__init__(record)

    @functools.cached_property
    def losses(self) -> tuple[int, ...]:
        """The outputs."""
        return self._outputs

    def dead_end(self, track: int) -> UnusedValue | None:
        """Where the tensor's value goes no further, which an output is not."""
        found = super().dead_end(track)
        return None if found is None or found.value in self.reaching else found

    def _infer_python_edges(self) -> None:
        """A trace follows values through Python by itself: nothing is left to be inferred."""
