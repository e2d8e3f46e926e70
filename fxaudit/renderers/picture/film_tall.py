"""A film as a narrow SVG, for a phone: time goes downwards, the lanes lie beside each other as thin tracks."""

from __future__ import annotations

import html
import textwrap

from fxaudit.renderers.picture.film import Film, Ghost, Lane, Mark
from fxaudit.renderers.picture.film_svg import LETTER, ROOMY, look_of, shape, short_places
from fxaudit.renderers.picture.labels import shortened
from fxaudit.renderers.picture.palette import CUT, FAINT, INK, MODULE_FILL, MODULE_LINE, MUTED, PAPER
from fxaudit.renderers.picture.svg import SVG, painted
from fxaudit.renderers.text.wording import inert

__all__ = ["film_tall"]

WIDTH = 310
SIDE = 8
TRACK = 20
"""From a lane to the next one, where there is room."""
TRACKS = 100
"""Width of all lanes together, at most."""
HEAD, ROW, SAID = 38, 34, 17
BOX = 92
"""Width of the column of marks."""
GHOST, GAP, GHOSTS = 64, 11, 4
"""Width of a word of the right order, what lies between two of them, and how many stand in a row."""
DOT = 5
PLACE = 6.7
"""Width of a letter of 11 px of a font of fixed width."""


def film_tall(film: Film, label: str) -> str:
    """The film as a piece of an HTML page whose style sheet holds the rules of dark mode."""
    drawing = _Drawing(film)
    height = drawing.draw()
    return (
        f'<svg xmlns="{SVG}" class="picture film" role="img" aria-label="{html.escape(inert(label))}" '
        f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">{"".join(drawing.parts)}</svg>'
    )


class _Drawing:
    def __init__(self, film: Film) -> None:
        self.film = film
        self.parts: list[str] = []
        self.behind: list[str] = []
        self.track = min(TRACK, TRACKS / max(1, len(film.lanes)))
        self.left = SIDE + self.track * len(film.lanes) + 6
        self.letters = int((WIDTH - self.left - SIDE) / LETTER)

    def draw(self) -> int:
        """Draw all of it; where it ends."""
        self._say(SIDE, 16, self.film.title, MUTED)
        y, begins = 26, []
        for number, lane in enumerate(self.film.lanes):
            begins.append(y + 14)
            y = self._lane(number, lane, y)
        # The tracks lie below the marks that stand on them, and above what is behind a fatal one.
        heads, self.parts, rows = self.parts, [], y
        for mark, where in zip(self.film.marks, short_places(self.film.marks), strict=True):
            y = self._mark(mark, where, y)
        tracks = [_track(self._x(number), begin, max(y - 6, rows)) for number, begin in enumerate(begins)]
        self.parts = [*self.behind, *tracks, *heads, *self.parts]
        return (self._ghost(self.film.ghost, y) if self.film.ghost is not None else y) + 6

    def _x(self, lane: int) -> float:
        return SIDE + self.track * (lane + 0.5)

    def _lane(self, number: int, lane: Lane, y: int) -> int:
        """The head of a lane: its name beside the place where its track begins."""
        x = self._x(number)
        self.parts.append(
            f'<line x1="{x:g}" y1="{y + 14}" x2="{self.left - 4:g}" y2="{y + 14}" stroke-width="1.4" '
            f"{painted('none', MODULE_LINE)}/>"
        )
        self._dot(x, y + 14, MODULE_LINE, 3)
        self._say(self.left, y + 18, shortened(lane.name, self.letters - 2), INK, size=13, bold=True)
        self._say(self.left, y + 32, shortened(lane.about, self.letters), MUTED, size=11)
        return self._words(lane.remark, y + HEAD, CUT)

    def _mark(self, mark: Mark, where: str, y: int) -> int:
        middle = y + ROW // 2 - 2
        line, fill, thick = look_of(mark, bool(mark.fatal))
        tracks = [self._x(lane) for lane in mark.lanes]
        if mark.fatal:
            high = ROW + SAID * len(self._lines(mark.words))
            self.behind.append(
                f'<rect x="2" y="{y - 2}" width="{WIDTH - 4}" height="{high}" rx="6" {painted(MODULE_FILL)}/>'
            )
        if tracks:
            self.parts.append(
                f'<line x1="{min(tracks):g}" y1="{middle}" x2="{self.left:g}" y2="{middle}" stroke-width="1.4" '
                f"{painted('none', MODULE_LINE)}/>"
            )
        for lane, x in zip(mark.lanes, tracks, strict=True):
            self._dot(x, middle, CUT if lane in mark.fatal else line if not mark.fatal else MUTED, DOT)
        word = f"✗ {mark.word}" if mark.fatal else mark.word
        x = self.left + BOX / 2
        self.parts.append(
            f"<g><title>{html.escape(inert(mark.tip))}</title>{shape(mark.kind, x, middle, fill, line, thick)}"
            f'<text x="{x:g}" y="{middle + 4}" font-size="{12 if len(word) <= ROOMY else 10}" text-anchor="middle" '
            f"{painted(CUT if mark.fatal else INK)}>{html.escape(inert(word))}</text></g>"
        )
        begin = self.left + BOX + 8
        self._say(begin, middle + 4, shortened(where, int((WIDTH - SIDE - begin) / PLACE)), MUTED, size=11, mono=True)
        return self._words(mark.words, y + ROW, CUT if mark.fatal else MUTED)

    def _lines(self, words: str) -> list[str]:
        return textwrap.wrap(inert(words), self.letters)

    def _words(self, words: str, y: int, color: str) -> int:
        """Words below a mark or the head of a lane; where they end."""
        for line in self._lines(words):
            self._say(self.left, y + 8, line, color, bold=color == CUT)
            y += SAID
        return y

    def _ghost(self, ghost: Ghost, y: int) -> int:
        self._say(SIDE, y + 18, f"right order of {shortened(self.film.lanes[ghost.lane].name, 24)}", MUTED)
        for number, (word, missing) in enumerate(ghost.words):
            x, middle = SIDE + (GHOST + GAP) * (number % GHOSTS), y + 40 + ROW * (number // GHOSTS)
            self.parts.append(
                f'<rect x="{x}" y="{middle - 12}" width="{GHOST}" height="24" rx="5" stroke-width="1.6" '
                f'stroke-dasharray="4 3" {painted("none", CUT if missing else FAINT)}/>'
            )
            said = f"+ {word}" if missing else word
            self._say(x + GHOST / 2, middle + 4, said, CUT if missing else MUTED, size=11, anchor="middle")
            if number + 1 < len(ghost.words):
                self._say(x + GHOST + GAP / 2, middle + 4, "→", MUTED, size=10, anchor="middle")
        return y + 26 + ROW * -(-len(ghost.words) // GHOSTS)

    def _dot(self, x: float, y: float, color: str, radius: int) -> None:
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius}" stroke-width="2" {painted(PAPER, color)}/>')

    def _say(
        self,
        x: float,
        y: float,
        words: str,
        color: str,
        *,
        size: int = 12,
        bold: bool = False,
        anchor: str = "",
        mono: bool = False,
    ) -> None:
        more = (' font-weight="bold"' if bold else "") + (f' text-anchor="{anchor}"' if anchor else "")
        more += ' font-family="monospace"' if mono else ""
        text = html.escape(inert(words))
        self.parts.append(f'<text x="{x:g}" y="{y:g}" font-size="{size}"{more} {painted(color)}>{text}</text>')


def _track(x: float, top: float, bottom: float) -> str:
    return (
        f'<line x1="{x:g}" y1="{top:g}" x2="{x:g}" y2="{bottom:g}" stroke-width="1.4" {painted("none", MODULE_LINE)}/>'
    )
