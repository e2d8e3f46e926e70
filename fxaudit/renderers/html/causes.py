"""The causes as the page shows them: what is said, the lines, the fix, the parameters, worked out before any markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import overload

from markupsafe import Markup

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Finding, Patch, PathStep, Related
from fxaudit.answer.folding import Universe, folds
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.palette import HAPPY
from fxaudit.renderers.text.operation_names import step_name
from fxaudit.renderers.text.wording import (
    code_span,
    counted,
    ending_of,
    fix_parts,
    patch_lines,
    place,
    proof,
)

__all__ = ["Cause", "CodeFrame", "Drawn", "Place", "TriedFix", "cause_of", "place_of", "tried_fix"]

NAMES = 200
"""Names listed below one pattern; the table has all."""
AROUND_RELATED = 1
"""Lines shown above and below one that is not the culprit."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a sentence; `code` where it stood in backticks."""

    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line is, in words, and as file and line for an editor; `file` is empty where no editor could open it."""

    text: str
    short: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A line of a code frame: `before` + `marked` + `after`, with something marked only in the culprit's line.

    `role` is what another line has to do with the culprit.
    """

    number: int
    before: str
    marked: str = ""
    after: str = ""
    lit: bool = False
    role: str = ""


@dataclass(frozen=True, slots=True)
class CodeFrame:
    """A source line with its neighbours, and the frames above it."""

    place: Place
    role: str
    rows: tuple[CodeRow, ...]
    above: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Folded parameters: the pattern, their names and rows as far as they are listed, and how many there are in all."""

    pattern: str
    names: tuple[tuple[str, int], ...]
    count: int


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do: sentences, the lines of a diff or snippet as (`add`, `del` or `same`, text), and the code to copy."""

    sentences: tuple[Span, ...]
    lines: tuple[tuple[str, str], ...]
    copied: str = ""


@dataclass(frozen=True, slots=True)
class TriedFix:
    """A patch: what is said of it, its lines as those of a `Fix`, and the text to copy."""

    state: str
    seen: tuple[Span, ...]
    lines: tuple[tuple[str, str], ...]
    diff: str


@dataclass(frozen=True, slots=True)
class Station:
    """A step of a path as text."""

    text: str
    place: Place | None
    ending: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A film, from left to right and upright; `room` is the width up to which the upright one is shown."""

    wide: Markup
    tall: Markup
    room: int


@dataclass(frozen=True, slots=True)
class Cause:
    """A finding as the page shows it; `lost` says how much it costs, `settled` in a word how sure it is."""

    number: int
    anchor: str
    code: str
    name: str
    level: str
    message: tuple[Span, ...]
    fix: Fix
    culprit: CodeFrame | None
    related: tuple[CodeFrame, ...]
    path: tuple[Station, ...]
    patterns: tuple[Pattern, ...]
    parameters: int
    lost: str
    settled: str
    proof: str
    proved: bool
    also: tuple[str, ...]
    rationale: tuple[Span, ...]
    patch: TriedFix | None = None
    picture: Markup | None = None
    film: Drawn | None = None
    unmeasured: str = ""


def spans(text: str) -> tuple[Span, ...]:
    """A sentence with its backticked parts told apart."""
    pieces = re.split(r"`([^`]+)`", text)
    return tuple(Span(piece, bool(index % 2)) for index, piece in enumerate(pieces) if piece)


def _fix(finding: Finding) -> Fix:
    sentence, edit = fix_parts(finding)
    has_patch = finding.patch is not None and bool(finding.patch.diff)
    shown = () if has_patch else edit
    added = [line[2:] for line in shown if line.startswith("+ ")]
    return Fix(spans(sentence), _diff_rows(shown), "\n".join(added))


def _diff_rows(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    kinds = {"+": "add", "-": "del"}
    return tuple((kinds.get(line[:1], "same"), line) for line in lines)


def tried_fix(patch: Patch) -> TriedFix:
    """A patch as the page shows it."""
    return TriedFix(patch.state, spans(patch.seen), _diff_rows(patch_lines(patch)), patch.diff)


def cause_of(
    report: Answer,
    index: int,
    prefix: str,
    universe: Universe,
    rows: Mapping[str, int],
) -> Cause:
    """The cause of `report.findings[index]`; `rows` has the number of each parameter's row."""
    finding = report.findings[index]
    rule = next((rule for rule in report.rules if rule.code == finding.code), None)
    return Cause(
        number=index + 1,
        anchor=f"{prefix}-cause-{index}",
        code=finding.code,
        name=finding.name,
        level=finding.level,
        message=spans(finding.message),
        fix=_fix(finding),
        culprit=_frame(finding.culprit, beside=_beside(finding)) if finding.culprit else None,
        related=tuple(_frame(r.source, r.role) for r in finding.related if r not in _beside(finding)),
        path=tuple(_station(step, finding.path) for step in finding.path),
        patterns=_patterns(finding.parameters, universe, rows),
        parameters=len(finding.parameters),
        lost=_lost(report, finding),
        settled=_settled(finding),
        proof=proof(finding),
        proved=bool(finding.proved),
        also=finding.also,
        rationale=spans(" ".join(filter(None, [rule.title, rule.rationale]))) if rule else (),
        patch=tried_fix(finding.patch) if finding.patch else None,
        unmeasured=report.graph_data.unmeasured if _ends_gradient(report, finding) else "",
    )


def _lost(report: Answer, finding: Finding) -> str:
    """How much of the model the finding keeps from being updated; how much it is about where it keeps nothing."""
    about = [report.parameters[name] for name in finding.parameters if name in report.parameters]
    lost = [parameter for parameter in about if parameter.verdict not in HAPPY]
    if not lost:
        return counted(len(about), "parameter") if about else ""
    return f"{counted(len(lost), 'parameter')}, {counted(sum(p.numel for p in lost), 'element')}"


def _ends_gradient(report: Answer, finding: Finding) -> bool:
    """Whether its parameters get no gradient, or zeros."""
    named = [report.parameters[name] for name in finding.parameters if name in report.parameters]
    return any(p.verdict == "unreachable" or (p.verdict == "blocked" and p.gradient.state == "zero") for p in named)


def _settled(finding: Finding) -> str:
    if finding.patch is not None and finding.patch.state == "tried":
        return "fix tried"
    return {True: "proved", False: "not proved", None: ""}[finding.proved]


def _patterns(names: Iterable[str], universe: Universe, rows: Mapping[str, int]) -> tuple[Pattern, ...]:
    return tuple(
        Pattern(fold.pattern, tuple((name, rows.get(name, -1)) for name in fold.names[:NAMES]), len(fold.names))
        for fold in folds(names, universe)
    )


@overload
def place_of(source: SourceLine) -> Place: ...
@overload
def place_of(source: None) -> None: ...
@overload
def place_of(source: SourceLine | None) -> Place | None: ...
def place_of(source: SourceLine | None) -> Place | None:
    """Where `source` is, None where it is none."""
    if source is None:
        return None
    return Place(place(source), str(source), "" if source.library else _openable(source.file), source.line)


def _openable(file: str) -> str:
    return "" if file.startswith("<") else file


def _station(step: PathStep, path: Sequence[PathStep]) -> Station:
    where = f"{step.module}: " if step.module else ""
    return Station(f"{where}{step_name(step)}", place_of(step.source), ending_of(step, path))


def _beside(finding: Finding) -> tuple[Related, ...]:
    """The related lines that are shown around the culprit anyway: what they have to do with it is told there."""
    culprit = finding.culprit
    if culprit is None:
        return ()
    near = {number for number, text in culprit.context if number != culprit.line and text.strip()}
    return tuple(r for r in finding.related if r.source.file == culprit.file and r.source.line in near)


def _frame(source: SourceLine, role: str = "", beside: Sequence[Related] = ()) -> CodeFrame:
    rows = source.context or ((source.line, source.code),)
    if role:
        rows = tuple(row for row in rows if abs(row[0] - source.line) <= AROUND_RELATED)
    shared = min((len(text) - len(text.lstrip()) for _, text in rows if text.strip()), default=0)
    roles: dict[int, str] = {}
    for related in beside:
        told = roles.get(related.source.line)
        roles[related.source.line] = f"{told}; {related.role}" if told else related.role
    shown = tuple(
        replace(_code_row(n, text, shared, source), role=roles.get(n, "").replace("`", "")) for n, text in rows
    )
    above = tuple(Place(str(f), f"{f.file}:{f.line}", _openable(f.file), f.line) for f in source.frames)
    return CodeFrame(place_of(source), role.replace("`", ""), shown, above)


def _code_row(number: int, text: str, shared: int, source: SourceLine) -> CodeRow:
    code = text[shared:]
    if number != source.line:
        return CodeRow(number, code)
    start, end = source.columns if source.columns and source.context else code_span(text)
    start, end = max(0, start - shared), max(0, end - shared)
    return CodeRow(number, code[:start], code[start:end], code[end:], True)
