"""Which modules of a picture are opened, and which are drawn as one box."""

from __future__ import annotations

from dataclasses import dataclass, field

from fxaudit.renderers.picture.tree import ModuleTree

__all__ = ["COMFORT", "LIMIT", "Plan"]

COMFORT = 12
"""Modules are opened level by level while the picture has no more boxes than this."""
LIMIT = 140
"""Beyond that only modules whose parameters fare differently are opened, up to this many boxes."""


@dataclass
class Plan:
    """What to draw: `opened` branches become frames; `boxes` are (branch, own parameters only) in drawing order."""

    tree: ModuleTree
    opened: set[int] = field(default_factory=set)
    hidden: bool = False

    def boxes(self) -> list[tuple[int, bool]]:
        """The boxes of the plan, top down."""
        found: list[tuple[int, bool]] = []
        stack = list(reversed(self.tree.tops()))
        while stack:
            branch = stack.pop()
            if branch not in self.opened:
                found.append((branch, False))
                continue
            if self.tree.own[branch]:
                found.append((branch, True))
            stack.extend(reversed(self.tree.visible_children(branch)))
        return found

    def open_as_far_as_readable(self, depth: int | None) -> None:
        """Open `depth` levels, or as far as is comfortable; nothing where even that is too much."""
        self.open_while_comfortable(depth)
        if len(self.boxes()) > LIMIT + 10:
            self.opened.clear()

    def open_while_comfortable(self, depth: int | None) -> None:
        """Open level by level, then only where verdicts differ; or exactly `depth` levels as far as the limit goes."""
        level = 0
        while depth is None or level < depth:
            closed = [b for b, own in self.boxes() if not own and self.tree.visible_children(b)]
            if not closed:
                return
            before = set(self.opened)
            self.opened |= set(closed)
            allowed = COMFORT if depth is None else LIMIT
            if len(self.boxes()) > allowed and level > 0:
                self.opened = before
                break
            level += 1
        self.hidden = True
        if depth is None:
            self._open_mixed()

    def _open_mixed(self) -> None:
        progress = True
        while progress:
            progress = False
            for branch, own in self.boxes():
                if own or not self.tree.visible_children(branch) or not self.tree.is_mixed(branch):
                    continue
                self.opened.add(branch)
                if len(self.boxes()) > LIMIT:
                    self.opened.discard(branch)
                else:
                    progress = True
