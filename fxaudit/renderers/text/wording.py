"""The words that the text renderers share: what a finding's path, proof and place, and the loop, read like.

Everything here is plain text and still has to be escaped for the form it goes into. Only `inert` makes text harmless,
and only for a terminal or a log.
"""

from __future__ import annotations

import itertools
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fxaudit.answer.answer import SETTLED, VERDICTS, Verdict
from fxaudit.answer.finding import LEVELS
from fxaudit.answer.folding import Universe, fold_sentence, folds

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer, Event, ParameterReport, StepReport
    from fxaudit.answer.finding import Attempt, Finding, Patch, PathStep
    from fxaudit.program.source import SourceLine

__all__ = [
    "ENDS",
    "ParameterRow",
    "causes",
    "code_span",
    "counted",
    "ending",
    "ending_of",
    "ending_parts",
    "events_text",
    "fix_parts",
    "hook",
    "inert",
    "last_frame",
    "learning_rate",
    "near_lines",
    "number",
    "parameter_rows",
    "patch_lines",
    "path_stations",
    "place",
    "proof",
    "timeline",
    "unexplained",
    "unseen",
    "zeroing",
]

_CALM: tuple[Verdict, ...] = ("trained", "frozen")
VERDICT_ORDER: tuple[Verdict, ...] = (*(verdict for verdict in VERDICTS if verdict not in _CALM), *_CALM)
"""What needs attention comes first."""
ROWS_OF_ONE_VERDICT = 12
ENDS = {"cut": "gradient ends", "end": "used no further", "python": "leaves torch"}
"""What the stations of a path at which gradient stops mean."""


def inert(text: str) -> str:
    """`text` on one line, every character that would not print written as an escape: line ends, ESC, reordering marks.

    Example:
        >>> inert("a\\nb")
        'a\\\\nb'
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    return "    " if character == "\t" else character.encode("unicode_escape").decode("ascii")


def counted(count: int, noun: str) -> str:
    """The count with its noun, `1 parameter` or `12 parameters`."""
    return f"{number(count)} {noun}{'s' * (count != 1)}"


def number(count: int) -> str:
    """The count for people: `950`, `12.3 k`, `124 M`."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if count >= max(size, 10**4):
            value = count / size
            return f"{value:.0f} {letter}" if value >= 99.95 else f"{value:.3g} {letter}"
    return f"{count:,}"


def learning_rate(rate: float | None) -> str:
    """The learning rate of a group, as short as it can be."""
    return "lr unknown" if rate is None else f"lr {rate:g}"


def place(source: SourceLine) -> str:
    """Where a line is: `train.py:12 in Net.forward`."""
    return str(source) + (f" in {source.function}" if source.function else "")


def near_lines(source: SourceLine, around: int) -> list[tuple[int, str]]:
    """The line and up to `around` neighbours on each side, with their numbers, blank ones at the ends left out."""
    near = [(number, text) for number, text in source.context if abs(number - source.line) <= around]
    if not any(number == source.line for number, _ in near):
        return [(source.line, source.code)] if source.code else []
    while near[0][0] != source.line and not near[0][1].strip():
        near.pop(0)
    while near[-1][0] != source.line and not near[-1][1].strip():
        near.pop()
    return near


def code_span(text: str) -> tuple[int, int]:
    """Where the code of a line begins and ends, the comment behind it left out; a line of comment is its own code.

    Example:
        >>> code_span("    if ready:  # at last")
        (4, 13)
    """
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    # A bracket that is closed on another line ends the tokens with an error, after those that are there.
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(iter([f"{text[start:]}\n"]).__next__):
            if token.type == tokenize.COMMENT and token.start[1] > 0:
                end = start + len(text[start : start + token.start[1]].rstrip())
    return start, end


def causes(report: Answer) -> str:
    """How many findings of each level there are: `1 error and 2 notes`."""
    counts = [(sum(finding.level == level for finding in report.findings), level) for level in LEVELS]
    named = [counted(count, level) for count, level in counts if count]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named) or "no findings"


def proof(finding: Finding) -> str:
    """What the replay showed, or nothing where none was made."""
    if finding.proved is None:
        return ""
    if not finding.proved:
        return "not proved: without this line the parameters still received no gradient"
    return f"proved: removing this line restores gradient to {counted(len(finding.restored), 'parameter')}"


def fix_parts(finding: Finding) -> tuple[str, tuple[str, ...]]:
    """What to do: a sentence, and the lines of the diff that ends it, each begun by a sign or a blank and a blank."""
    lines = finding.fix.split("\n")
    edit = list(itertools.takewhile(lambda line: line[:2] in ("+ ", "- ", "  "), reversed(lines[1:])))[::-1]
    return "\n".join(lines[: len(lines) - len(edit)]), tuple(edit)


def patch_lines(patch: Patch | Attempt) -> list[str]:
    """What a patch changes: each file's name, and the lines that go and come, without their common indentation."""
    lines: list[str] = []
    for part in re.split(r"^--- a/.*\n\+\+\+ b/", patch.diff, flags=re.MULTILINE)[1:]:
        name, *rest = part.splitlines()
        changed = [line for line in rest if line[:1] in ("+", "-")]
        shared = min((len(line) - len(line[1:].lstrip()) - 1 for line in changed if line[1:].strip()), default=0)
        lines += [name, *(f"{line[0]} {line[1 + shared :]}".rstrip() for line in changed)]
    return lines


def ending(report: Answer) -> str:
    """How the watched script ended, if not well: a sentence, or several lines where its exception has several."""
    return " ".join(part for part in ending_parts(report) if part)


def ending_parts(report: Answer) -> tuple[str, str]:
    """How the watched script ended, if not well: what happened, and the exception's own words."""
    match report.script_exit:
        case None:
            return "", ""
        case status if status.lstrip("-").isdecimal():
            return f"The script ended with exit status {status}.", ""
        case words:
            return "The script did not finish:", words


def last_frame(traceback: str) -> list[str]:
    """The lines of a formatted traceback that show where the exception was raised, without the exception's own words.

    Example:
        >>> last_frame('Traceback (most recent call last):\\n  File "a.py", line 1, in f\\n    g()\\nKeyError: 1')
        ['  File "a.py", line 1, in f', '    g()']
    """
    lines = traceback.splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith('  File "')]
    return list(itertools.takewhile(lambda line: line.startswith("  "), lines[starts[-1] :])) if starts else []


def unseen(report: Answer) -> list[str]:
    """What the audit could not see, in sentences."""
    symbolic = report.symbolic
    found = list(report.notes)
    if symbolic.status == "stopped":
        where = f" at {place(symbolic.source)}" if symbolic.source else ""
        found.append(f"The symbolic trace stopped{where}" + (f": {symbolic.reason}" if symbolic.reason else "."))
    elif symbolic.status == "skipped" and symbolic.reason and symbolic.reason != SETTLED:
        found.append(f"The symbolic trace was skipped: {symbolic.reason}")
    return found


def unexplained(report: Answer) -> list[str]:
    """Why parameters have their verdict that call for attention, but that no finding is about, in sentences."""
    about = {name for finding in report.findings for name in finding.parameters}
    reasons: dict[str, list[str]] = {}
    for parameter in report:
        if parameter.verdict not in _CALM and not parameter.findings and parameter.name not in about:
            reasons.setdefault(f"{parameter.verdict}: {parameter.reason}", []).append(parameter.name)
    universe = Universe.of(report.parameters) if reasons else None
    return [f"{fold_sentence(names, universe)} {reason}" for reason, names in reasons.items()]


def zeroing(path: Sequence[PathStep]) -> PathStep | None:
    """The station at which a gradient becomes zero that comes to it alive; None where none was measured."""
    return next((step for step in reversed(path) if step.norm == 0), None)


def ending_of(step: PathStep, path: Sequence[PathStep]) -> str:
    """What becomes of the gradient at a station, where it ends or becomes zero; "" elsewhere."""
    return ENDS.get(step.kind, "") or ("gradient becomes 0" if step is zeroing(path) else "")


def path_stations(path: Sequence[PathStep]) -> list[PathStep | int]:
    """The stations of a path that tell its story; an int stands for that many operations left out.

    Kept are all that are no operations, the operations next to a cut, and that which makes the gradient zero.
    """
    zero = zeroing(path)
    kept = [
        step.kind != "operation"
        or step is zero
        or any(near.kind in ("cut", "python", "end") for near in path[max(0, index - 1) : index + 2])
        for index, step in enumerate(path)
    ]
    stations: list[PathStep | int] = []
    for is_kept, run in itertools.groupby(zip(kept, path, strict=True), key=lambda pair: pair[0]):
        steps = [step for _, step in run]
        stations += steps if is_kept or len(steps) == 1 else [len(steps)]
    return stations


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One line of the table of parameters: a pattern, and what all of its parameters have in common."""

    verdict: str
    pattern: str
    count: int
    elements: int
    held_by: str
    gradient: str


def parameter_rows(report: Answer, most: int = ROWS_OF_ONE_VERDICT) -> Iterator[ParameterRow]:
    """The table of parameters, folded, the verdicts that need attention first; at most `most` rows for each verdict."""
    universe = Universe.of(report.parameters)
    for verdict in VERDICT_ORDER:
        rows = list(_rows(report, verdict, universe))
        yield from rows[:most]
        if rest := rows[most:]:
            count = sum(row.count for row in rest)
            text = f"… and {counted(count, 'parameter')} in {counted(len(rest), 'row')} more"
            yield ParameterRow(verdict, text, count, sum(row.elements for row in rest), "", "")


def _rows(report: Answer, verdict: Verdict, universe: Universe) -> Iterator[ParameterRow]:
    group_counts = {optimizer.name: len(optimizer.groups) for optimizer in report.optimizers}
    alike: dict[tuple[str, str], list[ParameterReport]] = {}
    for parameter in report:
        if parameter.verdict == verdict:
            key = (_holders(parameter, group_counts), parameter.gradient.state)
            alike.setdefault(key, []).append(parameter)
    for (held_by, gradient), members in alike.items():
        for found in folds([member.name for member in members], universe):
            elements = sum(report.parameters[name].numel for name in found.names)
            yield ParameterRow(verdict, found.pattern, len(found.names), elements, held_by, gradient)


def _holders(parameter: ParameterReport, group_counts: Mapping[str, int]) -> str:
    """The optimizers that hold it; the group is named where the optimizer has several."""
    several = {name for name, count in group_counts.items() if count > 1}
    names = [f"{h.optimizer}[{h.group}]" if h.optimizer in several else h.optimizer for h in parameter.held_by]
    return ", ".join(dict.fromkeys(names))


def timeline(steps: Iterable[StepReport]) -> list[tuple[str, tuple[Event, ...]]]:
    """The loop's steps, equal ones in a row folded: (`step 1` or `steps 2 to 5`, events)."""
    folded: list[tuple[int, int, tuple[Event, ...]]] = []
    for index, step in enumerate(steps, start=1):
        events = tuple(_joined(step.events))
        if folded and folded[-1][2] == events:
            folded[-1] = (folded[-1][0], index, events)
        else:
            folded.append((index, index, events))
    return [(f"step {a}" if a == b else f"steps {a} to {b}", events) for a, b, events in folded]


def _joined(events: Sequence[Event]) -> Iterator[Event]:
    """The events, the same one several times in a row as one with a count."""
    waiting: Event | None = None
    for event in events:
        if waiting is not None and replace(event, count=waiting.count) == waiting:
            waiting = replace(waiting, count=waiting.count + event.count)
            continue
        if waiting is not None:
            yield waiting
        waiting = event
    if waiting is not None:
        yield waiting


def hook(source: SourceLine) -> str:
    """The method by which a library did something, as its users know it; "" for a line that is none of a library's.

    Which of a trainer's many frames it was helps nobody: the innermost one that is not private tells what was done.
    """
    if not source.library:
        return ""
    names = (source.function, *(frame.function for frame in source.frames))
    return next((name for name in names if name and "<" not in name and not _is_private(name)), "")


def _is_private(function: str) -> bool:
    return any(part.startswith("_") for part in function.split("."))


def events_text(events: Sequence[Event]) -> str:
    """Events in a few words: `optimizer.zero_grad() train.py:12 → forward :13 ×4`."""
    texts: list[str] = []
    file = None
    for event in events:
        text = event.text or event.kind
        if event.source and (name := hook(event.source)):
            text += f" in {name}"
        elif event.source:
            text += f" {event.source}" if event.source.file != file else f" :{event.source.line}"
            file = event.source.file
        texts.append(text + (f" ×{event.count}" if event.count > 1 else ""))
    return " → ".join(texts) or "nothing"
