"""What the HTML page shows, worked out before any markup is written. The templates only print these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from fxaudit.answer.afterwards import afterwards, fixed_together, is_fixed, revived
from fxaudit.answer.answer import VERDICTS, Answer, Event
from fxaudit.answer.finding import Finding
from fxaudit.answer.folding import Universe, folds
from fxaudit.errors import PictureError
from fxaudit.renderers.html.causes import Cause, Drawn, Place, TriedFix, cause_of, place_of, tried_fix
from fxaudit.renderers.html.health import Health, health_of
from fxaudit.renderers.html.reel import Reel, reel_of
from fxaudit.renderers.html.ribbon import Listed, ribbon
from fxaudit.renderers.picture.canvas import ARROWS, MEASURED, Bands
from fxaudit.renderers.picture.engine import Key, Picture, lay_out
from fxaudit.renderers.picture.film import Film, film_of, film_of_events, has_film, rounds, span
from fxaudit.renderers.picture.film_svg import film_inline, film_width
from fxaudit.renderers.picture.film_tall import film_tall
from fxaudit.renderers.picture.modules import draw_modules, draw_with_insides
from fxaudit.renderers.picture.palette import GROUPS, look
from fxaudit.renderers.picture.svg import inlined
from fxaudit.renderers.picture.why import draw_finding
from fxaudit.renderers.text.wording import (
    counted,
    ending_parts,
    hook,
    learning_rate,
    number,
    unexplained,
    unseen,
)

__all__ = ["Page", "page_from_report"]

FILMS = 6
"""Rounds of the loop that are drawn."""
LEGIBLE = 0.72
"""By so much a film is drawn smaller where there is less room; where there is still less, upright."""
ROOMS = (480, 640, 800, 960, 1120)
"""Widths up to which films are drawn upright, as the style sheet has them."""
PICTURES = 24
"""Findings that get a picture; the others keep their path as a list."""
KINDS = ("verdict", "arrow", "box", "group")
"""What the legend explains first."""
MAPS = 4
"""Causes without whose line the map is drawn, too."""
ALL_FIXES = "With all fixes"
INSIDES = 24
"""Closed modules of the map whose insides are drawn, to be opened on a click; the list below the map has all."""
AFFORDED = 300_000
"""Nodes and edges of all these pictures together; they take about a second."""
BAR = 1000
"""Width of the bar of verdicts, in its own units."""


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
    place: Place | None
    code: str
    steps: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event of the loop."""

    kind: str
    text: str
    place: Place | None
    count: int


@dataclass(frozen=True, slots=True)
class Round:
    """Steps in a row in which the same happened: the events as text, and of the first of them a film."""

    label: str
    events: tuple[Occurrence, ...]
    film: Drawn | None
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """The map as it is without the line of a cause: what the button says, what was seen, the picture."""

    button: str
    told: str
    picture: Markup


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    prefix: str
    title: str
    summary: str
    mood: str
    verdicts: tuple[VerdictCount, ...]
    heading: str
    causes: tuple[Cause, ...]
    more_causes: int
    unexplained: tuple[str, ...]
    modules: Markup | None
    modules_caption: str
    optimizers: tuple[Optimizer, ...]
    loop: tuple[Round, ...]
    unseen: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    ending: tuple[str, str]
    traceback: str
    keys: tuple[Key, ...] = ()
    boxes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    source: tuple[Listed, ...] = ()
    through: list[list[list[int]]] = field(default_factory=list)
    measured: bool = False
    """The gradients between the operations were measured."""
    versions: tuple[Version, ...] = ()
    together: TriedFix | None = None
    insides: dict[str, Markup] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    reel: Reel | None = None
    health: Health | None = None


def page_from_report(
    report: Answer, *, prefix: str = "fxa", most_causes: int | None = None, links: bool = True
) -> Page:
    """The page of `report`. `prefix` sets the ids of several pages in one document apart."""
    inliner = _Inliner(links)
    universe = Universe.of(report.parameters)
    rows = {name: row for row, name in enumerate(report.parameters)}
    shown = report.findings if most_causes is None else report.findings[:most_causes]
    causes = []
    for index, finding in enumerate(shown):
        picture = film = None
        if has_film(report, finding):
            seen = film_of(report, finding)
            film = _film(seen, f"The loop around cause {index + 1}, {seen.title}")
        elif index < PICTURES and finding.parameters:
            picture = inliner.svg(draw_finding(report, finding, framed=False, name=f"{prefix}-why{index}"))
        causes.append(replace(cause_of(report, index, prefix, universe, rows), picture=picture, film=film))
    most = min(INSIDES, _affordable(report)) if links else 0
    modules, insides = draw_with_insides(report, name=f"{prefix}-modules", causes=f"{prefix}-cause-", most=most)
    source, through = ribbon(report) if links else ((), [])
    closed = modules.caption.removeprefix(f"{report.title or 'Model'}: {report.summary}").strip()
    shown_modules = inliner.svg(modules) if report.parameters else None
    opened = {box: svg for box, picture in insides.items() if (svg := inliner.svg(picture)) is not None}
    versions = tuple(_versions(report, inliner, prefix)) if links and shown_modules else ()
    return Page(
        prefix=prefix,
        title=report.title or "fxaudit",
        summary=report.summary,
        mood=_mood(report),
        verdicts=_verdicts(report),
        heading=_heading(causes),
        causes=tuple(causes),
        more_causes=len(report.findings) - len(shown),
        unexplained=tuple(unexplained(report)),
        modules=shown_modules,
        modules_caption=closed.partition(";")[0],
        optimizers=_optimizers(report, universe),
        loop=tuple(_rounds(report)),
        unseen=tuple(unseen(report)),
        environment=tuple((key, value) for key, value in report.environment.items() if key != "fxaudit"),
        ending=ending_parts(report),
        traceback=report.traceback or "",
        keys=tuple(sorted(inliner.keys.values(), key=_in_legend)),
        boxes=inliner.boxes,
        titles=inliner.titles,
        source=source,
        through=through,
        measured=any(edge.norm is not None for edge in report.graph_data.edges),
        versions=versions,
        insides=opened,
        closed=modules.closed | {box: name for inside in insides.values() for box, name in inside.closed.items()},
        together=tried_fix(report.patch) if report.patch is not None else None,
        reel=reel_of(report),
        health=health_of(report),
    )


def _affordable(report: Answer) -> int:
    """How many more pictures of the whole graph are drawn: of the largest none, so that the page is written soon."""
    return AFFORDED // (1 + len(report.graph_data.nodes) + len(report.graph_data.edges))


def _heading(causes: Sequence[Cause]) -> str:
    """How many causes there are, as the headline counts them, and how many notes."""
    notes = sum(cause.level == "note" for cause in causes)
    loud = len(causes) - notes
    parts = (["One cause" if loud == 1 else f"{loud} causes"] if loud else []) + (
        [counted(notes, "note")] if notes else []
    )
    return " and ".join(parts) or "Causes"


def _versions(report: Answer, inliner: _Inliner, prefix: str) -> Iterator[Version]:
    """The map with all fixes, where they were tried together, and without the line of each cause that was tried."""
    together = fixed_together(report)
    if together and (version := _version(report, together, ALL_FIXES, inliner, f"{prefix}-mended")):
        yield version
    tried = [n for n, finding in enumerate(report.findings) if revived(report, finding)]
    for causes in _by_edit(report, tried)[: min(MAPS, 1 + _affordable(report))]:
        findings = tuple(report.findings[cause] for cause in causes)
        if findings == together:
            continue
        named = " and ".join(str(cause + 1) for cause in causes)
        how = "With the fix" if is_fixed(findings[0]) else "Without the line"
        button = f"{how} of cause{'s' * (len(causes) > 1)} {named}"
        if version := _version(report, findings, button, inliner, f"{prefix}-after{causes[0]}"):
            yield version


def _by_edit(report: Answer, causes: Iterable[int]) -> list[list[int]]:
    """The numbers of causes, those together that one and the same edit was seen to mend."""
    found: dict[object, list[int]] = {}
    for cause in causes:
        patch = report.findings[cause].patch
        found.setdefault(patch.diff if patch is not None and patch.state == "tried" else cause, []).append(cause)
    return list(found.values())


def _version(
    report: Answer, findings: tuple[Finding, ...], button: str, inliner: _Inliner, name: str
) -> Version | None:
    after = afterwards(report, *findings)
    picture = inliner.svg(draw_modules(after, framed=False, name=name)) if after is not None else None
    if picture is None:
        return None
    alive = revived(report, *findings)
    size = f"{counted(len(alive), 'parameter')}, {counted(sum(report[name].numel for name in alive), 'element')} alive"
    how = "The line was neutralised, and the step run again"
    if is_fixed(findings[0]):
        how = "All fixes were tried together" if button == ALL_FIXES else "The fix was tried"
    return Version(button, f"{how}: {size}.", picture)


def _film(film: Film, label: str) -> Drawn:
    least = film_width(film) * LEGIBLE
    room = next((room for room in ROOMS if room >= least), ROOMS[-1])
    return Drawn(Markup(film_inline(film, label)), Markup(film_tall(film, label)), room)


def _rounds(report: Answer) -> Iterator[Round]:
    for index, (first, last, events) in enumerate(rounds(report)):
        film = None
        label = span(first, last)
        if index < FILMS and report.optimizers and events:
            film = _film(film_of_events(report, label, events, report.findings), f"Film of {label}")
        shown = tuple(Occurrence(e.kind, e.text or e.kind, _event_place(e), e.count) for e in events)
        yield Round(label, shown, film, first + 1, last + 1)


def _event_place(event: Event) -> Place | None:
    if event.source is not None and (name := hook(event.source)):
        return Place(f"in {name}", name)
    return place_of(event.source)


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
        for key in picture.keys:
            # Of arrows without numbers and with them those with are explained.
            known = self.keys.setdefault((key.of, key.name), key)
            self.keys[key.of, key.name] = known if known.meaning == MEASURED else key
        return Markup(inlined(raw, picture.caption, links=self.links))


def _in_legend(key: Key) -> tuple[int, int]:
    return KINDS.index(key.of), ARROWS.index(key.name) if key.of == "arrow" else 0


def _mood(report: Answer) -> str:
    if not report.audited and not report.findings:
        return "unknown"
    if not report.ok or report.crash is not None or report.script_exit is not None:
        return "bad"
    return "good" if all(finding.level == "note" for finding in report.findings) else "warned"


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
                place_of(source),
                source.code if source else "",
                optimizer.steps,
                tuple(groups),
            )
        )
    return tuple(found)
