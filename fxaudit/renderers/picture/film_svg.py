"""A film as SVG, drawn by hand: time goes from left to right, the lanes lie below each other."""

from __future__ import annotations

import html
from collections.abc import Sequence

from fxaudit.renderers.picture.film import Film, Ghost, Lane, Mark
from fxaudit.renderers.picture.labels import shortened
from fxaudit.renderers.picture.palette import (
    CUT,
    FAINT,
    FLOW,
    GREY_FILL,
    INK,
    MODULE_FILL,
    MODULE_LINE,
    MUTED,
    PAPER,
    dark_rules,
)
from fxaudit.renderers.picture.svg import SANS, SVG, painted
from fxaudit.renderers.text.wording import inert

__all__ = ["LETTER", "ROOMY", "film_document", "film_inline", "film_width", "look_of", "shape", "short_places"]

LABEL = 150
COLUMN = 96
HEAD = 44
LANE = 40
SAID = 17
BOX = 24
GHOST = 36
ROOMY = 10
"""So many letters fit into a mark; more are written smaller."""
LETTER = 7.4
"""Width of a letter of 12 px, about: words that would leave the picture end at its edge."""
_LINES = {"backward": FLOW, "step": "#0e6fa8", "zero_grad": MUTED, "clip": "#8f6000", "scaler": "#8f6000"}


def film_inline(film: Film, label: str) -> str:
    """The film as a piece of an HTML page whose style sheet holds the rules of dark mode."""
    return _Drawing(film).svg(f'class="picture film" role="img" aria-label="{_text(label)}"')


def film_width(film: Film) -> int:
    """How wide the film is drawn."""
    return _Drawing(film).width


def film_document(film: Film, label: str) -> str:
    """The film as a document of its own that follows the reader's light or dark preference."""
    style = f"<style>@media screen and (prefers-color-scheme:dark){{{dark_rules('svg')}}}</style>"
    attributes = f'role="img" aria-label="{_text(label)}" font-family="{html.escape(SANS)}"'
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + _Drawing(film, framed=True).svg(attributes, style) + "\n"


def _text(text: str) -> str:
    return html.escape(inert(text))


class _Drawing:
    def __init__(self, film: Film, *, framed: bool = False) -> None:
        self.film = film
        self.framed = framed
        self.parts: list[str] = []
        columns = max(1, len(film.marks), len(film.ghost.words) if film.ghost else 0)
        said = [*(mark.words for mark in film.marks), *(lane.remark for lane in film.lanes)]
        widest = int(max(map(len, said), default=0) * LETTER) + 36
        self.width = LABEL + max(columns * COLUMN, widest) + 12
        self.top = 30 if framed else 0

    def svg(self, attributes: str, style: str = "") -> str:
        """The whole picture."""
        y = self.top + HEAD
        for number, lane in enumerate(self.film.lanes):
            y = self._lane(number, lane, y)
            if self.film.ghost is not None and self.film.ghost.lane == number:
                y = self._ghost(self.film.ghost, y)
        self._heads(y)
        if self.framed:
            title = shortened(self.film.title, int(self.width / (LETTER + 1)))
            self.parts.append(
                f'<text x="12" y="24" font-size="14" font-weight="bold" {painted(INK)}>{_text(title)}</text>'
            )
            self.parts.insert(0, f'<rect width="{self.width}" height="{y + 8}" {painted(PAPER)}/>')
        return (
            f'<svg xmlns="{SVG}" {attributes} width="{self.width}" height="{y + 8}" '
            f'viewBox="0 0 {self.width} {y + 8}">{style}{"".join(self.parts)}</svg>'
        )

    def _heads(self, bottom: int) -> None:
        """Where each event stands in the code, above its column."""
        if not self.framed:
            self._say(12, self.top + 16, self.film.title, MUTED, size=12)
        for number, shown in enumerate(short_places(self.film.marks)):
            self._say(self._x(number), self.top + 34, shortened(shown, 16), MUTED, size=11, anchor="middle", mono=True)

    def _lane(self, number: int, lane: Lane, y: int) -> int:
        said: list[tuple[float, str, bool]] = [
            (self._x(column), mark.words, bool(mark.fatal))
            for column, mark in enumerate(self.film.marks)
            if mark.words and number in (mark.fatal or mark.lanes)[:1]
        ]
        if lane.remark:
            said.insert(0, (LABEL, lane.remark, True))
        height = LANE + SAID * len(said)
        self.parts.append(
            f'<rect x="4" y="{y}" width="{self.width - 8}" height="{height - 4}" rx="6" {painted(MODULE_FILL)}/>'
        )
        self._say(12, y + 17, shortened(lane.name, 19), INK, bold=True)
        self._say(12, y + 31, shortened(lane.about, 24), MUTED, size=10)
        middle = y + LANE // 2 - 2
        self.parts.append(
            f'<line x1="{LABEL}" y1="{middle}" x2="{self.width - 16}" y2="{middle}" stroke-width="1.2" '
            f"{painted('none', MODULE_LINE)}/>"
        )
        for column, mark in enumerate(self.film.marks):
            if number in mark.lanes:
                self._mark(column, mark, middle, number in mark.fatal)
        for row, (x, words, fatal) in enumerate(said):
            self._words(x, y + LANE + 8 + SAID * row, words, CUT if fatal else MUTED)
        return y + height

    def _words(self, x: float, y: int, words: str, color: str) -> None:
        long = len(words) * LETTER
        begin = min(x - COLUMN / 2 + 8 if x > LABEL else x, self.width - 16 - long)
        self._say(max(12, begin), y, words, color, bold=color == CUT)

    def _mark(self, column: int, mark: Mark, middle: int, fatal: bool) -> None:
        x = self._x(column)
        line, fill, thick = look_of(mark, fatal)
        word = f"✗ {mark.word}" if fatal else mark.word
        size = 12 if len(word) <= ROOMY else 10
        self.parts.append(
            f"<g><title>{_text(mark.tip)}</title>{shape(mark.kind, x, middle, fill, line, thick)}"
            f'<text x="{x:g}" y="{middle + 4}" font-size="{size}" text-anchor="middle" '
            f"{painted(CUT if fatal else INK)}>{_text(word)}</text></g>"
        )

    def _ghost(self, ghost: Ghost, y: int) -> int:
        self._say(12, y + 20, "right order", MUTED, size=12)
        middle = y + GHOST // 2 - 2
        for column, (word, missing) in enumerate(ghost.words):
            x = self._x(column)
            color = CUT if missing else FAINT
            self.parts.append(
                f'<rect x="{x - 40:g}" y="{middle - BOX / 2:g}" width="80" height="{BOX}" rx="5" stroke-width="1.6" '
                f'stroke-dasharray="4 3" {painted("none", color)}/>'
            )
            self._say(x, middle + 4, f"+ {word}" if missing else word, CUT if missing else MUTED, anchor="middle")
            if column:
                self._say(x - COLUMN / 2, middle + 4, "→", MUTED, anchor="middle")
        return y + GHOST

    def _x(self, column: int) -> float:
        return LABEL + COLUMN * column + COLUMN / 2

    def _say(
        self,
        x: float,
        y: int,
        words: str,
        color: str,
        *,
        size: int = 12,
        bold: bool = False,
        anchor: str = "",
        mono: bool = False,
    ) -> None:
        more = (' font-weight="bold"' if bold else "") + (f' text-anchor="{anchor}"' if anchor else "")
        if mono:
            more += ' font-family="monospace"'
        self.parts.append(f'<text x="{x:g}" y="{y}" font-size="{size}"{more} {painted(color)}>{_text(words)}</text>')


def short_places(marks: Sequence[Mark]) -> list[str]:
    """Where each mark stands in the code: the file is told where it is another one than that of the mark before."""
    found, last = [], ""
    for mark in marks:
        file, _, line = mark.line.rpartition(":")
        found.append(f":{line}" if file and file == last else mark.line.rpartition("/")[2])
        last = file or last
    return found


def look_of(mark: Mark, fatal: bool) -> tuple[str, str, float]:
    """The colours of a mark's outline and of its inside, and how thick the outline is."""
    line = CUT if fatal else _LINES.get(mark.kind, MODULE_LINE)
    return line, GREY_FILL if mark.kind == "zero_grad" else PAPER, 3.4 if fatal else 1.6


def shape(kind: str, x: float, middle: int, fill: str, line: str, thick: float) -> str:
    """A box whose outline tells the kind without colour: backward points back, step is cut at the corners."""
    left, right, top, bottom = x - 40, x + 40, middle - BOX / 2, middle + BOX / 2
    points: Sequence[tuple[float, float]] = ()
    if kind == "backward":
        points = ((left - 6, middle), (left + 4, top), (right, top), (right, bottom), (left + 4, bottom))
    elif kind == "forward":
        points = ((left, top), (right - 4, top), (right + 6, middle), (right - 4, bottom), (left, bottom))
    if points:
        corners = " ".join(f"{a:g},{b:g}" for a, b in points)
        return f'<polygon points="{corners}" stroke-width="{thick}" {painted(fill, line)}/>'
    dashed = ' stroke-dasharray="3 2"' if kind == "zero_grad" and line != CUT else ""
    radius = 11 if kind == "step" else 3
    return (
        f'<rect x="{left:g}" y="{top:g}" width="80" height="{BOX}" rx="{radius}" stroke-width="{thick}"{dashed} '
        f"{painted(fill, line)}/>"
    )
