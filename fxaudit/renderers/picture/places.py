"""Where values are made in a picture whose equal modules are folded: in which box, and in which of the repetitions."""

from __future__ import annotations

from fxaudit.renderers.picture.tree import ModuleTree

__all__ = ["Places"]

Repetition = tuple[tuple[int, int], ...]
"""For each folded module that something lies in, the branch that is drawn and the one that it really is."""


class Places:
    """The boxes of a picture, one place for each repetition that a box stands for.

    `drawn[i]` is the box of place `i`. An arrow from one repetition to the next would be an arrow within what is drawn
    once, and backwards: `near` tells where the arrows to a place may come from.
    """

    def __init__(self, tree: ModuleTree) -> None:
        self.drawn: list[int] = []
        self._tree = tree
        self._of: dict[tuple[int, Repetition], int] = {}
        self._repetition: dict[int, Repetition] = {-1: ()}

    def at(self, box: int, branch: int = -1) -> int:
        """The place of what happens in `branch` and is drawn in `box`; -1 where it is drawn in none."""
        if box < 0:
            return -1
        key = (box, self._repeated(branch))
        if key not in self._of:
            self._of[key] = len(self.drawn)
            self.drawn.append(box)
        return self._of[key]

    def near(self) -> list[int]:
        """For each place the bit mask of all places but those in another repetition of a module that it lies in."""
        inside: dict[int, int] = {}
        member: dict[tuple[int, int], int] = {}
        for (_, repetition), place in self._of.items():
            for folded, own in repetition:
                inside[folded] = inside.get(folded, 0) | 1 << place
                member[folded, own] = member.get((folded, own), 0) | 1 << place
        everywhere = (1 << len(self.drawn)) - 1
        found = []
        for _, repetition in self._of:
            others = 0
            for folded, own in repetition:
                others |= inside[folded] & ~member[folded, own]
            found.append(everywhere & ~others)
        return found

    def _repeated(self, branch: int) -> Repetition:
        way = []
        while branch not in self._repetition:
            way.append(branch)
            branch = self._tree.branches[branch].parent
        found = self._repetition[branch]
        for below in reversed(way):
            drawn = self._tree.stand_in[below]
            if len(self._tree.members.get(drawn, ())) > 1:
                found = (*found, (drawn, below))
            self._repetition[below] = found
        return found
