"""Equal modules in a row, numbered blocks as a rule, of which a view of single nodes draws one for all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from fxaudit.answer.picture_data import GraphModule
from fxaudit.renderers.picture.flow import BoxEdge

__all__ = ["Key", "Repeats"]

Key: TypeAlias = object
"""What a node looks like, whichever of several equal modules it is in."""


@dataclass
class Repeats:
    """`stands_for`: node -> the one that is drawn in its place; `runs`: the module that is drawn -> all of them."""

    stands_for: dict[int, int] = field(default_factory=dict)
    runs: dict[int, list[int]] = field(default_factory=dict)
    copies: dict[int, dict[int, int]] = field(default_factory=dict)
    """Of each node the runs that it is in, by the module that is drawn, and in which copy it is."""

    @classmethod
    def of(cls, modules: Sequence[GraphModule], nodes: dict[int, tuple[int, Key]], edges: Sequence[BoxEdge]) -> Repeats:
        """The repeats among `nodes`, of each of which the module and the look are given."""
        found = cls()
        _Search(modules, nodes, edges, found).run()
        for node in found.stands_for:
            drawn = found.stands_for[node]
            while drawn in found.stands_for:
                drawn = found.stands_for[drawn]
            found.stands_for[node] = drawn
        return found

    def is_told(self, edge: BoxEdge) -> bool:
        """Whether the arrow is drawn: not from one copy to the next, and only once inside of them."""
        one, other = self.copies.get(edge.source, {}), self.copies.get(edge.target, {})
        return all(one[run] == other[run] == 0 for run in one.keys() & other.keys())


class _Search:
    def __init__(
        self,
        modules: Sequence[GraphModule],
        nodes: dict[int, tuple[int, Key]],
        edges: Sequence[BoxEdge],
        found: Repeats,
    ) -> None:
        self.modules = modules
        self.nodes = nodes
        self.found = found
        self.leaving: dict[int, list[BoxEdge]] = {}
        for edge in edges:
            self.leaving.setdefault(edge.source, []).append(edge)
        self.children: list[list[int]] = [[] for _ in modules]
        for number, module in enumerate(modules):
            if 0 <= module.parent < len(modules) and module.parent != number:
                self.children[module.parent].append(number)
        self.members: list[list[int]] = [[] for _ in modules]
        for node, (home, _) in nodes.items():
            if home >= 0:
                self.members[home].append(node)
        self.looks = [-1] * len(modules)
        self.known: dict[object, int] = {}

    def run(self) -> None:
        tops = [number for number, module in enumerate(self.modules) if not 0 <= module.parent < len(self.modules)]
        order = list(self._downwards(tops))
        for module in reversed(order):
            self._look(module)
        waiting = tops
        while waiting:
            waiting = [inner for module in waiting for inner in self._fold(module)]

    def _downwards(self, tops: Sequence[int]) -> Iterator[int]:
        stack = list(reversed(tops))
        while stack:
            module = stack.pop()
            yield module
            stack += reversed(self.children[module])

    def _look(self, module: int) -> None:
        """A number for what is in a module; its members become all nodes inside of it, in the order of that."""
        own = [self.nodes[node][1] for node in self.members[module]]
        inner = [(self._last(child), self.looks[child]) for child in self.children[module]]
        look = (self.modules[module].type, tuple(own), tuple(inner))
        self.looks[module] = self.known.setdefault(look, len(self.known))
        for child in self.children[module]:
            self.members[module] += self.members[child]

    def _last(self, module: int) -> str:
        return self.modules[module].name.rpartition(".")[2]

    def _fold(self, module: int) -> list[int]:
        """Fold what is equal among the parts of a module; the parts that are drawn."""
        drawn = []
        for run in self._runs(self.children[module]):
            first = run[0]
            drawn.append(first)
            if len(run) == 1:
                continue
            self.found.runs[first] = run
            for copy, part in enumerate(run):
                for node, stands_in in zip(self.members[part], self.members[first], strict=True):
                    self.found.copies.setdefault(node, {})[first] = copy
                    if copy:
                        self.found.stands_for[node] = stands_in
        return drawn

    def _runs(self, children: Sequence[int]) -> list[list[int]]:
        runs: list[list[int]] = []
        for child in children:
            last = runs[-1][-1] if runs else -1
            if last >= 0 and self.members[child] and self._follows(last, child) and self._alike(last, child):
                runs[-1].append(child)
            else:
                runs.append([child])
        return runs

    def _follows(self, one: int, other: int) -> bool:
        a, b = self._last(one), self._last(other)
        return a.isdecimal() and b.isdecimal() and int(b) == int(a) + 1

    def _alike(self, one: int, other: int) -> bool:
        return self.looks[one] == self.looks[other] and self._inside(one) == self._inside(other)

    def _inside(self, module: int) -> set[tuple[int, int, str]]:
        """The arrows inside of a module, its nodes by their places in it."""
        place = dict(zip(self.members[module], itertools.count(), strict=False))
        return {
            (place[edge.source], place[edge.target], edge.state)
            for node in place
            for edge in self.leaving.get(node, ())
            if edge.target in place
        }
