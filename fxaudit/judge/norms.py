"""How large the gradients are that operations hand back to those before them, in the backwards that were looked at."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from fxaudit.capture.frozen import Flows, Recording
from fxaudit.capture.recording import OpsBySequence

__all__ = ["Norms"]

Place = tuple[int, str, int]
"""An operation of a round: its stack, its name, and how many like it ran before it since the last backward."""
Station = Place | int
"""An operation, or the track of a leaf."""


class Norms:
    """The 2-norms of gradients between operations.

    The rounds of a loop are alike: what was measured in one of them is known of the same operations in all. Of several
    backwards through one operation the largest counts.
    """

    def __init__(self, recording: Recording) -> None:
        self._record = recording.record
        self._between: dict[tuple[Station, Station], float] = {}
        self._at_roots: dict[Place, float] = {}
        looked = (*recording.measured, *recording.probes)
        self._places = self._placed() if looked else []
        finder = OpsBySequence(self._record.ops) if looked else None
        for flows in looked:
            assert finder is not None
            self._gather(flows, [self._station(flows, number, finder) for number in range(len(flows.flows))])

    @property
    def are_known(self) -> bool:
        """Whether any was measured."""
        return bool(self._between)

    def between(self, before: int, op: int) -> float | None:
        """The norm of what the operation `op` hands back to the operation `before`; None where nobody measured it."""
        return self._between.get((self._places[before], self._places[op])) if self._between else None

    def of_leaf(self, track: int, op: int) -> float | None:
        """The norm of what the operation `op` hands back to the leaf `track`."""
        return self._between.get((track, self._places[op])) if self._between else None

    def at_root(self, op: int) -> float | None:
        """The norm of what a backward begins with at the result of `op`."""
        return self._at_roots.get(self._places[op]) if self._at_roots else None

    def _placed(self) -> list[Place]:
        ends = [event.time for event in self._record.backwards()]
        taken: Counter[tuple[int, str]] = Counter()
        found: list[Place] = []
        passed = 0
        for op in self._record.ops:
            while passed < len(ends) and ends[passed] <= op.index:
                taken.clear()
                passed += 1
            found.append((op.stack, op.name, taken[op.stack, op.name]))
            taken[op.stack, op.name] += 1
        return found

    def _station(self, flows: Flows, number: int, finder: OpsBySequence) -> Station | None:
        flow = flows.flows[number]
        if flow.track >= 0:
            return flow.track
        op = finder.find(flow.sequence)
        return self._places[op] if op >= 0 else None

    def _gather(self, flows: Flows, stations: Sequence[Station | None]) -> None:
        handed: dict[tuple[Station, Station], list[tuple[float, int]]] = {}
        into: Counter[int] = Counter()
        for number, position, following in _edges(flows):
            into[following] += 1
            here, there = stations[number], stations[following]
            if here is None or there is None or here == there:
                continue
            norm = flows.flows[number].handed[position]
            handed.setdefault((there, here), []).append((norm, following))
        for pair, found in handed.items():
            whole = _together(flows, found, into)
            if whole is not None:
                self._between[pair] = max(_short(whole), self._between.get(pair, 0.0))
        for number, flow in enumerate(flows.flows):
            place = stations[number]
            if not into[number] and flow.visited and isinstance(place, tuple) and math.isfinite(flow.came):
                self._at_roots[place] = max(_short(flow.came), self._at_roots.get(place, 0.0))


def _edges(flows: Flows) -> Iterator[tuple[int, int, int]]:
    """(node, position, node that it hands a gradient to) of all that flowed."""
    for number, flow in enumerate(flows.flows):
        for position, (following, _) in enumerate(flows.edges[number]):
            if following >= 0 and position < len(flow.outgoing) and flow.outgoing[position] != "none":
                yield number, position, following


def _together(flows: Flows, found: Sequence[tuple[float, int]], into: Counter[int]) -> float | None:
    """The norm of what one operation hands another on all edges together; None where it is not known."""
    norms = [norm for norm, _ in found]
    if not all(map(math.isfinite, norms)):
        return None
    if len(norms) == 1 or not any(norms):
        return norms[0]
    ends = {following for _, following in found}
    if len(ends) == len(norms):
        return math.hypot(*norms)  # to different results of it
    came = [flows.flows[end].came for end in ends]
    # What comes on several ways to one node is added up there.
    whole = sum(into[end] for end in ends) == len(norms) and all(map(math.isfinite, came))
    return math.hypot(*came) if whole else None


def _short(norm: float) -> float:
    """A norm a little more precise than it is shown."""
    return float(f"{norm:.4g}")
