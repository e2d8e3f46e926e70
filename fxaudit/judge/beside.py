"""Which of several regions without gradients a parameter was to be used outside of: the one beside what does train."""

from __future__ import annotations

from functools import cached_property

from fxaudit.judge.graph import Cut, StepGraph

__all__ = ["Beside"]


class Beside:
    """Answers for one graph."""

    def __init__(self, graph: StepGraph) -> None:
        self._graph = graph
        self._stacks = graph.record.stacks
        self._depths: dict[int, int] = {}

    def nearest(self, cuts: list[Cut]) -> Cut:
        """Of cuts by regions the first one in the region that is opened deepest among the calls in which gradient comes
        from a loss; of several as deep the one in which nothing is used that gradient comes to otherwise.

        What is computed for a rollout, or as a target, runs in calls of its own, together with what trains, and rightly
        in such a region. What a loss is computed by runs in the same call as the rest of that loss.
        """
        regions: dict[int, Cut] = {}
        for cut in cuts:
            regions.setdefault(self._region(cut), cut)
        if len(regions) < 2:
            return cuts[0]
        deepest = max(map(self._depth, regions))
        beside = [cut for region, cut in regions.items() if self._depth(region) == deepest]
        return next((cut for cut in beside if self._region(cut) not in self._with_what_trains), beside[0])

    def _region(self, cut: Cut) -> int:
        return self._graph.record.ops[cut.op].region

    @cached_property
    def _with_what_trains(self) -> frozenset[int]:
        """The regions in which a tensor is used to which gradient comes from a loss."""
        values = self._graph.record.values
        reads = [(op.region, {values[vid].track for vid in op.inputs}) for op in self._graph.ops if op.region >= 0]
        tracks = set[int]().union(*(read for _, read in reads)) - {-1}
        trained = {track for track in tracks if self._graph.carries_to_loss(track)}
        return frozenset(region for region, read in reads if not read.isdisjoint(trained))

    @cached_property
    def _running(self) -> frozenset[tuple[int, int]]:
        """The calls in which something runs that carries gradient from a loss: (`id` of the code, where it is called
        from)."""
        frames: set[int] = set()
        for stack, _ in self._graph.carrying_calls:
            while stack >= 0 and stack not in frames:
                frames.add(stack)
                stack = self._stacks.parents[stack]
        return frozenset(map(self._call, frames))

    def _call(self, frame: int) -> tuple[int, int]:
        return id(self._stacks.codes[frame]), self._stacks.parents[frame]

    def _depth(self, region: int) -> int:
        """How many calls are around the innermost one in which both the region is opened and gradient is carried."""
        known = self._depths.get(region)
        if known is None:
            chain = self._stacks.chain(region)
            inside = (len(chain) - i for i, frame in enumerate(chain) if self._call(frame) in self._running)
            known = self._depths[region] = next(inside, 0)
        return known
