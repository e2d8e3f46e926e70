"""The edit that a finding's help shows, as the place in the file where it is to be made.

The help shows lines: `- ` those that go, `+ ` those that come, and `  ` the line that stays above them. Where that is
one statement of one line that the report knows with its indentation, the place is known.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fxaudit.renderers.text.wording import fix_parts

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer
    from fxaudit.answer.finding import Finding
    from fxaudit.program.source import SourceLine

__all__ = ["Suggestion", "suggestion"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` comes for what stands in the line between two columns, which count from 0, and `why` says what it does.

    `whole`: the line goes altogether.
    """

    file: str
    line: int
    columns: tuple[int, int]
    text: str
    why: str
    whole: bool = False


def suggestion(report: Answer, finding: Finding) -> Suggestion | None:
    """The edit of the finding's help; None where it shows none, or the place is not certain."""
    sentence, edit = fix_parts(finding)
    gone, stays, comes = ([line[2:] for line in edit if line.startswith(sign)] for sign in ("- ", "  ", "+ "))
    if len(gone) + len(stays) > 1 or len(comes) > 1 or not edit:
        return None
    sources = [finding.culprit, *(related.source for related in finding.related), *_others(report)]
    anchor = _only(sources, gone[0] if gone else stays[0] if stays else _builder(comes[0]), exact=bool(gone or stays))
    if anchor is None:
        return None
    source, row, begin, end = anchor
    if not gone:
        text = f"\n{row[:begin]}{comes[0]}"
        return Suggestion(source.file, source.line, (len(row), len(row)), text, sentence)
    if not comes and _is_alone(source, begin):
        return None
    return Suggestion(source.file, source.line, (begin, end), "".join(comes), sentence, whole=not comes)


def _others(report: Answer) -> Iterator[SourceLine | None]:
    yield from (optimizer.source for optimizer in report.optimizers)
    yield from (event.source for step in report.steps for event in step.events)


def _builder(added: str) -> str:
    """How the line begins behind which `added` has its variable."""
    variable = re.match(r"[^\W\d]\w*", added)
    return f"{variable[0]} = " if variable else ""


def _only(sources: Iterable[SourceLine | None], code: str, *, exact: bool) -> tuple[SourceLine, str, int, int] | None:
    """The only line among `sources` that is the statement `code`, or begins so, with its text and where it stands."""
    found: dict[tuple[str, int], tuple[SourceLine, str, int, int]] = {}
    for source in sources:
        if source is None or source.library or source.file.startswith("<") or not code:
            continue
        row = dict(source.context).get(source.line, "")
        begin = len(row) - len(row.lstrip())
        statement = row[begin:]
        if statement.startswith(code) and _is_whole(statement) and (not exact or _ends_there(statement[len(code) :])):
            found.setdefault((source.file, source.line), (source, row, begin, begin + len(code)))
    return next(iter(found.values())) if len(found) == 1 else None


def _is_alone(source: SourceLine, indent: int) -> bool:
    """Whether nothing would be left of the block that the line stands in, as far as its neighbours are known."""
    rows = {number: text for number, text in source.context if text.strip()}
    before = max((number for number in rows if number < source.line), default=0)
    behind = min((number for number in rows if number > source.line), default=0)
    opens = rows.get(before, ":").split("#")[0].rstrip().endswith(":")
    text = rows.get(behind, "")
    return opens and len(text) - len(text.lstrip()) < max(indent, 1)


def _is_whole(statement: str) -> bool:
    try:
        return len(ast.parse(statement).body) == 1
    except (SyntaxError, ValueError):
        return False


def _ends_there(rest: str) -> bool:
    """Whether nothing of the statement follows."""
    return not rest.strip() or rest.lstrip().startswith("#")
