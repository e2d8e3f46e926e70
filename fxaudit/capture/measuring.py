"""When the gradients between operations are measured: in one backward of those that leave parameters without any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fxaudit.capture.events import BackwardEvent
from fxaudit.capture.recording import LiveTrack

if TYPE_CHECKING:
    import torch

__all__ = ["MOST_NODES", "Measuring"]

MOST_NODES = 20_000
"""Gradients are measured in graphs of at most so many nodes."""


@dataclass
class Measuring:
    """Which backwards are measured. Where all parameters get gradient none is, and nothing is paid for it.

    In a loop the second backward of a line is the first that may be measured: in the round before another loss reached
    what this one does not.
    """

    at_once: bool = False
    """The first backward may be the only one: what gets no gradient in it will get none later."""
    reached: set[int] = field(default_factory=set)
    """The tracks that some backward reached."""
    seen: set[int] = field(default_factory=set)
    """The stacks of the backwards that there were."""
    done: set[int] = field(default_factory=set)
    """Those of which one was measured."""

    def begins(self, event: BackwardEvent, nodes: int, tracks: Iterable[tuple[LiveTrack, torch.Tensor]]) -> bool:
        """Whether to measure this backward, in which gradients go through so many `nodes`; asked once of each."""
        self.reached |= event.reached
        is_known = event.stack in self.seen
        self.seen.add(event.stack)
        if event.error or event.stack in self.done or nodes > MOST_NODES or not (is_known or self.at_once):
            return False
        if any(t.is_parameter and x.requires_grad and t.index not in self.reached for t, x in tracks):
            self.done.add(event.stack)
            return True
        return False
