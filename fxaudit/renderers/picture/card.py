"""A card for sharing, 1200 × 630: the verdict in large letters, the line to blame, and where the gradient ends."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator

from fxaudit.answer.answer import VERDICTS, Answer
from fxaudit.answer.finding import LEVELS, Finding
from fxaudit.answer.folding import folds
from fxaudit.renderers.picture.card_film import excerpt
from fxaudit.renderers.picture.film import film_of, has_film
from fxaudit.renderers.picture.labels import code_around, shortened, where
from fxaudit.renderers.picture.palette import CUT, FLOW, GREY_FILL, INK, MODULE_LINE, MUTED, PAPER, dark_rules, look
from fxaudit.renderers.picture.svg import MONOSPACE, SANS, SVG, painted
from fxaudit.renderers.text.operation_names import step_name
from fxaudit.renderers.text.wording import ENDS, counted, inert, path_stations, zeroing

__all__ = ["card"]

WIDTH, HEIGHT, SIDE = 1200, 630, 56
LETTERS = 46
"""Letters of the headline in one line, of which there are at most three."""
CODE = 62
BOXES = 6


def card(report: Answer) -> str:
    """The card as an SVG document that follows the reader's light or dark preference."""
    loud = sorted(report.findings, key=lambda finding: LEVELS.index(finding.level))
    finding = loud[0] if loud else None
    y, headline = _headline(report)
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" {painted(PAPER)}/>', *headline, *_bar(report, y)]
    if finding is not None:
        parts += _blamed(finding, y + 90)
        parts += _picture(report, finding, y + 90 + 116)
    parts.append(_say(SIDE, HEIGHT - 26, "fxaudit: why aren't my parameters updating?", 20, MUTED))
    style = f"<style>@media screen and (prefers-color-scheme:dark){{{dark_rules('svg')}}}</style>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="{SVG}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{html.escape(SANS)}" role="img" '
        f'aria-label="{_text(report.summary)}">{style}{"".join(parts)}</svg>\n'
    )


def _text(text: str) -> str:
    return html.escape(inert(text))


def _say(x: float, y: float, text: str, size: int, color: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" {painted(color)}{more}>{_text(text)}</text>'


def _headline(report: Answer) -> tuple[int, list[str]]:
    """Title and verdict, and where they end."""
    parts = [_say(SIDE, 62, shortened(report.title or "a model", 60), 24, MUTED)]
    lines = textwrap.wrap(inert(report.summary), LETTERS, max_lines=3, placeholder=" …")
    for number, line in enumerate(lines):
        color = INK if report.ok and report.crash is None else CUT
        parts.append(_say(SIDE, 116 + 50 * number, line, 42, color, ' font-weight="bold"'))
    return 116 + 50 * (len(lines) - 1) + 22, parts


def _bar(report: Answer, y: int) -> Iterator[str]:
    """How many elements have which verdict."""
    sizes = {v: sum(p.numel for p in report if p.verdict == v) for v in VERDICTS}
    total = sum(sizes.values())
    x = float(SIDE)
    for verdict, size in sizes.items():
        if size:
            width = max(6.0, (WIDTH - 2 * SIDE) * size / total)
            width = min(width, WIDTH - SIDE - x)
            yield f'<rect x="{x:g}" y="{y}" width="{max(0.0, width - 2):g}" height="14" {painted(look(verdict).line)}/>'
            x += width
    told = [f"{look(verdict).symbol} {count:,} {verdict}" for verdict, count in report.verdicts().items()]
    yield _say(SIDE, y + 42, shortened(" · ".join(told), 90), 20, MUTED)


def _blamed(finding: Finding, y: int) -> Iterator[str]:
    """What the finding says, and the line that it blames with what is meant."""
    yield _say(SIDE, y, shortened(finding.message.replace("`", ""), 88), 24, INK)
    source = finding.culprit
    if source is None:
        return
    code = code_around(source, CODE)
    yield f'<rect x="{SIDE}" y="{y + 18}" width="{WIDTH - 2 * SIDE}" height="82" rx="8" {painted(GREY_FILL)}/>'
    yield _say(SIDE + 20, y + 46, f"{where(source)} in {source.function}"[:80], 18, MUTED)
    mono = f' font-family="{html.escape(MONOSPACE)}" font-weight="bold"'
    yield _say(SIDE + 20, y + 82, code, 27, CUT, mono)


def _picture(report: Answer, finding: Finding, y: int) -> Iterator[str]:
    room = HEIGHT - 64 - y
    if has_film(report, finding):
        said = finding.message.replace("`", "")
        yield from excerpt(film_of(report, finding), SIDE, y, WIDTH - 2 * SIDE, said)
    elif finding.path and room > 60:
        yield from _way(report, finding, y + min(36, room // 2))


def _way(report: Answer, finding: Finding, y: int) -> Iterator[str]:
    """The way to the loss as a row of boxes, with the place where gradient ends."""
    patterns = folds(finding.parameters, report.parameters)
    boxes = [(patterns[0].pattern if patterns else "parameters", "parameter")]
    zero = zeroing(finding.path)
    for station in path_stations(finding.path):
        if isinstance(station, int):
            boxes.append((f"… {counted(station, 'operation')} …", "operation"))
        elif station.kind not in ("optimizer", "parameter"):
            boxes.append((step_name(station), "zero" if station is zero else station.kind))
    if len(boxes) > BOXES:
        cut = next((n for n, (_, kind) in enumerate(boxes) if kind in (*ENDS, "zero")), 1)
        kept = sorted({0, cut - 1, cut, len(boxes) - 1})
        boxes = [boxes[n] for n in kept]
    step = (WIDTH - 2 * SIDE) / len(boxes)
    dead, is_zero, ends = False, zero is not None, any(kind in ENDS for _, kind in boxes)
    for number, (text, kind) in enumerate(boxes):
        x, is_cut = SIDE + step * number, kind in ENDS and not dead
        if number:
            color = CUT if is_cut or is_zero else MODULE_LINE if ends else FLOW
            dashed = ' stroke-dasharray="8 5"' if ends else ""
            stroke = f'stroke-width="4"{dashed} {painted("none", color)}'
            yield f'<line x1="{x - 34:g}" y1="{y}" x2="{x - 4:g}" y2="{y}" {stroke}/>'
            if is_cut:
                yield _say(x - 19, y - 14, "✂", 26, CUT, ' text-anchor="middle"')
            elif is_zero:
                yield _say(x - 19, y - 12, "0", 22, CUT, ' text-anchor="middle"')
        is_zero, is_cut = is_zero and kind != "zero", is_cut or kind == "zero"
        dead = dead or (is_cut and kind != "zero")
        line = CUT if is_cut else MODULE_LINE
        wide = 4 if is_cut else 2
        yield (
            f'<rect x="{x:g}" y="{y - 26}" width="{step - 40:g}" height="52" rx="8" stroke-width="{wide}" '
            f"{painted(PAPER, line)}/>"
        )
        shown = shortened(text, max(6, int((step - 56) / 11)))
        color = MUTED if dead and not is_cut else INK
        yield _say(x + (step - 40) / 2, y + 7, shown, 20, color, ' text-anchor="middle"')
