"""The report as GitHub-flavoured Markdown, for pull requests: the causes in sight, the rest folded away.

Names, paths, code and messages are data. None of them can open a tag, a link, a table cell or a heading, nor mention a
person or an issue.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fxaudit.answer.finding import LEVELS
from fxaudit.answer.folding import Universe, folds
from fxaudit.renderers.text.mermaid import mermaid
from fxaudit.renderers.text.operation_names import step_name
from fxaudit.renderers.text.wording import (
    ENDS,
    causes,
    counted,
    ending,
    ending_of,
    events_text,
    fix_parts,
    inert,
    learning_rate,
    near_lines,
    number,
    parameter_rows,
    path_stations,
    place,
    proof,
    timeline,
    unexplained,
    unseen,
)

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer
    from fxaudit.answer.finding import Finding, Patch, PathStep
    from fxaudit.program.source import SourceLine

__all__ = ["render"]

MARKS = {"error": "❌", "warning": "⚠️", "note": "ℹ️"}
FINDINGS_IN_SIGHT = 10
PATTERNS_OF_A_FINDING = 8

_PUNCTUATION = re.compile(r"[\\`*_\[\]>#|~$]|^[-+=]")
_LIST_NUMBER = re.compile(r"^(\d+)([.)])")
# GitHub makes links of these after Markdown is done; an empty comment between the characters keeps it from that.
_REFERENCE = re.compile(r"(@|\\#|GH(?=-\d)|:(?=//)|(?i:www)(?=\.))")
_NOT_IN_BACKTICKS = re.compile(r"[`|\\$]|^\s|\s$|^$")
_MARKUP_CHARACTER = re.compile(r"[^\w \-./:,;=()+%]|_")


def render(report: Answer) -> str:
    """The report as Markdown: short, details folded, everything escaped."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Answer) -> Iterator[str]:
    universe = Universe.of(report.parameters)
    yield f"### fxaudit{f': {_text(report.title)}' if report.title else ''}"
    yield ""
    yield f"**{_text(report.summary)}**"
    if died := ending(report):
        yield f"\n💥 {_text(' '.join(died.split()))}"
        if report.traceback:
            yield from ("", *_details("Traceback", [_block(report.traceback.splitlines(), "")]))
    ordered = [finding for level in LEVELS for finding in report.findings if finding.level == level]
    loud = [finding for finding in ordered if finding.level != "note"]
    quiet = [*loud[FINDINGS_IN_SIGHT:], *(finding for finding in ordered if finding.level == "note")]
    for finding in loud[:FINDINGS_IN_SIGHT]:
        yield ""
        yield from _finding(finding, universe)
    if report.patch is not None:
        yield from _patch(report.patch, "All fixes together")
    if quiet:
        yield ""
        yield from _details(
            f"{len(quiet)} more", [f"- {_headline(finding)}{_at(finding.culprit)}" for finding in quiet]
        )
    for summary, body in (
        ("All parameters", list(_table(report))),
        ("Not explained by a finding", [f"- {_text(sentence)}" for sentence in unexplained(report)]),
        ("Optimizers and the loop", [*_optimizers(report, universe), *_loop(report)]),
        ("What could not be seen", [f"- {_text(sentence)}" for sentence in unseen(report)]),
    ):
        if body:
            yield ""
            yield from _details(summary, body)
    yield ""
    environment = [f"{_text(name)} {_text(value)}" for name, value in report.environment.items()]
    yield f"<sub>{' · '.join([_text(causes(report)), *environment])}</sub>"


def _patch(patch: Patch, what: str) -> Iterator[str]:
    yield f"\n{'✅ ' if patch.state == 'tried' else ''}**{what}, {patch.state}:** {_text(patch.seen)}"
    if patch.diff:
        yield f"\n{_block(patch.diff.splitlines(), 'diff')}"


def _finding(finding: Finding, universe: Universe) -> Iterator[str]:
    yield f"#### {MARKS[finding.level]} {_headline(finding)}"
    if source := finding.culprit:
        yield f"\n{_code(place(source))}\n"
        yield _block(
            [f"{n:>4}{'>' if n == source.line else ' '} {text}" for n, text in near_lines(source, 2)], "python"
        )
    if finding.fix:
        sentence, edit = fix_parts(finding)
        yield f"\n**Fix:** {_text(sentence)}"
        if edit and (finding.patch is None or not finding.patch.diff):
            yield f"\n{_block(edit, 'diff')}"
    if finding.patch is not None:
        yield from _patch(finding.patch, "Fix")
    if shown := proof(finding):
        yield f"\n{'✅ ' if finding.proved else ''}{_text(shown[0].upper() + shown[1:])}."
    details = [f"- Parameters: {_patterns(finding.parameters, universe)}"] if finding.parameters else []
    if finding.path:
        details.append(f"- Path: {_path(finding.path)}")
    details += [f"- {_text(related.role)}{_at(related.source)}" for related in finding.related]
    if source and source.frames:
        details.append("- Called from " + " ← ".join(_code(str(f)) for f in source.frames))
    if finding.also:
        details.append(f"- After this one, also fix {', '.join(map(_text, finding.also))}")
    if drawn := mermaid(finding, _drawn_names(finding, universe)):
        details += ["", _block(drawn, "mermaid")]
    if details:
        summary = counted(len(finding.parameters), "parameter") if finding.parameters else "Details"
        summary += " and the path to the loss" if finding.parameters and finding.path else ""
        yield ""
        yield from _details(summary, details)


def _drawn_names(finding: Finding, universe: Universe) -> str:
    found = folds(finding.parameters, universe)
    left = sum(len(folded.names) for folded in found[2:])
    return ", ".join(folded.pattern for folded in found[:2]) + (f" and {left} more" if left else "")


def _headline(finding: Finding) -> str:
    return f"{_text(finding.code)} {_text(finding.name)}: {_text(finding.message)}"


def _at(source: SourceLine | None) -> str:
    return f" ({_code(place(source))})" if source else ""


def _patterns(names: Sequence[str], universe: Universe) -> str:
    found = folds(names, universe)
    shown = ", ".join(_code(folded.pattern) for folded in found[:PATTERNS_OF_A_FINDING])
    left = sum(len(folded.names) for folded in found[PATTERNS_OF_A_FINDING:])
    return f"{shown} and {number(left)} more" if left else shown


def _path(path: Sequence[PathStep]) -> str:
    stations = []
    for station in path_stations(path):
        if isinstance(station, int):
            stations.append(f"… {counted(station, 'operation')} …")
        else:
            ends = ending_of(station, path)
            sign = "✂" if station.kind in ENDS else "**0**:"
            stations.append(_code(step_name(station)) + (f" {sign} {ends}" if ends else ""))
    return " → ".join(stations)


def _table(report: Answer) -> Iterator[str]:
    if not report.parameters:
        return
    yield "| verdict | parameters | count | elements | held by | gradient |"
    yield "| --- | --- | ---: | ---: | --- | --- |"
    for row in parameter_rows(report):
        pattern = _text(row.pattern) if row.pattern.startswith("…") else _code(row.pattern)
        held_by = _code(row.held_by) if row.held_by else "–"
        gradient = "?" if row.gradient == "unknown" else row.gradient
        cells = (row.verdict, pattern, str(row.count), number(row.elements), held_by, gradient)
        yield f"| {' | '.join(cells)} |"


def _optimizers(report: Answer, universe: Universe) -> Iterator[str]:
    for optimizer in report.optimizers:
        stepped = f"{counted(optimizer.steps, 'step')} seen" if optimizer.steps else "never stepped"
        yield f"- {_code(optimizer.name)} ({_text(optimizer.type)}), {stepped}{_at(optimizer.source)}"
        for index, (rate, names) in enumerate(optimizer.groups):
            held = _patterns(names, universe) if names else "nothing"
            yield f"  - group {index}, {_text(learning_rate(rate))}: {held}"


def _loop(report: Answer) -> Iterator[str]:
    steps = timeline(report.steps)
    for label, events in steps[:FINDINGS_IN_SIGHT]:
        yield f"- {label}: {_text(events_text(events))}"
    if len(steps) > FINDINGS_IN_SIGHT:
        yield f"- … and {counted(len(steps) - FINDINGS_IN_SIGHT, 'line')} more"


def _details(summary: str, body: Sequence[str]) -> Iterator[str]:
    """A part that is folded away; the empty lines make GitHub read the body as Markdown again."""
    yield f"<details><summary>{html.escape(summary)}</summary>"
    yield ""
    yield from body
    yield ""
    yield "</details>"


def _block(lines: Sequence[str], language: str) -> str:
    """A fenced block whose fence is longer than any run of backticks in it."""
    text = "\n".join(inert(line) for line in lines)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _code(text: str) -> str:
    """`text` as code: in backticks, or as an element where it holds what means something even between backticks."""
    text = inert(text)
    if not _NOT_IN_BACKTICKS.search(text):
        return f"`{text}`"
    return f"<code>{_MARKUP_CHARACTER.sub(lambda found: f'&#{ord(found[0])};', text)}</code>"


def _text(text: str) -> str:
    """`text` as prose; what stands between backticks in it is code, everything else means nothing to Markdown."""
    # Four spaces at the start of a list item would make it a block of code.
    shown = inert(text).strip()
    pieces = shown.split("`")
    if len(pieces) % 2 == 0:
        return _prose(shown)
    return "".join(_code(piece) if index % 2 else _prose(piece) for index, piece in enumerate(pieces))


def _prose(text: str) -> str:
    escaped = _PUNCTUATION.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))
    escaped = _LIST_NUMBER.sub(r"\1\\\2", escaped)
    return _REFERENCE.sub(r"\1<!-- -->", escaped)
