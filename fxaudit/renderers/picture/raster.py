"""A picture that is drawn by hand, as SVG, as a bitmap: Graphviz paints it, with everything at its place.

Only what such pictures consist of is known: boxes, lines, polygons, words, and one drawing inside of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import graphviz

from fxaudit.renderers.picture.engine import Picture, lay_out
from fxaudit.renderers.picture.palette import PLAIN_SYMBOLS
from fxaudit.renderers.picture.svg import SVG

__all__ = ["bitmap"]

POINTS = 72
LETTER, MONO, BOLD = 0.56, 0.6, 1.08
"""How wide a letter is, of its height: in the mean, in a font of equal letters, and how much wider a bold one is."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the coordinates of a drawing lie in the picture."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0


def bitmap(drawing: str) -> bytes:
    """The SVG document `drawing` as PNG, one pixel for each unit of it.

    Raises:
        PictureError: No Graphviz on this machine can write it.
    """
    root = ElementTree.fromstring(drawing.encode("utf-8"))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    picture = Picture(
        "card",
        graph_attr={
            "layout": "neato", "inputscale": f"{POINTS}", "pad": "0", "margin": "0", "dpi": f"{POINTS}",
            "splines": "line", "bgcolor": "#ffffff", "outputorder": "breadthfirst",
        },
        node_attr={"label": "", "fixedsize": "true", "margin": "0", "penwidth": "0", "shape": "box"},
        edge_attr={"dir": "none"},
    )  # fmt: skip
    painter = _Painter(picture, width, height)
    for corner in ((0.5, 0.5), (width - 0.5, height - 0.5)):
        painter.box(*corner, 0.7, 0.7, style="invis")
    painter.draw(root, _Frame())
    return lay_out(picture, "png")


class _Painter:
    def __init__(self, picture: Picture, width: float, height: float) -> None:
        self.picture = picture
        self.width = width
        self.height = height
        self.count = 0

    def box(self, x: float, y: float, width: float, height: float, **more: str) -> str:
        """A box around a point."""
        name = f"n{self.count}"
        self.count += 1
        size = {"width": f"{width / POINTS:.4f}", "height": f"{height / POINTS:.4f}"}
        self.picture.node(name, pos=f"{x:.2f},{self.height - y:.2f}!", **size, **more)
        return name

    def draw(self, element: ElementTree.Element, frame: _Frame) -> None:
        """Everything in an element, in its order."""
        for part in element:
            match part.tag.removeprefix(f"{{{SVG}}}"):
                case "svg":
                    self.draw(part, _inner(part, frame))
                case "g":
                    self.draw(part, frame)
                case "rect":
                    self._rect(part, frame)
                case "text":
                    self._text(part, frame)
                case "line" | "polygon":
                    self._lines(part, frame)

    def _rect(self, part: ElementTree.Element, frame: _Frame) -> None:
        x, y, width, height = (float(part.get(name, 0)) for name in ("x", "y", "width", "height"))
        rounded = ["rounded"] if float(part.get("rx", 0)) > 3 else []
        dashed = ["dashed"] if part.get("stroke-dasharray") else []
        fill, line = part.get("fill", "none"), part.get("stroke", "none")
        look = {
            "style": ",".join([*([] if fill == "none" else ["filled"]), *rounded, *dashed]) or "solid",
            "fillcolor": "transparent" if fill == "none" else fill,
            "color": "transparent" if line == "none" else line,
            "penwidth": f"{0 if line == 'none' else float(part.get('stroke-width', 1)) * frame.scale:g}",
        }
        middle = _place(x + width / 2, y + height / 2, frame)
        self.box(middle[0], middle[1], width * frame.scale, height * frame.scale, **look)

    def _text(self, part: ElementTree.Element, frame: _Frame) -> None:
        words = "".join(part.itertext()).translate(PLAIN_SYMBOLS)
        size = float(part.get("font-size", 12)) * frame.scale
        is_mono, is_bold = "ono" in part.get("font-family", ""), part.get("font-weight") == "bold"
        width = len(words) * size * (MONO if is_mono else LETTER) * (BOLD if is_bold else 1) + size
        x, y = _place(float(part.get("x", 0)), float(part.get("y", 0)), frame)
        is_middle = part.get("text-anchor") == "middle"
        width = width if is_middle else min(width, self.width - x - 1)
        face = "Courier" if is_mono else "Helvetica"
        self.box(
            x if is_middle else x + width / 2,
            y - size * 0.34,
            width,
            size * 1.3,
            label=graphviz.escape(words) + ("" if is_middle else "\\l"),
            fontname=f"{face}-Bold" if is_bold else face,
            fontsize=f"{size:.2f}",
            fontcolor=part.get("fill", "#000000"),
            style="solid",
        )

    def _lines(self, part: ElementTree.Element, frame: _Frame) -> None:
        points = list(_points(part))
        if part.get("stroke", "none") == "none":
            return
        ends = [self.box(*_place(x, y, frame), 0.2, 0.2, style="invis") for x, y in points]
        closed = ends[1:] + ends[:1] if part.tag.endswith("polygon") else ends[1:]
        look = {"color": part.get("stroke", ""), "penwidth": f"{float(part.get('stroke-width', 1)) * frame.scale:g}"}
        if part.get("stroke-dasharray"):
            look["style"] = "dashed"
        for one, other in zip(ends, closed, strict=False):
            self.picture.edge(one, other, **look)


def _points(part: ElementTree.Element) -> Iterator[tuple[float, float]]:
    if part.tag.endswith("polygon"):
        for pair in part.get("points", "").split():
            x, _, y = pair.partition(",")
            yield float(x), float(y)
    else:
        yield float(part.get("x1", 0)), float(part.get("y1", 0))
        yield float(part.get("x2", 0)), float(part.get("y2", 0))


def _place(x: float, y: float, frame: _Frame) -> tuple[float, float]:
    return frame.x + x * frame.scale, frame.y + y * frame.scale


def _inner(part: ElementTree.Element, frame: _Frame) -> _Frame:
    """The frame of a drawing inside of another, as large as fits there, at the left."""
    _, _, wide, high = (float(number) for number in part.get("viewBox", "0 0 1 1").split())
    scale = min(float(part.get("width", wide)) / wide, float(part.get("height", high)) / high)
    x, y = _place(float(part.get("x", 0)), float(part.get("y", 0)), frame)
    return _Frame(x, y, frame.scale * scale)
