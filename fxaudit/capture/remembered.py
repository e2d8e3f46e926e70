"""What the last `watch` of this process recorded, for whoever asks about its tensors after the block.

Only plain data is kept: operations, lines, and by what the leaves can be recognised; no tensor, no graph, no reference.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import torch

from fxaudit.capture.reading import grad_fn_of, pointer_of, shape_of
from fxaudit.capture.recording import OpsBySequence, Record
from fxaudit.capture.session import Session

__all__ = ["Remembered", "forget", "remember", "remembered"]

Look = tuple[tuple[int, ...], torch.dtype, int | None]


@dataclass(frozen=True)
class Remembered:
    """The recording of a block that has ended."""

    record: Record
    thread: int
    leaves: dict[int, tuple[int, Look]]
    """`id` of a leaf → (its track, what it looked like)."""

    def made(self, loss: torch.Tensor) -> bool:
        """Whether `loss` was computed in that block: its `grad_fn` is one that a recorded operation made."""
        node = grad_fn_of(loss)
        if node is None or threading.get_ident() != self.thread or not hasattr(node, "_sequence_nr"):
            return False
        return OpsBySequence(self.record.ops).find(node._sequence_nr()) >= 0

    def track_of(self, leaf: torch.Tensor) -> int:
        """The track of `leaf`, -1 where it was not seen; an `id` alone may be another tensor's by now."""
        track, look = self.leaves.get(id(leaf), (-1, None))
        return track if look == _look(leaf) else -1


_LAST: list[Remembered] = []


def remember(session: Session) -> None:
    """Keep what `session` recorded, in place of what was kept before; the session is about to let go of it all."""
    leaves = {id(tensor): (track.index, _look(tensor)) for track, tensor in session.live_tracks()}
    _LAST[:] = [Remembered(session.record, session.recorder.thread, leaves)] if leaves else []


def remembered(loss: torch.Tensor) -> Remembered | None:
    """The last recording, if `loss` was computed in it."""
    return next((last for last in _LAST if last.made(loss)), None)


def forget() -> None:
    """Keep nothing any more."""
    _LAST.clear()


def _look(tensor: torch.Tensor) -> Look:
    return shape_of(tensor), tensor.dtype, pointer_of(tensor)
