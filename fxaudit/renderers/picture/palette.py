"""Colours, symbols and line styles of the pictures.

The hues follow Okabe and Ito's palette for colour-blind readers (https://jfly.uni-koeln.de/color/), as dark outlines
over light tints. No verdict is told by colour alone: each has its own symbol and its own outline, which survive black
and white. Pictures are written in the light colours; the style sheet made here turns them dark for readers who prefer
that.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CUT",
    "GROUPS",
    "HAPPY",
    "INK",
    "LOOKS",
    "MUTED",
    "PAPER",
    "PLAIN_SYMBOLS",
    "SEVERITY",
    "Look",
    "color_class",
    "dark_rules",
    "group_rules",
    "light_rules",
    "look",
    "verdict_rules",
    "worst",
]

TEXT = "\ufe0e"
"""Asks for the text form of a symbol that browsers would otherwise draw as a coloured emoji."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a verdict is drawn: `style`, `width` and `rings` are Graphviz's style, penwidth and peripheries."""

    symbol: str
    meaning: str
    line: str
    fill: str
    style: str = "solid"
    width: float = 1.6
    rings: int = 1


LOOKS: dict[str, Look] = {
    "trained": Look("✓", "training changes it", "#00795a", "#e3f4ee", "rounded", 1.4),
    "unreachable": Look(f"✂{TEXT}", "no gradient reaches it", "#b54400", "#fde7dc", "dashed", 2.6),
    "replaced": Look("⇄", "another tensor took its place", "#a2427a", "#f9e6f1", "solid", 1.6, 2),
    "excluded": Look("∅", "no optimizer holds it", "#8f6000", "#fdf1d3", "dotted", 2.6),
    "blocked": Look("❚❚", "reached and held, yet not changed", "#6f6800", "#faf7c5", "bold", 3.0),
    "unregistered": Look("?", "trains nowhere: the model does not list it", "#0e6fa8", "#e2f1fb", "diagonals", 1.8),
    "stale": Look("†", "held by an optimizer, in no model", "#666565", "#eeeded", "dashed", 1.4),
    "unknown": Look("◌", "could not be settled", "#5f6a75", "#fbfbfa", "dotted", 1.4),
    "frozen": Look(f"❄{TEXT}", "requires_grad is False", "#3c5a82", "#e5ebf4", "solid", 1.2),
}

SEVERITY: tuple[str, ...] = (
    "unreachable",
    "replaced",
    "blocked",
    "excluded",
    "unregistered",
    "stale",
    "unknown",
    "frozen",
    "trained",
)
"""From the verdict that colours a module first to the one that does so last."""

HAPPY = frozenset({"trained", "frozen"})
"""Verdicts that need no attention."""

INK = "#1c2128"
MUTED = "#59636e"
PAPER = "#fffffe"
CUT = "#cf222e"
FLOW = "#0a7d5c"
FAINT = "#8c959f"
GREY_FILL = "#f1f2f3"
MODULE_FILL = "#f8f9fa"
MODULE_LINE = "#aeb6bf"

GROUPS: tuple[str, ...] = ("#0072b2", "#a65a00", "#5d3a9b", "#00665e", "#9a3364", "#444b53")
"""Bands of the optimizers' param groups; letters on them tell apart what colours repeat."""

_DARK = {
    INK: "#e9edf1",
    MUTED: "#a5afba",
    PAPER: "#12161b",
    CUT: "#ff7b72",
    FLOW: "#34c795",
    FAINT: "#7d8793",
    GREY_FILL: "#23282f",
    MODULE_FILL: "#191e24",
    MODULE_LINE: "#515a65",
    "#00795a": "#34c795",
    "#e3f4ee": "#0f3227",
    "#b54400": "#ff9257",
    "#fde7dc": "#482109",
    "#a2427a": "#eb9cca",
    "#f9e6f1": "#431f38",
    "#8f6000": "#f0b53c",
    "#fdf1d3": "#3d2c08",
    "#6f6800": "#e6db55",
    "#faf7c5": "#38350a",
    "#0e6fa8": "#6fc2f2",
    "#e2f1fb": "#0d3046",
    "#666565": "#b9b8b8",
    "#eeeded": "#343333",
    "#5f6a75": "#aab4bf",
    "#fbfbfa": "#1d2227",
    "#3c5a82": "#93b4e2",
    "#e5ebf4": "#1c2a3e",
}

PLAIN_SYMBOLS = str.maketrans(
    {"✓": "√", "✂": "×", "⇄": "↔", "∅": "Ø", "❚": "▌", "❄": "*", "⊣": "|", "⚑": "■", "↳": ">", TEXT: None}
)
"""Stand-ins for bitmaps drawn by the embedded Graphviz, whose fonts lack the symbols."""


def look(verdict: str) -> Look:
    """The look of `verdict`; of `unknown` for one that this version does not know."""
    return LOOKS.get(verdict, LOOKS["unknown"])


def worst(verdicts: object) -> str:
    """The verdict among `verdicts` (any container of them) that a reader must see first; `trained` for none."""
    found = [verdict for verdict in SEVERITY if verdict in verdicts]  # type: ignore[operator]
    return found[0] if found else "trained"


def color_class(color: str) -> str | None:
    """The class that `dark_rules` styles for a palette colour, None for any other."""
    return f"x{color[1:]}" if color in _DARK else None


def dark_rules(scope: str) -> str:
    """CSS that turns palette colours below the selector `scope` dark; to be put inside a media query."""
    return "".join(_painted(scope, light, dark) for light, dark in _DARK.items())


def light_rules(scope: str) -> str:
    """CSS that keeps palette colours below `scope` as they are, whatever a media query has made of them."""
    return "".join(_painted(scope, light, light) for light in _DARK)


def _painted(scope: str, color: str, shown: str) -> str:
    name = color[1:]
    return f"{scope} .fx{name}{{fill:{shown}}}{scope} .sx{name}{{stroke:{shown}}}"


def group_rules(scope: str) -> str:
    """CSS that gives elements of class `g<number>` below `scope` the colour of that band."""
    return "".join(f"{scope} .band.g{number}{{background:{color}}}" for number, color in enumerate(GROUPS))


def verdict_rules(scope: str, *, dark: bool = False) -> str:
    """CSS that gives elements of class `v-<verdict>` below `scope` the verdict's colours."""
    rules = []
    for verdict, style in LOOKS.items():
        line, fill = (_DARK[style.line], _DARK[style.fill]) if dark else (style.line, style.fill)
        rules.append(f"{scope} .v-{verdict}{{--line:{line};--fill:{fill}}}")
    return "".join(rules)
