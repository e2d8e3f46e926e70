"""Of a film what is legible on a card: the lane that is meant, around what does the harm."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from fxaudit.renderers.picture.film import Film, Mark
from fxaudit.renderers.picture.film_svg import look_of, short_places
from fxaudit.renderers.picture.labels import shortened
from fxaudit.renderers.picture.palette import CUT, FAINT, INK, MODULE_LINE, MUTED
from fxaudit.renderers.picture.svg import MONOSPACE, painted
from fxaudit.renderers.text.wording import inert

__all__ = ["excerpt"]

MARKS = 6
"""Events of the lane that are shown, the nearest to the fatal one."""
NAME = 230
"""Room for a lane's name."""
BOX, PLACE, GAP = 42, 22, 14
"""Height of a box, of the line above it that says where it stands, and what lies between rows."""
WIDEST = 156
LETTER = 12.0
"""Width of a letter of 20 px, about."""


def excerpt(film: Film, x: float, y: float, width: float, said: str) -> Iterator[str]:
    """The shapes: a row for the lane that is meant, below it the right order or what is wrong; `said` was said before.

    A lane in which nothing was done stands below one in which something was.
    """
    meant = _meant(film)
    others = [lane for mark in film.marks for lane in mark.lanes if mark.kind == "step"]
    number = meant if any(meant in mark.lanes for mark in film.marks) else (*others, meant)[0]
    shown = _nearest([mark for mark in film.marks if number in mark.lanes])
    words = film.ghost.words if film.ghost is not None and film.ghost.lane == number else ()
    step = min(WIDEST, (width - NAME) / max(1, len(shown), len(words)))
    middle = y + PLACE + BOX / 2
    yield _say(x, middle + 7, shortened(film.lanes[number].name, 17), INK, _BOLD)
    yield from _marks(shown, number, x + NAME, middle, step)
    below = middle + BOX + GAP
    if words:
        yield from _order(words, x, below, step)
    elif film.lanes[meant].remark not in ("", said):
        lane = film.lanes[meant]
        told = lane.remark if number == meant else f"{lane.about}: {lane.remark}"
        yield _say(x, below + 7, "" if number == meant else shortened(lane.name, 17), INK, _BOLD)
        yield _say(x + NAME, below + 7, shortened(told, int((width - NAME) / LETTER)), CUT)


def _marks(shown: Sequence[tuple[int, Mark]], lane: int, x: float, middle: float, step: float) -> Iterator[str]:
    places = short_places([mark for _, mark in shown])
    before = -1
    for column, ((at, mark), place) in enumerate(zip(shown, places, strict=True)):
        left, is_fatal = x + step * column, lane in mark.fatal
        if column:
            yield from _between(left, middle, left_out=at > before + 1)
        before = at
        centre = left + (step - GAP) / 2
        yield _say(centre, middle - BOX / 2 - 6, shortened(place, int((step - GAP) / 9)), MUTED, _MIDDLE_MONO, 15)
        line, fill, _ = look_of(mark, is_fatal)
        yield _box(left, middle, step, f"✗ {mark.word}" if is_fatal else mark.word, (fill, line), 4 if is_fatal else 2)


def _meant(film: Film) -> int:
    """The lane in which the harm is done, else the one with which something is wrong, else the first."""
    fatal = [lane for mark in film.marks for lane in mark.fatal]
    wrong = [number for number, lane in enumerate(film.lanes) if lane.remark]
    return (*fatal, *wrong, 0)[0]


def _nearest(marks: Sequence[Mark]) -> list[tuple[int, Mark]]:
    """At most so many marks with their places among all of them, in their order."""
    at = next((number for number, mark in enumerate(marks) if mark.fatal), len(marks) - 1)
    order = sorted(range(len(marks)), key=lambda number: (not marks[number].words, abs(number - at)))
    return [(number, marks[number]) for number in sorted(order[:MARKS])]


def _order(words: Sequence[tuple[str, bool]], x: float, middle: float, step: float) -> Iterator[str]:
    yield _say(x, middle + 7, "right order", MUTED)
    for column, (word, missing) in enumerate(words):
        left = x + NAME + step * column
        if column:
            yield from _between(left, middle)
        color = CUT if missing else FAINT
        yield _box(left, middle, step, f"+ {word}" if missing else word, ("none", color), 2, ' stroke-dasharray="6 4"')


def _between(left: float, middle: float, *, left_out: bool = False) -> Iterator[str]:
    if left_out:
        yield _say(left - GAP / 2, middle + 7, "…", MUTED, ' text-anchor="middle"')
    else:
        line = f'x1="{left - GAP:g}" y1="{middle:g}" x2="{left:g}" y2="{middle:g}"'
        yield f'<line {line} stroke-width="2" {painted("none", MODULE_LINE)}/>'


def _box(
    left: float, middle: float, step: float, word: str, colors: tuple[str, str], thick: int, dashed: str = ""
) -> str:
    fill, line = colors
    size = 20 if len(word) * LETTER <= step - GAP else 16
    shape = (
        f'<rect x="{left:g}" y="{middle - BOX / 2:g}" width="{step - GAP:g}" height="{BOX}" rx="8" '
        f'stroke-width="{thick}"{dashed} {painted(fill, line)}/>'
    )
    color = CUT if line == CUT else MUTED if dashed else INK
    return shape + _say(left + (step - GAP) / 2, middle + 7, word, color, ' text-anchor="middle"', size)


_BOLD = ' font-weight="bold"'
_MIDDLE_MONO = f' text-anchor="middle" font-family="{html.escape(MONOSPACE)}"'


def _say(x: float, y: float, text: str, color: str, more: str = "", size: int = 20) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" {painted(color)}{more}>{html.escape(inert(text))}</text>'
