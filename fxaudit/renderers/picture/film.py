"""The training step as a film: a lane for each optimizer, and what is done to what it holds, in its order.

Here it is worked out what is shown; `film_svg` draws it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from fxaudit.answer.answer import Answer, Event, Holder, StepReport
from fxaudit.answer.finding import Finding
from fxaudit.answer.folding import fold_sentence
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.labels import shortened, where
from fxaudit.renderers.text.wording import counted, hook, learning_rate, timeline

__all__ = ["Film", "Ghost", "Lane", "Mark", "film_of", "film_of_events", "has_film", "rounds", "span"]

FILMED = ("FXA4", "FXA301", "FXA302", "FXA304", "FXA305")
"""What the codes of causes begin with that lie in the order of the step or in the optimizers."""
WORDS = {
    "forward": "forward",
    "backward": "backward",
    "clip": "clip",
    "step": "step",
    "zero_grad": "clear",
    "scaler": "scaler",
    "scheduler": "scheduler",
    "gradient": ".grad =",
}
ORDER = ("zero_grad", "forward", "backward", "gradient", "clip", "scaler", "step", "scheduler")
NEEDED = ("zero_grad", "backward", "step")
BEFORE_STEP = ("zero_grad", "forward", "backward")
NEVER_STEPPED = "FXA401"
"""Its line is often that beside which a step is missing, and no mistake of its own."""
COLUMNS = 14
LANES = 8
CYCLE = 4
"""Recorded steps that make up one round of several optimizers, at most."""
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """An event in a column: `lanes` are those it concerns, `fatal` those in which it does harm.

    `words` are said of what is to blame, or belongs to it.
    """

    kind: str
    word: str
    line: str
    tip: str
    lanes: tuple[int, ...]
    fatal: tuple[int, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """An optimizer: its name, what it holds or how fast; `remark` where something is wrong with all of it."""

    name: str
    about: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Ghost:
    """The right order for a lane: words, and for each whether it is missing in the lane."""

    lane: int
    words: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Film:
    """A film: its title, lanes and marks in order, and the right order where the order is wrong."""

    title: str
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    ghost: Ghost | None = None


def has_film(report: Answer, finding: Finding) -> bool:
    """Whether the finding lies in the step or the optimizers, and a loop was seen."""
    return finding.code.startswith(FILMED) and bool(report.steps) and bool(report.optimizers)


def film_of(report: Answer, finding: Finding) -> Film:
    """The round of the loop in which the finding shows."""
    meant = [report.parameters[name] for name in finding.parameters if name in report.parameters]
    tracks = _Tracks(report, {holder for parameter in meant for holder in parameter.held_by})
    title, events = _window(report, finding)
    marks = [_blamed(mark, event, finding, tracks) for mark, event in _marks(tracks, events)]
    if not any(mark.fatal for mark in marks):
        marks = _last_step_blamed(marks, tracks, finding)
    harmed = {lane for mark in marks for lane in mark.fatal}
    lanes = [_lane(tracks, lane, lane in harmed) for lane in range(len(tracks.keys))]
    for lane in tracks.meant[:1] if not any(mark.fatal for mark in marks) else ():
        lanes[lane] = replace(lanes[lane], remark=_message(finding))
    if not tracks.meant and finding.parameters:
        whom = fold_sentence(finding.parameters, report.parameters, 1).replace("`", "")
        lanes.append(Lane("no optimizer", shortened(whom, 24), "no step changes it"))
    ghost = _ghost(tracks, marks) if finding.code.startswith("FXA4") else None
    return Film(title, tuple(lanes), tuple(_at_most(marks)), ghost)


def film_of_events(report: Answer, title: str, events: Sequence[Event], causes: Sequence[Finding] = ()) -> Film:
    """What happened in one recorded step; lines that `causes` blame are marked with the number of the cause."""
    tracks = _Tracks(report, set())
    marks = []
    for mark, event in _marks(tracks, events):
        at = [n for n, finding in enumerate(causes, 1) if _is_at(event, finding) and not _is_beside(mark, finding)]
        words = f"cause {', '.join(map(str, at))}"
        marks.append(replace(mark, fatal=mark.lanes, words=words) if at else mark)
    return Film(title, tuple(_lane(tracks, n) for n in range(len(tracks.keys))), tuple(_at_most(marks)))


class _Tracks:
    """Which optimizers and groups get a lane: those that are `meant` before all others.

    `keys` has for each lane the index of the optimizer and of the group, -1 for all of its groups.
    """

    def __init__(self, report: Answer, held: Collection[Holder]) -> None:
        self.report = report
        names = {holder.optimizer for holder in held}
        first = sorted(range(len(report.optimizers)), key=lambda n: report.optimizers[n].name not in names)
        chosen = sorted(first[:LANES])
        keys = [key for n in chosen for key in self._groups(n)]
        self.keys = keys if len(keys) <= LANES else [(n, -1) for n in chosen]
        self.meant = tuple(
            lane
            for lane, (n, group) in enumerate(self.keys)
            if any(h.optimizer == report.optimizers[n].name and group in (-1, h.group) for h in held)
        )

    def _groups(self, optimizer: int) -> list[tuple[int, int]]:
        count = len(self.report.optimizers[optimizer].groups)
        return [(optimizer, group) for group in range(count)] if count > 1 else [(optimizer, -1)]

    def members(self, lane: int) -> tuple[str, ...]:
        """The parameters of a lane."""
        optimizer, group = self.keys[lane]
        groups = self.report.optimizers[optimizer].groups
        return tuple(name for n, (_, names) in enumerate(groups) if group in (-1, n) for name in names)

    def of(self, event: Event) -> tuple[int, ...]:
        """The lanes that an event concerns; a report of an older version does not say which, then all."""
        found = []
        for lane, (optimizer, group) in enumerate(self.keys):
            concerned = not event.optimizers or self.report.optimizers[optimizer].name in event.optimizers
            # Which of the groups a backward reaches is not told by the event, but by what arrived.
            if concerned and (group < 0 or event.kind not in ("backward", "clip") or self._has_gradient(lane)):
                found.append(lane)
        return tuple(found)

    def _has_gradient(self, lane: int) -> bool:
        known = (self.report.parameters.get(name) for name in self.members(lane))
        return any(parameter is not None and parameter.gradient.state != "none" for parameter in known)


def _lane(tracks: _Tracks, lane: int, told: bool = False) -> Lane:
    number, group = tracks.keys[lane]
    optimizer = tracks.report.optimizers[number]
    rates = [rate for n, (rate, _) in enumerate(optimizer.groups) if group in (-1, n)]
    about = [optimizer.type] if optimizer.type != optimizer.name and group < 0 else []
    about += [learning_rate(rate) for rate in rates[:1]]
    if group >= 0:
        about.append(counted(len(tracks.members(lane)), "parameter"))
    remark = ""
    if lane in tracks.meant:
        remark = "it never steps" if not optimizer.steps and not told else ""
        remark = "its learning rate is 0" if rates and set(rates) == {0} and not told else remark
    return Lane(optimizer.name if group < 0 else f"{optimizer.name}[{group}]", " · ".join(about), remark)


def rounds(report: Answer) -> list[tuple[int, int, tuple[Event, ...]]]:
    """The loop as rounds of all optimizers that step, equal ones in a row folded: (first step, last step, events).

    Two optimizers that take turns would else make two different steps that never repeat in a row.
    """
    stepping = _stepped(event for step in report.steps for event in step.events)
    found: list[tuple[int, int, tuple[Event, ...]]] = []
    first = 0
    while first < len(report.steps):
        last, events = first, _joined(report.steps[first].events)
        while last + 1 < min(len(report.steps), first + CYCLE) and not stepping <= _stepped(events):
            last += 1
            events = (*events, *_joined(report.steps[last].events))
        if found and found[-1][2] == events:
            found[-1] = (found[-1][0], last, events)
        else:
            found.append((first, last, events))
        first = last + 1
    return found


def _stepped(events: Iterable[Event]) -> set[str]:
    return {name for event in events if event.kind == "step" for name in event.optimizers}


def span(first: int, last: int) -> str:
    """`step 1` or `steps 3 to 8`, of numbers that count from 0."""
    return f"step {first + 1}" if first == last else f"steps {first + 1} to {last + 1}"


def _joined(events: Iterable[Event]) -> tuple[Event, ...]:
    ((_, joined),) = timeline([StepReport(tuple(events))])
    return joined


def _window(report: Answer, finding: Finding) -> tuple[str, list[Event]]:
    """The recorded steps to show: one round of all optimizers that step, the best one to see the finding in."""
    stepping = _stepped(event for step in report.steps for event in step.events)
    best: tuple[tuple[bool, int, bool], str, list[Event]] | None = None
    for first in range(len(report.steps)):
        events: list[Event] = []
        last = first
        for last in range(first, min(len(report.steps), first + CYCLE)):
            events += [event for event in report.steps[last].events if event.kind in WORDS and not _is_setup(event)]
            if stepping <= _stepped(events):
                break
        near = sum(any(_same(event, related.source) for event in events) for related in finding.related)
        # The first step is often the odd one: nothing to clear, something being built.
        rank = (any(_is_at(event, finding) for event in events), near, first > 0 and bool(events))
        if best is None or rank > best[0]:
            best = (rank, span(first, last), events)
    return (best[1], best[2]) if best is not None else ("", [])


def _is_setup(event: Event) -> bool:
    return event.text.endswith((" is built", " is made"))


def _marks(tracks: _Tracks, events: Sequence[Event]) -> Iterator[tuple[Mark, Event]]:
    for event in events:
        if event.kind not in WORDS or _is_setup(event):
            continue
        word = WORDS[event.kind] + (f" ×{event.count}" if event.count > 1 else "")
        word = "skips" if event.kind == "scaler" and "skips" in event.text else word
        tip = f"{event.text or event.kind} · {event.source}: {event.source.code}" if event.source else event.text
        name = hook(event.source).rpartition(".")[2] if event.source else ""
        yield Mark(event.kind, word, name or where(event.source), tip, tracks.of(event)), event


def _same(event: Event, source: SourceLine) -> bool:
    return event.source is not None and (event.source.file, event.source.line) == (source.file, source.line)


def _is_at(event: Event, finding: Finding) -> bool:
    return finding.culprit is not None and _same(event, finding.culprit)


def _is_beside(mark: Mark, finding: Finding) -> bool:
    """Whether the line is only that beside which a step is missing."""
    return finding.code == NEVER_STEPPED and mark.kind in BEFORE_STEP


def _blamed(mark: Mark, event: Event, finding: Finding, tracks: _Tracks) -> Mark:
    harmed = tuple(lane for lane in mark.lanes if lane in tracks.meant)
    is_anothers = finding.code == NEVER_STEPPED and tracks.meant and not harmed
    if _is_at(event, finding) and not _is_beside(mark, finding) and not is_anothers:
        return replace(mark, fatal=harmed or mark.lanes, words=_message(finding))
    role = next((related.role for related in finding.related if _same(event, related.source)), "")
    return replace(mark, words=shortened(role.replace("`", ""), LONGEST)) if role else mark


def _last_step_blamed(marks: list[Mark], tracks: _Tracks, finding: Finding) -> list[Mark]:
    """`marks` with the words at the last step that it concerns, where the line to blame is none of the step's."""
    for number in range(len(marks) - 1, -1, -1):
        harmed = tuple(lane for lane in marks[number].lanes if lane in tracks.meant)
        if marks[number].kind == "step" and harmed:
            blamed = replace(marks[number], fatal=harmed, words=_message(finding))
            return [*marks[:number], blamed, *marks[number + 1 :]]
    return marks


def _message(finding: Finding) -> str:
    return shortened(finding.message.replace("`", ""), LONGEST)


def _ghost(tracks: _Tracks, marks: Sequence[Mark]) -> Ghost | None:
    """The right order for the first lane that the finding concerns; None where the order is right."""
    for lane in tracks.meant[:1]:
        seen = list(dict.fromkeys(mark.kind for mark in marks if lane in mark.lanes))
        right = [kind for kind in ORDER if kind in seen or kind in NEEDED]
        turns = [seen[n:] + seen[:n] for n in range(len(seen))]
        # A clear that does harm stands in the wrong place, also behind one that stands in the right one.
        is_right = right in turns and not any(mark.kind == "zero_grad" and lane in mark.fatal for mark in marks)
        return None if is_right else Ghost(lane, tuple((WORDS[kind], kind not in seen) for kind in right))
    return None


def _at_most(marks: Sequence[Mark]) -> list[Mark]:
    if len(marks) <= COLUMNS:
        return list(marks)
    kept = {n for n, mark in enumerate(marks) if mark.words}
    for n in range(len(marks)):
        if len(kept) < COLUMNS - 1:
            kept.add(n)
    left = len(marks) - len(kept)
    lanes = tuple(sorted({lane for n, mark in enumerate(marks) if n not in kept for lane in mark.lanes}))
    return [*(marks[n] for n in sorted(kept)), Mark("more", f"… {left} more", "", f"{left} more events", lanes)]
