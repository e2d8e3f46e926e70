"""Which work without gradient is the same again: the same line, computed from the same tensors, since the last step.

An evaluation, a sampler, a solver or an environment does the same operations again and again. Two rounds of each say
all that a third would: where it happens, and which parameters and results it comes from. What a value comes from is
kept as a set of bits, one for each leaf, and for each value made before the last step or with gradient.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

from fxaudit.capture.recording import Record

__all__ = ["ENOUGH", "KEPT", "KEPT_NUMBERS", "Repeats", "Site"]

ENOUGH = 2
"""So many rounds of the same work are recorded between two steps."""
KEPT, KEPT_NUMBERS = 8, 64
"""Of what left torch at one line, and was not recorded, so many of the latest results are recognised when they come
back, and so many numbers of each."""

Entry = TypeVar("Entry", bound=tuple[Any, ...])


class Site:
    """One kind of work: how often it was recorded, and the operation that was recorded last."""

    __slots__ = ("count", "latest", "op")

    def __init__(self) -> None:
        self.count = 0
        self.op = -1
        self.latest: deque[tuple[list[int], int | None]] = deque()
        """(`id`s, pointer) of the latest results that left torch here without being recorded."""


class Repeats:
    """What was recorded since the last step, by kind."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._sites: dict[Hashable, Site] = {}
        self._writers: dict[int, list[Site]] = {}
        self.origins: dict[int, int] = {}
        """Value → what it comes from, as far as that was asked for since the last step."""
        self._bits: dict[int, int] = {}

    def forget(self) -> None:
        """A step begins or ends: all is recorded anew."""
        self._sites.clear()
        self._writers.clear()
        self.origins.clear()
        self._bits.clear()

    def site(self, key: Hashable) -> Site:
        """The site of this kind of work, new at first sight."""
        known = self._sites.get(key)
        if known is None:
            known = self._sites[key] = Site()
        return known

    def append(self, entries: list[Entry], entry: Entry, key: Hashable) -> None:
        """Append `entry`, which begins with its time; of the same ones since the last step the latest displaces the one
        before it, once there are enough."""
        site = self.site(key)
        site.count += 1
        if site.count > ENOUGH:
            same = (number for number in reversed(range(len(entries))) if entries[number][1:] == entry[1:])
            if (last := next(same, None)) is not None:
                del entries[last]
        entries.append(entry)

    def note(self, site: Site, op: int, origin: int) -> None:
        """`op` was recorded at `site`; what it made comes from `origin`."""
        site.count += 1
        site.op = op
        for vid in self._record.ops[op].outputs:
            if self._record.values[vid].track < 0:
                self.origins[vid] = origin
        written = {self._record.values[vid].track for vid in self._record.ops[op].mutates} - {-1}
        for track in written:
            others = self._writers.setdefault(track, [])
            if site not in others:
                for other in others:  # so that of several lines the one that wrote last is the last on record
                    other.count = 0
                others.append(site)

    def origin(self, vids: Iterable[int]) -> int:
        """What these values come from."""
        found = 0
        for vid in vids:
            known = self.origins.get(vid)
            if known is None:
                known = self.origins[vid] = self._first(vid)
            found |= known
        return found

    def inherit(self, vid: int, other: int) -> None:
        """`vid` comes from what `other` comes from."""
        self.origins[vid] = self.origin((other,))

    def _first(self, vid: int) -> int:
        value = self._record.values[vid]
        if value.track < 0 and value.op < 0 and not value.requires_grad:
            return 0  # data
        token = -1 - value.track if value.track >= 0 else vid
        return 1 << self._bits.setdefault(token, len(self._bits))
