"""Data flow between boxes, gathered from the flow between single operations.

What lies in no box (a residual addition in an opened module's own forward) is passed through. The set of boxes that a
value comes from is a bit mask, so a step of thousands of operations costs one pass over its edges.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from fxaudit.answer.picture_data import GraphData
from fxaudit.program.flow import beyond

__all__ = ["Arrow", "BoxEdge", "Flow", "arrows", "box_edges", "kept", "norms_of", "receiving"]


@dataclass(frozen=True, slots=True)
class Arrow:
    """All parallel edges between two nodes as one: `state` is `grad`, `none`, `cut` or `python`."""

    source: int
    target: int
    state: str


@dataclass(frozen=True, slots=True)
class BoxEdge:
    """An arrow between two boxes; `at` is the node behind the cut, -1 where there is none."""

    source: int
    target: int
    state: str
    at: int = -1


@dataclass
class _Origins:
    """Where a value comes from: boxes to which gradient can still return, boxes to which it cannot, and cut ones."""

    grad: int = 0
    none: int = 0
    cuts: dict[Arrow, int] = field(default_factory=dict)

    def add(self, other: _Origins, arrow: Arrow) -> None:
        self.none |= other.none
        for cut, boxes in other.cuts.items():
            self.cuts[cut] = self.cuts.get(cut, 0) | boxes
        match arrow.state:
            case "grad":
                self.grad |= other.grad
            case "none":
                self.none |= other.grad
            case _ if other.grad:
                self.cuts[arrow] = self.cuts.get(arrow, 0) | other.grad


def arrows(data: GraphData) -> list[Arrow]:
    """The edges of `data` along which values flow, parallel ones joined, in the order of their targets."""
    count, nodes = len(data.nodes), data.nodes
    kinds: dict[int, int] = {}
    for edge in data.edges:
        if edge.kind != "holds" and edge.source != edge.target:
            key = edge.target * count + edge.source
            kinds[key] = kinds.get(key, 0) | _FLAGS.get(edge.kind, _CUT if edge.cut else 0)
    found = []
    for key in sorted(kinds):
        target, source = divmod(key, count)
        state = next((state for flag, state in _STATES if kinds[key] & flag), "")
        carried = nodes[source].carries_gradient and nodes[target].carries_gradient
        found.append(Arrow(source, target, state or ("grad" if carried else "none")))
    return found


_CUT = 4
_FLAGS = {"grad": 1, "python": 2}
_STATES = ((1, "grad"), (2, "python"), (_CUT, "cut"))
"""What joined edges are, first that which any of them makes them."""


def receiving(data: GraphData, flow: Sequence[Arrow]) -> set[int]:
    """The nodes to which a loss sends gradient; all of them where no loss is drawn, or not everything is."""
    losses = [number for number, node in enumerate(data.nodes) if node.kind == "loss"]
    if not losses or data.left_out:
        return set(range(len(data.nodes)))
    before: dict[int, list[int]] = {}
    for arrow in flow:
        if arrow.state == "grad":
            before.setdefault(arrow.target, []).append(arrow.source)
    return beyond(losses, lambda node: before.get(node, ()))


class Flow:
    """The arrows of a graph and the order in which values are made: what all pictures of one report share."""

    def __init__(self, data: GraphData) -> None:
        self.data = data
        self.arrows = arrows(data)
        self.receiving = receiving(data, self.arrows)
        self.order = _topological(len(data.nodes), self.arrows)
        self.into: dict[int, list[Arrow]] = {}
        for arrow in self.arrows:
            self.into.setdefault(arrow.target, []).append(arrow)


def box_edges(flow: Flow, place_of: Sequence[int], drawn: Sequence[int], near: Sequence[int]) -> list[BoxEdge]:
    """The arrows between boxes; longer ways round replace short cuts.

    `place_of[i]` is the place of node `i` or -1, `drawn[p]` the box of place `p`, and `near[p]` the bit mask of the
    places from which arrows to `p` are drawn. A cut is drawn wherever it comes from if it is nowhere else.
    """
    origins: list[_Origins] = [_NOWHERE] * len(place_of)
    found: dict[tuple[int, int, str], int] = {}
    for node in flow.order:
        place, into = place_of[node], flow.into.get(node, ())
        gathered = _Origins() if into else _NOWHERE
        for arrow in into:
            gathered.add(origins[arrow.source], arrow)
        if place < 0:
            origins[node] = gathered
            continue
        origins[node] = _Origins(grad=1 << place)
        for state, mask in (("grad", gathered.grad), ("none", gathered.none & ~gathered.grad)):
            for source in _bits(mask & near[place]):
                found.setdefault((drawn[source], drawn[place], state), -1)
        for cut, mask in gathered.cuts.items():
            for source in _bits(mask & near[place] or mask):
                found.setdefault((drawn[source], drawn[place], cut.state), cut.target)
    edges = [BoxEdge(source, target, state, at) for (source, target, state), at in found.items() if source != target]
    return kept(_cut_once(sorted(edges, key=lambda edge: (edge.source, edge.target, edge.state)), flow.data))


_NOWHERE = _Origins()


def norms_of(
    edges: Sequence[BoxEdge], data: GraphData, place_of: Sequence[int], drawn: Sequence[int]
) -> dict[tuple[int, int], float]:
    """The norms of the gradients that come back along arrows between boxes, where they were measured.

    What leaves a box by its only arrow is all that leaves it; of several arrows the direct ones are told.
    """
    known = [edge for edge in data.edges if edge.kind == "grad"]
    if all(edge.norm is None for edge in known):
        return {}
    box_of = [drawn[place] if place >= 0 else -1 for place in place_of]
    leaving: dict[int, list[tuple[int, float | None]]] = {}
    for edge in known:
        source, target = box_of[edge.source], box_of[edge.target]
        if source >= 0 and source != target:
            leaving.setdefault(source, []).append((target, edge.norm))
    out = Counter(edge.source for edge in edges if edge.state == "grad")
    found: dict[tuple[int, int], float] = {}
    for box in edges:
        ways = leaving.get(box.source, []) if box.state == "grad" else []
        if out[box.source] > 1:
            ways = [way for way in ways if way[0] == box.target]
        norms = [norm for _, norm in ways if norm is not None]
        if norms and len(norms) == len(ways):
            found[box.source, box.target] = math.hypot(*norms)
    return found


def _cut_once(edges: list[BoxEdge], data: GraphData) -> list[BoxEdge]:
    """`edges` without the cut arrows from a box whose value comes there through another arrow of the same cut.

    What is cut off flows on to every box behind the cut (a residual stream): the first ones tell it.
    """
    onward: dict[int, int] = {}
    for edge in edges:
        if edge.state == "grad":
            onward[edge.source] = onward.get(edge.source, 0) | 1 << edge.target
    alike: dict[tuple[int, str, int], list[BoxEdge]] = {}
    for edge in edges:
        if edge.at >= 0:
            line = data.nodes[edge.at].source
            alike.setdefault((edge.source, edge.state, line if line >= 0 else -2 - edge.at), []).append(edge)
    told = {
        edge
        for group in alike.values()
        for edge in group
        if any(
            near.target != edge.target
            and _reaches(near.target, edge.target, onward)
            and not _reaches(edge.target, near.target, onward)
            for near in group
        )
    }
    return [edge for edge in edges if edge not in told]


def kept(edges: list[BoxEdge]) -> list[BoxEdge]:
    """`edges` without those that a longer way round says as well. A cut is always kept."""
    strong = {(e.source, e.target) for e in edges if e.state == "grad"}
    cut = {(e.source, e.target) for e in edges if e.state in ("cut", "python")}
    edges = [e for e in edges if e.state != "none" or (e.source, e.target) not in strong | cut]
    grad = _reduced([e for e in edges if e.state == "grad"], [])
    cuts = [e for e in edges if e.state in ("cut", "python")]
    none = _reduced([e for e in edges if e.state == "none"], [*grad, *cuts])
    return sorted([*grad, *cuts, *none], key=lambda edge: (edge.source, edge.target, edge.state))


def _reduced(edges: list[BoxEdge], others: list[BoxEdge]) -> list[BoxEdge]:
    successors: dict[int, int] = {}
    for edge in (*edges, *others):
        successors[edge.source] = successors.get(edge.source, 0) | 1 << edge.target
    result = []
    # Long arrows first: what they say is most likely said by several short ones.
    for edge in sorted(edges, key=lambda e: (e.source - e.target, e.source)):
        successors[edge.source] &= ~(1 << edge.target)
        if _reaches(edge.source, edge.target, successors):
            continue
        successors[edge.source] |= 1 << edge.target
        result.append(edge)
    return result


def _reaches(source: int, target: int, successors: dict[int, int]) -> bool:
    seen = frontier = successors.get(source, 0)
    while frontier:
        if seen >> target & 1:
            return True
        following = 0
        for box in _bits(frontier):
            following |= successors.get(box, 0)
        frontier = following & ~seen
        seen |= following
    return False


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def _topological(count: int, flow: Sequence[Arrow]) -> list[int]:
    """All nodes, sources first; nodes on a cycle (a buffer that feeds itself) follow in the order of their indices."""
    waiting = [0] * count
    after: list[list[int]] = [[] for _ in range(count)]
    for arrow in flow:
        waiting[arrow.target] += 1
        after[arrow.source].append(arrow.target)
    ready = deque(node for node in range(count) if not waiting[node])
    order = []
    while ready:
        node = ready.popleft()
        order.append(node)
        for target in after[node]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return order + [node for node in range(count) if waiting[node] > 0]
