"""Source code as compilers print it: a gutter of line numbers, and carets under the part that is meant."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from rich.table import Table
from rich.text import Text

from fxaudit.renderers.text.wording import code_span, inert, near_lines, place

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from fxaudit.answer.finding import Related
    from fxaudit.program.source import SourceLine

__all__ = ["MARGIN", "CodeFrame", "linked"]

MARGIN = "bright_blue"
"""The colour of line numbers and margins: plain blue cannot be read on a dark ground."""


@dataclass(frozen=True, slots=True)
class CodeFrame:
    """A source line with `around` of its neighbours, no wider than the console; `style` colours the carets.

    `gutter` is the width of the line numbers, `role` what a line that is not the culprit has to do with it. Lines of
    `beside` that are among the neighbours are underlined and told there.
    """

    source: SourceLine
    gutter: int
    around: int = 2
    style: str = "red"
    role: str = ""
    beside: tuple[Related, ...] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        blank = " " * self.gutter
        arrow = ":::" if self.role else "-->"
        where = linked(self.source)
        if self.role:
            where.append(f": {inert(self.role)}", "bold")
        heading = Table.grid(padding=0)
        heading.add_column(no_wrap=True)
        heading.add_column(overflow="fold")
        heading.add_row(Text(f"{blank}{arrow} ", MARGIN), where)
        yield heading
        near = near_lines(self.source, self.around)
        if not near:
            return
        shared = min((_indentation(text) for _, text in near if text.strip()), default=0)
        room = max(20, options.max_width - self.gutter - 3)
        start, end = self._marked(dict(near)[self.source.line], shared)
        # The part that is meant stays in sight: a line that is too long loses its beginning.
        hidden = max(0, min(end - room + 2, start - 2)) if end > room and start > room // 3 else 0
        bar = Text(f"{blank} |", MARGIN)
        if not self.role:
            yield bar
        for number, text in near:
            is_culprit = number == self.source.line
            style = "dim" if not is_culprit else "" if self.role else "bold"
            code = _window(inert(text[shared:]), hidden, room)
            yield Text.assemble((f"{number:>{self.gutter}} |", MARGIN), (f" {code}".rstrip(), style), no_wrap=True)
            if is_culprit and not self.role and end > start:
                carets = " " * (start - hidden + 1) + "^" * (min(end, hidden + room) - start)
                yield Text.assemble((f"{blank} |", MARGIN), (carets, f"bold {self.style}"), no_wrap=True)
            for related in self.beside:
                if related.source.line == number:
                    yield from self._told(related, text, shared, hidden, room)
        if not self.role:
            yield bar

    def _told(self, related: Related, text: str, shared: int, hidden: int, room: int) -> Iterator[RenderableType]:
        """Dashes under a neighbour and what it has to do with the culprit, behind them if there is room."""
        start, end = self._marked(text, shared, related.source)
        start, end = max(0, start - hidden), min(end - hidden, room)
        role = inert(related.role)
        margin = (f"{' ' * self.gutter} |", MARGIN)
        dashes = (" " * (start + 1) + "-" * (end - start), f"bold {MARGIN}")
        if end + 2 + cell_len(role) <= room:
            yield Text.assemble(margin, dashes, (f" {role}", "bold"), no_wrap=True)
            return
        yield Text.assemble(margin, dashes, no_wrap=True)
        told = Table.grid(padding=0)
        told.add_column(no_wrap=True)
        told.add_column(overflow="fold")
        told.add_row(Text.assemble(margin, " "), Text(role, "bold"))
        yield told

    def _marked(self, text: str, shared: int, source: SourceLine | None = None) -> tuple[int, int]:
        """The cells to put carets under: the columns the interpreter named, else the whole code of the line."""
        meant = source or self.source
        first, last = code_span(text)
        if meant.columns is not None and meant.context:
            first, last = meant.columns
        start = cell_len(inert(text[shared:first]))
        return start, start + cell_len(inert(text[first:last]))


def linked(source: SourceLine) -> Text:
    """Where a line is, as a link that terminals open (OSC 8) if the file is here; nobody sees it in plain text."""
    where = Text(inert(place(source)))
    path = Path(source.file)
    with contextlib.suppress(OSError, ValueError):  # the name is somebody else's: too long, or with a NUL in it
        if not source.library and not source.file.startswith("<") and path.is_file():
            where.stylize(Style(link=f"{path.absolute().as_uri()}#{source.line}"))
    return where


def _indentation(text: str) -> int:
    return len(text) - len(text.lstrip())


def _window(text: str, hidden: int, room: int) -> str:
    """The `room` cells of `text` after the first `hidden`, with an ellipsis where something is left out."""
    if hidden:
        dropped = cells = 0
        while dropped < len(text) and cells <= hidden:
            cells += cell_len(text[dropped])
            dropped += 1
        text = "…" + " " * max(0, cells - hidden - 1) + text[dropped : dropped + room]
    text = text[: 2 * room + 8]  # `rich` would measure all of a very long line
    line = Text(text)
    line.truncate(room, overflow="ellipsis")
    return line.plain
