"""What lies beyond each node of a graph, gathered for all that ask in one walk. Iterative; knows nothing of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["sweep"]

Gathered = TypeVar("Gathered")


def sweep(
    start: Iterable[int],
    following: Callable[[int], Iterable[int]],
    own: Callable[[int], Gathered],
    join: Callable[[Gathered, Gathered], Gathered],
    known: dict[int, Gathered],
) -> None:
    """For each node from `start` on, what it has of its `own` joined with what all nodes that follow have.

    Each node is looked at once, however many ask: what is found is kept in `known`. A way back to a node that is still
    being looked at is left out.

    Example:
        >>> known: dict[int, int] = {}
        >>> sweep([1], lambda n: [n + 1, n + 2] if n < 4 else [], lambda n: n, max, known)
        >>> known[1], known[3]
        (5, 5)
    """
    opened: set[int] = set()
    stack = list(start)
    while stack:
        node = stack[-1]
        if node in known:
            stack.pop()
        elif node in opened:
            stack.pop()
            found = own(node)
            for after in following(node):
                if after in known:
                    found = join(found, known[after])
            known[node] = found
        else:
            opened.add(node)
            stack.extend(after for after in following(node) if after not in known and after not in opened)
