"""Boxes, arrows and the legend: what every view is drawn with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fxaudit.answer.answer import VERDICTS, Answer, OptimizerReport, ParameterReport
from fxaudit.renderers.picture.engine import Key, Picture
from fxaudit.renderers.picture.labels import Line, label, muted, shortened, tooltip
from fxaudit.renderers.picture.palette import (
    CUT,
    FAINT,
    FLOW,
    GREY_FILL,
    GROUPS,
    INK,
    MODULE_FILL,
    MODULE_LINE,
    MUTED,
    PAPER,
    look,
)
from fxaudit.renderers.text.wording import counted, learning_rate

__all__ = ["ARROWS", "MEASURED", "Bands", "Canvas", "group_name"]

_EDGES: dict[str, dict[str, str]] = {
    "grad": {"color": FLOW, "penwidth": "1.8", "class": "e-grad"},
    "idle": {"color": FAINT, "penwidth": "1.8", "style": "dashed", "class": "e-idle"},
    "none": {"color": FAINT, "penwidth": "1.6", "style": "dotted", "arrowhead": "vee", "class": "e-none"},
    "zero": {"color": CUT, "penwidth": "1.8", "arrowhead": "tee", "class": "e-zero", "fontcolor": CUT},
    "cut": {"color": CUT, "penwidth": "4", "style": "dashed", "class": "e-cut", "fontcolor": CUT},
    "python": {"color": CUT, "penwidth": "3", "style": "dotted", "class": "e-python", "fontcolor": CUT},
    "holds": {"color": MUTED, "penwidth": "1.4", "arrowhead": "odot", "class": "e-holds"},
    "missing": {
        "color": CUT,
        "penwidth": "2.4",
        "style": "dashed",
        "arrowhead": "none",
        "class": "e-missing",
        "fontcolor": CUT,
    },
    "note": {"color": CUT, "penwidth": "1.2", "style": "dotted", "arrowhead": "none", "class": "e-note"},
}

_EDGE_MEANINGS = {
    "grad": ("──▶", "value flows on, gradient can come back"),
    "idle": ("╌╌▶", "value flows on, but gradient ends further on"),
    "zero": ("─0─┤", "the gradient that comes back is exactly 0"),
    "none": ("┄┄▷", "value only, no gradient"),
    "cut": ("╍✂╍", "gradient ends here"),
    "python": ("····", "value left torch and came back"),
    "holds": ("──∘", "an optimizer holds it"),
    "missing": ("╍╍╍", "what ought to lead there, and does not"),
}
"""A sign for each kind of arrow, and what it means; a note's arrow explains itself."""
MEASURED = "value flows on, gradient comes back: its norm stands at the arrow"
"""The same of an arrow at which there is a number."""
ARROWS = tuple(_EDGE_MEANINGS)
"""The kinds of arrows in the order in which a legend explains them."""

_BOX_MEANINGS = {
    "loss": "double frame: a loss",
    "input": "flag: an input",
    "buffer": "grey: a buffer",
    "group": "with two tabs: a param group",
    "fold": "dashed frame: several, drawn as one",
    "gone": "grey: no gradient gets here",
    "cut": "red frame: the operation to blame",
    "note": "folded corner: a line of code",
}


def group_name(optimizer: str, group: int, optimizers: Sequence[OptimizerReport], *, rated: bool = True) -> str:
    """A param group as people say it: its optimizer, its index where there are several, its last learning rate."""
    for report in optimizers:
        if report.name == optimizer:
            several = len(report.groups) > 1
            rate = report.groups[group][0] if rated and 0 <= group < len(report.groups) else None
            parts = [optimizer if report.type in (optimizer, "") else f"{optimizer} ({report.type})"]
            parts += [f"group {group}"] if several else []
            parts += [learning_rate(rate)] if rate is not None else []
            return " · ".join(parts)
    return f"{optimizer} · group {group}"


@dataclass
class Bands:
    """The letter and colour of each param group, in the report's order."""

    of: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_report(cls, report: Answer) -> Bands:
        """Bands for every param group of `report`'s optimizers."""
        bands = cls()
        for optimizer in report.optimizers:
            for group, (_, names) in enumerate(optimizer.groups):
                number = len(bands.of)
                letter = chr(ord("A") + number) if number < 26 else str(number + 1)
                bands.of[optimizer.name, group] = (letter, GROUPS[number % len(GROUPS)])
                bands.names[letter] = group_name(optimizer.name, group, report.optimizers)
                bands.sizes[letter] = len(names)
        return bands

    def around(self, parameters: Iterable[ParameterReport]) -> list[tuple[str, str]]:
        """The bands of all groups that hold one of `parameters`; more than four are summed up."""
        held = {(holder.optimizer, holder.group) for parameter in parameters for holder in parameter.held_by}
        found = [band for key, band in self.of.items() if key in held]
        return found if len(found) <= 4 else [*found[:3], ("…", GROUPS[-1])]


class Canvas:
    """A picture in the making. Boxes get ids in the order in which they are added, so equal reports give equal text."""

    def __init__(self, name: str, title: str, caption: str, *, framed: bool = True, spacing: float = 0.28) -> None:
        self.framed = framed
        self.picture = Picture(
            "fxaudit",
            graph_attr={
                "id": name,
                "bgcolor": PAPER if framed else "transparent",
                "rankdir": "TB",
                "nodesep": "0.22",
                "ranksep": f"{spacing}",
                "pad": "0.2",
                "fontname": "Helvetica",
                "labelloc": "t",
                "labeljust": "l",
                "compound": "true",
                "newrank": "true",
            },
            node_attr={"fontname": "Helvetica", "shape": "box", "margin": "0.09,0.05", "height": "0.1"},
            edge_attr={"fontname": "Helvetica", "fontsize": "11", "arrowsize": "0.7"},
        )
        self.picture.caption = f"{title} {caption}".strip()
        if framed and title:
            lines = [Line(title, "title"), *([muted(caption)] if caption else []), Line(" ", "small")]
            self.picture.attr(label=label(lines))
        self._seen_verdicts: set[str] = set()
        self._seen_edges: set[str] = set()
        self._seen_boxes: set[str] = set()
        self._is_measured = False
        self.prefix = name

    def box(
        self,
        node: str,
        lines: Sequence[Line],
        *,
        verdict: str | None = None,
        kind: str = "op",
        parameters: tuple[str, ...] = (),
        url: str = "",
        tip: str = "",
        bands: Sequence[tuple[str, str]] = (),
        within: Picture | None = None,
    ) -> None:
        """Add a box; `kind` is a key of `_BOXES`."""
        identity = f"{self.prefix}-{node}"
        self._seen_boxes.add(kind)
        attributes = dict(_BOXES[kind])
        classes = [f"k-{kind}"]
        if verdict is not None:
            style = look(verdict)
            self._seen_verdicts.add(verdict)
            classes.append(f"v-{verdict}")
            attributes |= {
                "color": style.line,
                "fillcolor": style.fill,
                "style": f"filled,{style.style}" if style.style != "solid" else "filled",
                "penwidth": f"{style.width:g}",
            }
            if style.rings > 1:
                attributes["peripheries"] = str(style.rings)
        target = url or (f"#{identity}" if parameters else "")
        if target:
            attributes["URL"] = target
        if parameters:
            self.picture.boxes[identity] = parameters
            self.picture.titles[identity] = lines[0].text
        (self.picture if within is None else within).node(
            node,
            label=label(lines, bands),
            id=identity,
            tooltip=tooltip(tip) or " ",
            **{"class": " ".join(classes)},
            **attributes,
        )
        self.picture.drawn += 1

    def edge(self, source: str, target: str, kind: str, text: str = "", tip: str = "", **more: str) -> None:
        """Add an arrow of `kind`: a key of the legend, or `holds`, `missing`, `note`."""
        self._seen_edges.add(kind)
        attributes = dict(_EDGES[kind]) | more
        if text:
            color = attributes.pop("fontcolor", MUTED)
            attributes["label"] = label([Line(line, "edge", color) for line in text.split("\n")])
        attributes.pop("fontcolor", None)
        attributes["edgetooltip"] = attributes["labeltooltip"] = tooltip(tip or text.replace("\n", " ")) or " "
        self.picture.edge(source, target, **attributes)

    def gradient(self, source: str, target: str, norm: float | None, text: str = "", **more: str) -> None:
        """Add an arrow along which gradient comes back: red with a 0 where all of it is zero."""
        if norm == 0:
            self.edge(source, target, "zero", "0", "the gradient that comes back is exactly 0")
            return
        said = "" if norm is None else f"{norm:.3g}"
        tip = f"gradient comes back, norm {said}" if said else ""
        shown = said if self._is_measured or not said or text else f"gradient {said}"
        self._is_measured = self._is_measured or bool(said)
        self.edge(source, target, "grad", "\n".join(filter(None, [text, shown])), tip, **more)

    def beside(self, left: str, right: str) -> None:
        """Put `right` next to `left`, at the same height."""
        with self.picture.subgraph() as level:
            level.attr(rank="same")
            level.node(left)
            level.node(right)

    def order(self, source: str, target: str) -> None:
        """Keep `source` above `target` without an arrow."""
        self.picture.edge(source, target, style="invis")

    def legend(self, bands: Bands | None = None) -> None:
        """Add the legend; the page draws its own from `keys`."""
        self.picture.keys = self.keys(bands)
        if not self.framed or not self.picture.keys:
            return
        lines = [Line("Legend", "text")]
        lines += [Line(f"{key.sign}  {key.meaning}".strip(), "small", key.color) for key in self.picture.keys]
        self.picture.node(
            "legend",
            label=label(lines),
            id=f"{self.prefix}-legend",
            shape="box",
            style="filled,rounded",
            color=MODULE_LINE,
            fillcolor=MODULE_FILL,
            tooltip=" ",
            **{"class": "k-legend"},
        )

    def keys(self, bands: Bands | None = None) -> list[Key]:
        """What the legend explains: only what the picture shows."""
        keys = []
        for verdict in self._shown_verdicts():
            style = look(verdict)
            keys.append(Key("verdict", verdict, style.symbol, f"{verdict}: {style.meaning}", style.line))
        for kind, (sign, meaning) in _EDGE_MEANINGS.items():
            if kind in self._seen_edges:
                ink = _EDGES[kind]["color"]
                meaning = MEASURED if kind == "grad" and self._is_measured else meaning
                keys.append(Key("arrow", kind, sign, meaning, MUTED if ink == FAINT else ink))
        keys += [Key("box", kind, "", text, MUTED) for kind, text in _BOX_MEANINGS.items() if kind in self._seen_boxes]
        for letter, name in (bands.names if bands else {}).items():
            held = counted(bands.sizes[letter], "parameter") if bands else ""
            keys.append(Key("group", letter, f"[{letter}]", f"{shortened(name)}: {held}", INK))
        return keys

    def _shown_verdicts(self) -> list[str]:
        return [verdict for verdict in VERDICTS if verdict in self._seen_verdicts]

    def see(self, verdicts: Iterable[str]) -> None:
        """Have the legend explain `verdicts`, which are shown as symbols only."""
        self._seen_verdicts.update(verdicts)

    def cluster(self, node: str, lines: Sequence[Line], verdict: str, tip: str) -> Picture:
        """A frame around boxes; to be handed to `close` once it is filled."""
        style = look(verdict)
        fancy = style.style in ("dashed", "dotted", "rounded")
        inner = Picture(
            f"cluster_{node}",
            graph_attr={
                "label": label(lines),
                "id": f"{self.prefix}-{node}",
                "class": f"k-cluster v-{verdict}",
                "style": f"filled,{style.style}" if fancy else "filled",
                "color": style.line if verdict != "trained" else MODULE_LINE,
                "fillcolor": MODULE_FILL,
                "penwidth": "1.2" if verdict != "trained" else "1",
                "tooltip": tooltip(tip) or " ",
                "margin": "9",
                "labeljust": "l",
                "labelloc": "t",
            },
        )
        self._seen_verdicts.add(verdict)
        return inner

    def close(self, parent: Picture | None, inner: Picture) -> None:
        """Put a filled frame into `parent`, the picture itself when None."""
        (self.picture if parent is None else parent).subgraph(inner)


_BOXES: dict[str, dict[str, str]] = {
    "parameter": {"shape": "box"},
    "module": {"shape": "box"},
    "op": {"shape": "box", "style": "filled", "fillcolor": PAPER, "color": MODULE_LINE},
    "loss": {"shape": "box", "style": "filled,rounded", "fillcolor": GREY_FILL, "color": MUTED, "peripheries": "2"},
    "input": {"shape": "cds", "style": "filled", "fillcolor": PAPER, "color": MODULE_LINE},
    "buffer": {"shape": "box", "style": "filled", "fillcolor": GREY_FILL, "color": MODULE_LINE},
    "group": {"shape": "component", "style": "filled", "fillcolor": PAPER, "color": MUTED},
    "fold": {"shape": "box", "style": "filled,dashed", "fillcolor": MODULE_FILL, "color": MODULE_LINE},
    "gone": {"shape": "box", "style": "filled", "fillcolor": GREY_FILL, "color": FAINT},
    "cut": {"shape": "box", "style": "filled", "fillcolor": PAPER, "color": CUT, "penwidth": "3"},
    "note": {"shape": "note", "style": "filled", "fillcolor": PAPER, "color": CUT},
}
