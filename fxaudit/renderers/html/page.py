"""What the HTML page shows, worked out before any markup is written. The templates only print these."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import Markup

from fxaudit.answer.answer import VERDICTS, Answer
from fxaudit.answer.finding import Finding, Patch, PathStep
from fxaudit.answer.folding import Universe, folds
from fxaudit.errors import PictureError
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.canvas import Bands
from fxaudit.renderers.picture.engine import Key, Picture, lay_out
from fxaudit.renderers.picture.modules import draw_modules
from fxaudit.renderers.picture.palette import GROUPS, look
from fxaudit.renderers.picture.svg import inlined
from fxaudit.renderers.picture.why import draw_finding
from fxaudit.renderers.text.operation_names import step_name
from fxaudit.renderers.text.wording import (
    ENDS,
    code_span,
    counted,
    ending_parts,
    fix_parts,
    learning_rate,
    number,
    patch_lines,
    place,
    proof,
    timeline,
    unexplained,
    unseen,
)

__all__ = ["Cause", "CodeFrame", "Page", "page_from_report"]

PICTURES = 24
"""Findings that get a picture; the others keep their path as a list."""
NAMES = 200
"""Names listed below one pattern; the table has all."""
AROUND_RELATED = 1
"""Lines shown above and below one that is not the culprit."""
BAR = 1000
"""Width of the bar of verdicts, in its own units."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a sentence; `code` where it stood in backticks."""

    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A line of a code frame: `before` + `marked` + `after`, with something marked only in the culprit's line."""

    number: int
    before: str
    marked: str = ""
    after: str = ""
    lit: bool = False


@dataclass(frozen=True, slots=True)
class CodeFrame:
    """A source line with its neighbours, and the frames above it."""

    place: str
    role: str
    rows: tuple[CodeRow, ...]
    above: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Folded parameters: the pattern, its names as far as they are listed, and how many there are in all."""

    pattern: str
    names: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do: sentences, and the lines of a diff or snippet as (`add`, `del` or `same`, text)."""

    sentences: tuple[Span, ...]
    lines: tuple[tuple[str, str], ...]


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
    place: str
    ending: str


@dataclass(frozen=True, slots=True)
class Cause:
    """A finding as the page shows it."""

    number: int
    anchor: str
    code: str
    name: str
    level: str
    message: tuple[Span, ...]
    fix: Fix
    culprit: CodeFrame | None
    related: tuple[CodeFrame, ...]
    picture: Markup | None
    path: tuple[Station, ...]
    patterns: tuple[Pattern, ...]
    parameters: int
    proof: str
    proved: bool
    also: tuple[str, ...]
    rationale: str
    patch: TriedFix | None = None


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """A verdict, how many parameters and elements have it, and its piece of the bar."""

    verdict: str
    symbol: str
    meaning: str
    count: int
    elements: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Group:
    """A param group; `band` is the number of its colour."""

    letter: str
    band: int
    rate: str
    count: int
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An optimizer with its groups and the line that built it."""

    name: str
    type: str
    place: str
    code: str
    steps: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event of the loop."""

    kind: str
    text: str
    place: str
    count: int


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    prefix: str
    title: str
    summary: str
    mood: str
    verdicts: tuple[VerdictCount, ...]
    causes: tuple[Cause, ...]
    more_causes: int
    unexplained: tuple[str, ...]
    modules: Markup | None
    modules_caption: str
    optimizers: tuple[Optimizer, ...]
    loop: tuple[tuple[str, tuple[Occurrence, ...]], ...]
    unseen: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    ending: tuple[str, str]
    traceback: str
    keys: tuple[Key, ...] = ()
    boxes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)


def page_from_report(
    report: Answer, *, prefix: str = "fxa", most_causes: int | None = None, links: bool = True
) -> Page:
    """The page of `report`. `prefix` sets the ids of several pages in one document apart."""
    inliner = _Inliner(links)
    universe = Universe.of(report.parameters)
    shown = report.findings if most_causes is None else report.findings[:most_causes]
    causes = []
    for index, finding in enumerate(shown):
        picture = None
        if index < PICTURES and finding.parameters:
            picture = inliner.svg(draw_finding(report, finding, framed=False, name=f"{prefix}-why{index}"))
        causes.append(_cause(report, finding, index, prefix, picture, universe))
    modules = draw_modules(report, framed=False, name=f"{prefix}-modules")
    closed = modules.caption.removeprefix(f"{report.title or 'Model'}: {report.summary}").strip()
    return Page(
        prefix=prefix,
        title=report.title or "fxaudit",
        summary=report.summary,
        mood=_mood(report),
        verdicts=_verdicts(report),
        causes=tuple(causes),
        more_causes=len(report.findings) - len(shown),
        unexplained=tuple(unexplained(report)),
        modules=inliner.svg(modules) if report.parameters else None,
        modules_caption=closed.partition(";")[0],
        optimizers=_optimizers(report, universe),
        loop=tuple(
            (step, tuple(Occurrence(e.kind, e.text or e.kind, _place(e.source), e.count) for e in events))
            for step, events in timeline(report.steps)
        ),
        unseen=tuple(unseen(report)),
        environment=tuple((key, value) for key, value in report.environment.items() if key != "fxaudit"),
        ending=ending_parts(report),
        traceback=report.traceback or "",
        keys=tuple(inliner.keys.values()),
        boxes=inliner.boxes,
        titles=inliner.titles,
    )


class _Inliner:
    """Puts pictures into the page, and gathers what their boxes stand for and what their legends explain."""

    def __init__(self, links: bool) -> None:
        self.links = links
        self.boxes: dict[str, tuple[str, ...]] = {}
        self.titles: dict[str, str] = {}
        self.keys: dict[tuple[str, str], Key] = {}

    def svg(self, picture: Picture) -> Markup | None:
        """The picture as SVG, or None where no Graphviz can lay it out: its words stand beside it."""
        try:
            raw = lay_out(picture, "svg").decode("utf-8")
        except PictureError:
            return None
        self.boxes.update(picture.boxes)
        self.titles.update(picture.titles)
        self.keys.update({(key.of, key.name): key for key in picture.keys})
        return Markup(inlined(raw, picture.caption, links=self.links))


def _mood(report: Answer) -> str:
    if not report.audited and not report.findings:
        return "unknown"
    return "good" if report.ok and report.crash is None and report.script_exit is None else "bad"


def _place(source: SourceLine | None) -> str:
    return place(source) if source is not None else ""


def spans(text: str) -> tuple[Span, ...]:
    """A sentence with its backticked parts told apart."""
    pieces = re.split(r"`([^`]+)`", text)
    return tuple(Span(piece, bool(index % 2)) for index, piece in enumerate(pieces) if piece)


def _fix(finding: Finding) -> Fix:
    sentence, edit = fix_parts(finding)
    has_patch = finding.patch is not None and bool(finding.patch.diff)
    return Fix(spans(sentence), () if has_patch else _diff_rows(edit))


def _diff_rows(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    kinds = {"+": "add", "-": "del"}
    return tuple((kinds.get(line[:1], "same"), line) for line in lines)


def _patch(patch: Patch) -> TriedFix:
    return TriedFix(patch.state, spans(patch.seen), _diff_rows(patch_lines(patch)), patch.diff)


def _cause(
    report: Answer, finding: Finding, index: int, prefix: str, picture: Markup | None, universe: Universe
) -> Cause:
    rule = next((rule for rule in report.rules if rule.code == finding.code), None)
    return Cause(
        number=index + 1,
        anchor=f"{prefix}-cause-{index}",
        code=finding.code,
        name=finding.name,
        level=finding.level,
        message=spans(finding.message),
        fix=_fix(finding),
        culprit=_frame(finding.culprit) if finding.culprit else None,
        related=tuple(_frame(related.source, related.role) for related in finding.related),
        picture=picture,
        path=tuple(_station(step) for step in finding.path),
        patterns=_patterns(finding.parameters, universe),
        parameters=len(finding.parameters),
        proof=proof(finding),
        proved=bool(finding.proved),
        also=finding.also,
        rationale=" ".join(filter(None, [rule.title, rule.rationale])) if rule else "",
        patch=_patch(finding.patch) if finding.patch else None,
    )


def _patterns(names: Iterable[str], universe: Universe) -> tuple[Pattern, ...]:
    return tuple(Pattern(fold.pattern, fold.names[:NAMES], len(fold.names)) for fold in folds(names, universe))


def _station(step: PathStep) -> Station:
    where = f"{step.module}: " if step.module else ""
    return Station(f"{where}{step_name(step)}", _place(step.source), ENDS.get(step.kind, ""))


def _frame(source: SourceLine, role: str = "") -> CodeFrame:
    rows = source.context or ((source.line, source.code),)
    if role:
        rows = tuple(row for row in rows if abs(row[0] - source.line) <= AROUND_RELATED)
    shared = min((len(text) - len(text.lstrip()) for _, text in rows if text.strip()), default=0)
    above = tuple(f"{f.file}:{f.line} in {f.function}" for f in source.frames)
    return CodeFrame(
        place(source), role.replace("`", ""), tuple(_code_row(n, text, shared, source) for n, text in rows), above
    )


def _code_row(number: int, text: str, shared: int, source: SourceLine) -> CodeRow:
    code = text[shared:]
    if number != source.line:
        return CodeRow(number, code)
    start, end = source.columns if source.columns and source.context else code_span(text)
    start, end = max(0, start - shared), max(0, end - shared)
    return CodeRow(number, code[:start], code[start:end], code[end:], True)


def _verdicts(report: Answer) -> tuple[VerdictCount, ...]:
    counts = report.verdicts()
    elements = {verdict: sum(p.numel for p in report if p.verdict == verdict) for verdict in counts}
    total = max(1, sum(elements.values()))
    found = []
    x = 0.0
    for verdict in VERDICTS:
        if verdict not in counts:
            continue
        # At least as wide as can be seen: one broken parameter among 100,000 is the point of the page.
        width = max(8.0, BAR * elements[verdict] / total)
        style = look(verdict)
        share = f"{number(elements[verdict])} elements ({_percent(elements[verdict] / total)})"
        found.append(VerdictCount(verdict, style.symbol, style.meaning, counts[verdict], share, x, width))
        x += width
    scale = BAR / x if x else 1
    return tuple(
        VerdictCount(
            v.verdict, v.symbol, v.meaning, v.count, v.elements, round(v.x * scale, 2), round(v.width * scale, 2)
        )
        for v in found
    )


def _percent(share: float) -> str:
    """A share as people say it: none and all only where it is none and all.

    >>> [_percent(share) for share in (0, 0.0001, 0.324, 0.9999, 1)]
    ['0 %', '< 1 %', '32 %', '> 99 %', '100 %']
    """
    if 0 < share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 else f"{share:.0%}".replace("%", " %")


def _optimizers(report: Answer, universe: Universe) -> tuple[Optimizer, ...]:
    bands = Bands.from_report(report)
    found = []
    for optimizer in report.optimizers:
        groups = []
        for index, (rate, names) in enumerate(optimizer.groups):
            letter, color = bands.of[optimizer.name, index]
            patterns = [fold.pattern for fold in folds(names, universe)]
            shown = (
                (*patterns[:12], counted(len(patterns) - 12, "pattern") + " more") if len(patterns) > 12 else patterns
            )
            groups.append(Group(letter, GROUPS.index(color), learning_rate(rate), len(names), tuple(shown)))
        source = optimizer.source
        found.append(
            Optimizer(
                optimizer.name,
                optimizer.type,
                _place(source),
                source.code if source else "",
                optimizer.steps,
                tuple(groups),
            )
        )
    return tuple(found)
