"""The picture of a symbolic trace: its operations, where gradient flows, and where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fxaudit.errors import PictureError
from fxaudit.renderers.picture.engine import Picture

__all__ = ["MAX_BOXES", "TracedBox", "draw_trace"]

MAX_BOXES = 2_000
"""Graphviz needs minutes for more."""


@dataclass(frozen=True, slots=True)
class TracedBox:
    """An operation to draw: its kind in the trace, what stands in the box, what it reads, and what gets gradient."""

    kind: str
    label: str
    place: str = ""
    carries: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    is_cut: bool = False


_SHAPES = {"parameter": "box", "buffer": "box", "input": "ellipse", "output": "ellipse", "opaque": "octagon"}


def draw_trace(boxes: Sequence[TracedBox], caption: str) -> Picture:
    """The picture of `boxes`; solid arrows carry gradient back, dashed ones do not.

    Raises:
        PictureError: There are too many of them.
    """
    if len(boxes) > MAX_BOXES:
        raise PictureError(
            f"The trace has {len(boxes):,} operations; a picture shows at most {MAX_BOXES:,}. Write .json instead."
        )
    picture = Picture("trace")
    picture.attr("node", fontname="Helvetica", fontsize="10")
    picture.attr(label=_escaped(caption), labelloc="t", fontname="Helvetica")
    for index, box in enumerate(boxes):
        text = "\\n".join(map(_escaped, filter(None, (box.label, box.place))))
        style = "bold" if box.kind == "parameter" else "dashed" if box.kind in ("buffer", "opaque") else "rounded"
        color = "#b54400" if box.is_cut else "#444444"
        picture.node(f"n{index}", label=text, shape=_SHAPES.get(box.kind, "box"), style=style, color=color)
        for source in box.reads:
            if source in box.carries:
                picture.edge(f"n{source}", f"n{index}", color="#00795a")
            else:
                picture.edge(f"n{source}", f"n{index}", style="dashed", color="#b54400" if box.is_cut else "#888888")
    picture.drawn, picture.caption = len(boxes), caption
    return picture


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", " ")
