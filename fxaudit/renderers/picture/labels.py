"""Text in pictures: escaped, shortened, and laid out as Graphviz' HTML-like labels.

Names come from other people's programs. In an HTML-like label Graphviz reads markup, entities and, after those,
backslash sequences such as `\\N`; in a tooltip it reads entities and backslash sequences.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.palette import INK, MUTED
from fxaudit.renderers.text.wording import code_span, inert

__all__ = [
    "Line",
    "code_around",
    "escaped",
    "folded",
    "label",
    "muted",
    "shortened",
    "tooltip",
    "where",
]

LONGEST_LABEL = 46
LONGEST_TOOLTIP = 600


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a label; `kind` is `title`, `text`, `small`, `code` (fixed width) or `edge` (set off the arrow)."""

    text: str
    kind: str = "text"
    color: str = INK


def shortened(text: str, longest: int = LONGEST_LABEL) -> str:
    """`text`, its middle left out where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    head = longest // 2
    return f"{text[:head]}…{text[len(text) - (longest - head - 1) :]}"


def code_around(source: SourceLine, longest: int) -> str:
    """The line without its comment; where that is too long, the part that is meant with what fits around it."""
    first, last = code_span(source.code)
    text = source.code[first:last]
    if len(text) <= longest:
        return text
    raw = next((row for number, row in source.context if number == source.line), "")
    if source.columns is None or not raw:
        return shortened(text, longest)
    indent = len(raw) - len(raw.lstrip())
    start, end = (max(0, column - indent) for column in source.columns)
    begin = min(max(0, start - max(0, longest - (end - start)) // 2), len(text) - longest)
    stop = begin + longest
    before, behind = "…" if begin else "", "…" if stop < len(text) else ""
    return f"{before}{text[begin + len(before) : stop - len(behind)]}{behind}"


def escaped(text: str) -> str:
    """`text` for an HTML-like label. Graphviz reads backslash sequences after the entities, hence two of them."""
    return html.escape(inert(text)).replace("\\", "&#92;&#92;")


def tooltip(*parts: str) -> str:
    """`parts` as one tooltip. Engines disagree on how often backslashes are read: U+2216 stands in for them."""
    text = " · ".join(inert(part) for part in parts if part)
    return html.escape(shortened(text, LONGEST_TOOLTIP), quote=False).replace("\\", "∖")


_FONTS = {
    "title": '<FONT POINT-SIZE="13" COLOR="{color}"><B>{text}</B></FONT>',
    "text": '<FONT POINT-SIZE="11" COLOR="{color}">{text}</FONT>',
    "edge": '&#160;&#160;<FONT POINT-SIZE="11" COLOR="{color}">{text}</FONT>',
    "small": '<FONT POINT-SIZE="10" COLOR="{color}">{text}</FONT>',
    "code": '<FONT FACE="Courier" POINT-SIZE="10" COLOR="{color}">{text}</FONT>',
}


def _line(line: Line) -> str:
    # A non-breaking space at the end makes up for symbols that engines without their metrics take to be narrow.
    text = escaped(line.text) + "&#160;" * (1 + sum(1 for c in line.text if ord(c) > 0x2000))
    return _FONTS[line.kind].format(color=line.color, text=text)


def label(lines: Iterable[Line], bands: Sequence[tuple[str, str]] = ()) -> str:
    """The HTML-like label of a box: its lines, left-aligned, beside `bands` of (letter, colour)."""
    body = "".join(f'<TR><TD ALIGN="LEFT">{_line(line)}</TD></TR>' for line in lines)
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{body}</TABLE>'
    if not bands:
        return f"<{table}>"
    cells = "".join(
        f'<TD BGCOLOR="{color}" WIDTH="12" CELLPADDING="2"><FONT POINT-SIZE="9" COLOR="#ffffff">'
        f"<B>{escaped(letter)}</B></FONT></TD>"
        for letter, color in bands
    )
    return (
        f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0"><TR>{cells}<TD>{table}</TD></TR></TABLE>>'
    )


def where(source: SourceLine | None) -> str:
    """`file:line`, with only the file's last two parts."""
    if source is None:
        return ""
    return f"{shortened('/'.join(source.file.split('/')[-2:]), 36)}:{source.line}"


def folded(names: Iterable[str], universe: Iterable[str]) -> list[str]:
    """`names` as patterns, none of which matches a name of `universe` that is not among them."""
    from fxaudit.answer.folding import fold

    return fold(list(names), list(universe))


def muted(text: str) -> Line:
    """A small grey line."""
    return Line(text, "small", MUTED)
