"""Putting wrappers over attributes of torch, and taking them off again exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Patches"]

_ABSENT = object()


class Patches:
    """Attributes replaced for a while; `restore` puts back the very objects that were there, in reverse order."""

    def __init__(self) -> None:
        self._saved: list[tuple[Any, str, object, object]] = []
        self._undo: list[Callable[[], None]] = []
        self._closers: list[Callable[[], None]] = []
        self._aside: list[tuple[Any, str, object, object]] = []

    def replace(self, owner: Any, name: str, new: object) -> None:
        """Set `owner.name` to `new`, remembering what stood in the owner's own dictionary."""
        saved = vars(owner).get(name, _ABSENT)
        setattr(owner, name, new)
        self._saved.append((owner, name, saved, vars(owner).get(name)))

    def on_restore(self, undo: Callable[[], None]) -> None:
        """Call `undo` when everything is put back."""
        self._undo.append(undo)

    def on_close(self, undo: Callable[[], None]) -> None:
        """Call `undo` when watching ends, for what cannot be put back in the middle of the user's code."""
        self._closers.append(undo)

    @property
    def in_force(self) -> bool:
        """Whether anything is replaced, be it put aside at the moment."""
        return bool(self._saved)

    def put_aside(self) -> None:
        """Let the originals stand in their places until `put_back`."""
        for owner, name, saved, mine in reversed(self._saved):
            if vars(owner).get(name) is mine:
                _set(owner, name, saved)
                self._aside.append((owner, name, saved, mine))

    def put_back(self) -> None:
        """Replace again what was put aside, where nobody has replaced it meanwhile."""
        while self._aside:
            owner, name, saved, mine = self._aside.pop()
            if vars(owner).get(name, _ABSENT) is saved:
                setattr(owner, name, mine)

    def close(self) -> None:
        """Put everything back, and end what could not be ended before."""
        self.restore()
        while self._closers:
            self._closers.pop()()

    def restore(self) -> None:
        """Put everything back. What somebody else has replaced meanwhile is theirs and stays."""
        for undo in reversed(self._undo):
            undo()
        for owner, name, saved, mine in reversed(self._saved):
            if vars(owner).get(name) is not mine:
                continue
            _set(owner, name, saved)
        self._saved.clear()
        self._aside.clear()
        self._undo.clear()


def _set(owner: Any, name: str, saved: object) -> None:
    if saved is _ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, saved)
