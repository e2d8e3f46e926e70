"""A program as what is made of what: the ways that values take to its ends, and the ways that gradient takes back.

Two sources of operations are followed by it: the values of a recording, and the operations of a symbolic trace. Knows
nothing of torch; every answer is linear in the size of the program, and iterative.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator

__all__ = ["Flow", "beyond", "onwards", "shortest", "way"]

Following = Callable[[int], Iterable[int]]


class Flow:
    """The questions that are asked of a program wherever its operations come from.

    A source says what its `ends` are (losses, or the outputs of a model), and for each node what is made of it and what
    it is made of, by data and by gradient.
    """

    @property
    def ends(self) -> Collection[int]:
        """Where gradient would start."""
        raise NotImplementedError

    def made_of(self, node: int) -> Iterable[int]:
        """What is computed from it."""
        raise NotImplementedError

    def carrying_back_to(self, node: int) -> Iterable[int]:
        """Those of them through which gradient comes back to it."""
        raise NotImplementedError

    def sources(self, node: int) -> Iterable[int]:
        """What it is computed from."""
        raise NotImplementedError

    def carried_sources(self, node: int) -> Iterable[int]:
        """Those of them to which it sends gradient."""
        raise NotImplementedError

    def cuts_at(self, node: int) -> frozenset[tuple[int, int]]:
        """(what cuts, node) wherever the gradient of what follows ends before it comes to the node."""
        carried = set(self.carrying_back_to(node))
        return frozenset((user, node) for user in self.made_of(node) if user in self.reaching and user not in carried)

    @functools.cached_property
    def reaching(self) -> frozenset[int]:
        """All from which an end is reachable by data."""
        return frozenset(beyond(self.ends, self.sources))

    @functools.cached_property
    def carrying(self) -> frozenset[int]:
        """All to which an end sends gradient."""
        return frozenset(beyond(self.ends, self.carried_sources))

    def carried_from(self, start: Iterable[int]) -> set[int]:
        """All that depend on `start` in such a way that gradient could come back to it."""
        return beyond(start, self.carrying_back_to)

    def downstream(self, start: Iterable[int]) -> set[int]:
        """All that depend on `start`."""
        return beyond(start, self.made_of)


def onwards(start: Iterable[int], following: Following) -> Iterator[int]:
    """All to which `following` leads from `start`, these included and each once, the nearest first, as far as asked."""
    queue = deque(dict.fromkeys(start))
    seen = set(queue)
    while queue:
        node = queue.popleft()
        yield node
        for after in following(node):
            if after not in seen:
                seen.add(after)
                queue.append(after)


def beyond(start: Iterable[int], following: Following) -> set[int]:
    """All to which `following` leads from `start`, these included.

    Example:
        >>> made = {1: [2, 3], 3: [1]}
        >>> sorted(beyond([1], lambda node: made.get(node, [])))
        [1, 2, 3]
    """
    seen = set(start)
    queue = list(seen)
    while queue:
        for node in following(queue.pop()):
            if node not in seen:
                seen.add(node)
                queue.append(node)
    return seen


def shortest(start: Iterable[int], following: Following) -> dict[int, int]:
    """Node → the one before it on a shortest way from `start`, or -1, in the order in which they are met."""
    came = dict.fromkeys(start, -1)
    queue = deque(came)
    while queue:
        node = queue.popleft()
        for after in following(node):
            if after not in came:
                came[after] = node
                queue.append(after)
    return came


def way(came: dict[int, int], end: int) -> list[int]:
    """The nodes up to `end` as `shortest` met them; nothing where no way leads there."""
    nodes = []
    node = end if end in came else -1
    while node >= 0:
        nodes.append(node)
        node = came[node]
    return nodes[::-1]
