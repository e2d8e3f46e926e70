"""Putting wrappers over attributes of torch, and taking them off again exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Patches"]

_ABSENT = object()


class Patches:
    """Attributes replaced for a while; `restore` puts back the very objects that were there, in reverse order."""

    def __init__(self) -> None:
        self._saved: list[_Patch] = []
        self._undo: list[Callable[[], None]] = []
        self._closers: list[Callable[[], None]] = []
        self._aside: list[_Patch] = []

    def replace(self, owner: Any, name: str, new: object) -> None:
        """Set `owner.name` to `new`, remembering what stood in the owner's own dictionary."""
        with _LOCK:
            saved = vars(owner).get(name, _ABSENT)
            setattr(owner, name, new)
            patch = _Patch(owner, name, saved, vars(owner).get(name))
            self._saved.append(patch)
            _IN_FORCE.append(patch)

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
        for patch in reversed(self._saved):
            if patch.is_on_top:
                patch.take_off()
                self._aside.append(patch)

    def put_back(self) -> None:
        """Replace again what was put aside, where nobody has replaced it meanwhile."""
        while self._aside:
            patch = self._aside.pop()
            if vars(patch.owner).get(patch.name, _ABSENT) is patch.saved:
                setattr(patch.owner, patch.name, patch.mine)

    def close(self) -> None:
        """Put everything back, and end what could not be ended before."""
        self.restore()
        while self._closers:
            self._closers.pop()()

    def restore(self) -> None:
        """Put everything back. What somebody else has replaced meanwhile is theirs and stays.

        Where another session's wrapper lies on top, this one is taken out from under it: when that ends in its turn, it
        puts back what stood there before this one.
        """
        for undo in reversed(self._undo):
            undo()
        with _LOCK:
            for patch in reversed(self._saved):
                if patch.is_on_top:
                    patch.take_off()
                elif (above := next((other for other in _IN_FORCE if other.lies_on(patch)), None)) is not None:
                    above.saved = patch.saved
                _IN_FORCE.remove(patch)
        self._saved.clear()
        self._aside.clear()
        self._undo.clear()


@dataclass(eq=False, slots=True)
class _Patch:
    """One attribute: what stood in its owner's dictionary, and what stands there now."""

    owner: Any
    name: str
    saved: object
    mine: object

    @property
    def is_on_top(self) -> bool:
        return vars(self.owner).get(self.name) is self.mine

    def lies_on(self, other: _Patch) -> bool:
        """Whether this one was put over `other`."""
        return self.owner is other.owner and self.name == other.name and self.saved is other.mine

    def take_off(self) -> None:
        if self.saved is _ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.saved)


_IN_FORCE: list[_Patch] = []
"""The patches of all sessions of the process, in the order in which they were put on."""
_LOCK = threading.RLock()
