"""The answer to `why`: whether a loss brings a gradient to one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fxaudit.program.source import SourceLine

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Explanation"]


@dataclass(frozen=True)
class Explanation:
    """Whether a loss brings a gradient to a tensor, and how, or why not.

    `path` holds the names of the autograd nodes from the tensor towards the loss (empty where there is no path);
    `culprit` is the line that cuts it, where the computation was watched.
    """

    name: str
    reaches: bool
    reason: str
    path: tuple[str, ...] = ()
    culprit: SourceLine | None = None
    leaves: tuple[str, ...] = ()
    """The named leaves that the loss does reach, where it does not reach the tensor."""
    unwatched: bool = False
    """Whether nothing watched the computation, so that no line can be blamed for the missing path."""

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.reason}"]
        if self.path:
            shown = list(self.path)
            if len(shown) > 12:
                shown = [*shown[:5], f"… {len(shown) - 10} nodes …", *shown[-5:]]
            lines.append("  " + " → ".join([self.name, *shown, "loss"]))
        if self.culprit is not None:
            lines.append(f"  --> {self.culprit}")
            lines.append(f"      {self.culprit.code}")
        elif self.unwatched:
            lines.append("  which line cuts it off is known inside `with fxaudit.watch():` around the forward")
        if self.leaves:
            shown_leaves = ", ".join(self.leaves[:6]) + (", …" if len(self.leaves) > 6 else "")
            lines.append(f"  the loss does reach: {shown_leaves}")
        return "\n".join(lines)

    __repr__ = __str__

    def __rich__(self) -> RenderableType:
        from rich.text import Text

        return Text(str(self))
