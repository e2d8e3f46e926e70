"""The report in a terminal: the verdict, then every finding as a good compiler prints it, then the tables."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fxaudit.answer.finding import LEVELS
from fxaudit.answer.folding import Universe, folds
from fxaudit.renderers.text.code_frame import MARGIN, CodeFrame, linked
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
    last_frame,
    learning_rate,
    near_lines,
    number,
    parameter_rows,
    patch_lines,
    path_stations,
    place,
    proof,
    timeline,
    unexplained,
    unseen,
)

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer, OptimizerReport
    from fxaudit.answer.finding import Finding, Patch, PathStep, Related

__all__ = ["render", "render_causes", "to_rich"]

STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}
VERDICT_STYLES = {"trained": "green", "frozen": MARGIN, "unknown": "yellow"}
PATTERNS_OF_A_FINDING = 6
TIMELINE_LINES = 10
LOOP_CODES = ("FXA3", "FXA4")
"""What the codes of causes in the optimizers and in the loop begin with."""
AROUND = 2
"""Lines shown above and below the culprit's."""


def render(report: Answer, *, width: int = 80, color: bool = False, verbose: bool = False) -> str:
    """The report as text, `width` columns wide, without escape codes unless `color` is asked for.

    Where it is `verbose`, the optimizers and the loop are in it even if no cause lies there, and the edits that were
    tried in vain.
    """
    return _printed(to_rich(report, verbose=verbose), width, color)


def render_causes(report: Answer, *, width: int = 80, color: bool = False) -> str:
    """The verdict, the errors and warnings, and what no finding explains; without the tables."""
    universe = Universe.of(report.parameters)
    parts: list[RenderableType] = [*_verdict(report)]
    for finding in report.findings:
        if finding.level != "note":
            parts += ["", *_finding(finding, universe)]
    parts += [_line("- ", sentence) for sentence in unexplained(report)]
    return _printed(Group(*parts), width, color)


def _printed(what: RenderableType, width: int, color: bool) -> str:
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=color,
        force_jupyter=False,
        color_system="truecolor" if color else None,
        no_color=not color,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(what)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().split("\n")[:-1])


def to_rich(report: Answer, *, verbose: bool = False) -> RenderableType:
    """The report as something that `rich` prints at any width."""
    universe = Universe.of(report.parameters)
    whole = verbose or _lies_in_the_loop(report)
    parts: list[RenderableType] = [*_verdict(report)]
    for level in LEVELS:
        for finding in report.findings:
            if finding.level == level:
                parts += ["", *(_note(finding, universe) if level == "note" else _finding(finding, universe))]
                if verbose and finding.patch is not None:
                    parts += _attempts(finding.patch)
    if report.patch is not None:
        parts += ["", *_patch(replace(report.patch, diff=""), "all fixes together")]
    for heading, body in (
        ("Parameters", _parameters(report)),
        ("Not explained by a finding", [_line("- ", sentence) for sentence in unexplained(report)]),
        ("Optimizers", [_optimizer(optimizer, universe) for optimizer in report.optimizers] if whole else []),
        ("The loop", _loop(report) if whole else []),
        ("What could not be seen", [_line("- ", sentence) for sentence in unseen(report)]),
    ):
        if body:
            parts += ["", Text(heading, "bold"), *(Padding(item, (0, 0, 0, 2)) for item in body)]
    parts += ["", *_conclusion(report)]
    if not whole and (report.optimizers or report.steps):
        parts.append(_line("Optimizers and the loop: ", "--verbose"))
    return Group(*parts)


def _lies_in_the_loop(report: Answer) -> bool:
    """Whether a cause lies in the optimizers or the loop, or there is none, so that they tell what was checked."""
    loud = [finding for finding in report.findings if finding.level != "note"]
    return not loud or any(finding.code.startswith(LOOP_CODES) for finding in loud)


def _verdict(report: Answer) -> Iterator[RenderableType]:
    calm = "bold green" if report.ok else "bold yellow"
    style = "bold red" if report.exit_code == 1 or report.crash is not None else calm
    title = f"{inert(report.title)}: " if report.title else ""
    yield Text.assemble((title, "bold"), (inert(report.summary), style))
    if died := ending(report):
        first, *more = died.splitlines()
        yield Text(inert(first), "bold red")
        for line in more:
            yield _line("  ", Text(inert(line.strip()), "red"))
        own = report.crash.source if report.crash is not None else None
        if own is not None:
            yield _line("  ", inert(place(own)))
            yield _line("    ", Text(inert(own.code)))
        for line in last_frame(report.traceback or "") if own is None or own.library else ():
            code = line.lstrip()
            yield _line(line[: len(line) - len(code)], Text(inert(code), "dim"))


def _finding(finding: Finding, universe: Universe) -> Iterator[RenderableType]:
    style = STYLES[finding.level]
    yield _headline(finding)
    gutter = max((len(str(line)) for line in _shown_lines(finding)), default=1)
    margin = " " * (gutter + 1)
    if finding.culprit:
        yield CodeFrame(finding.culprit, gutter, around=AROUND, style=style, beside=_beside(finding))
    for related in finding.related:
        if related in _beside(finding):
            continue
        yield CodeFrame(related.source, gutter, around=0, role=related.role)
    if finding.culprit and finding.culprit.frames:
        callers = [str(frame) for frame in finding.culprit.frames[:3]]
        yield _line(f"{margin}= called from: ", " ← ".join(callers), mark=MARGIN)
    if finding.path:
        yield _line(f"{margin}= path: ", _path(finding.path, str(finding.culprit)), mark=MARGIN)
    if finding.parameters:
        yield _line(f"{margin}= parameters: ", _patterns(finding.parameters, universe), mark=MARGIN)
    if shown := proof(finding):
        yield _line(f"{margin}= ", shown, mark=MARGIN)
    if finding.also:
        yield _line(f"{margin}= after this one, also fix: ", ", ".join(finding.also), mark=MARGIN)
    if finding.fix:
        sentence, edit = fix_parts(finding)
        yield _line("help: ", sentence, mark="bold green")
        if finding.patch is None or not finding.patch.diff:
            yield from _diff(edit)
    if finding.patch is not None:
        yield from _patch(finding.patch, "fix")


def _beside(finding: Finding) -> tuple[Related, ...]:
    """The related lines that are shown among the neighbours of the culprit anyway."""
    culprit = finding.culprit
    if culprit is None:
        return ()
    near = {number: text for number, text in near_lines(culprit, AROUND) if number != culprit.line and text.strip()}
    return tuple(r for r in finding.related if r.source.file == culprit.file and r.source.line in near)


def _shown_lines(finding: Finding) -> Iterator[int]:
    """The numbers of the lines that are shown of a finding."""
    if finding.culprit:
        yield finding.culprit.line
        yield from (number for number, _ in near_lines(finding.culprit, AROUND))
    yield from (related.source.line for related in finding.related)


def _patch(patch: Patch, label: str) -> Iterator[RenderableType]:
    mark = "bold green" if patch.state == "tried" else "bold yellow"
    yield _line(f"{label}, {patch.state}: ", patch.seen, mark=mark)
    yield from _diff(patch_lines(patch))


def _attempts(patch: Patch) -> Iterator[RenderableType]:
    for tried in patch.attempts:
        yield _line("tried in vain: ", tried.reason, mark="bold yellow")
        yield from _diff(patch_lines(tried))


def _diff(lines: Sequence[str]) -> Iterator[RenderableType]:
    for line in lines:
        style = {"+": "green", "-": "red"}.get(line[:1], "")
        yield Text(f"      {inert(line)}", style, overflow="fold")


def _note(finding: Finding, universe: Universe) -> Iterator[RenderableType]:
    yield _headline(finding)
    if finding.culprit:
        yield _line("  --> ", linked(finding.culprit), mark=MARGIN)
    if finding.parameters:
        yield _line("  = parameters: ", _patterns(finding.parameters, universe, most=3), mark=MARGIN)


def _headline(finding: Finding) -> Text:
    style = STYLES[finding.level]
    return Text.assemble(
        (f"{finding.level}[{inert(finding.code)}] {inert(finding.name)}", f"bold {style}"),
        (f": {inert(finding.message)}", "bold"),
    )


def _line(label: str, text: str | Text, mark: str = "") -> Table:
    """A labelled line whose continuation lines hang under its text."""
    grid = Table.grid(padding=0)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, mark), Text(inert(text)) if isinstance(text, str) else text)
    return grid


def _path(path: Sequence[PathStep], culprit: str) -> Text:
    text = Text(overflow="fold")
    for station in path_stations(path):
        if text:
            text.append(" → ")
        if isinstance(station, int):
            text.append(f"… {counted(station, 'operation')} …", "dim")
        elif ends := ending_of(station, path):
            where = f" at {station.source}" if station.source and str(station.source) != culprit else ""
            text.append(f"{inert(step_name(station))} {'✂' if station.kind in ENDS else '0'}", "bold red")
            text.append(inert(f" ({ends}{where})"))
        else:
            text.append(inert(step_name(station)), "" if station.carries_gradient else "dim")
    return text


def _patterns(names: Sequence[str], universe: Universe, most: int = PATTERNS_OF_A_FINDING) -> str:
    found = folds(names, universe)
    shown = ", ".join(folded.pattern for folded in found[:most])
    if left := sum(len(folded.names) for folded in found[most:]):
        shown += f" and {number(left)} more"
    return f"{shown} ({counted(len(names), 'parameter')})" if len(names) > 1 else shown


def _parameters(report: Answer) -> list[RenderableType]:
    if not report.parameters:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("parameters", overflow="fold")
    table.add_column("elements", justify="right", no_wrap=True)
    table.add_column("held by", overflow="fold")
    table.add_column("gradient", no_wrap=True)
    last = ""
    for row in parameter_rows(report):
        style = VERDICT_STYLES.get(row.verdict, "red")
        pattern = Text(inert(row.pattern))
        if row.count > 1 and not row.pattern.startswith("…"):
            pattern.append(f" ×{row.count}", "dim")
        table.add_row(
            Text(row.verdict if row.verdict != last else "", style),
            pattern,
            number(row.elements),
            Text(inert(row.held_by) or "–"),
            Text({"unknown": "?", "": ""}.get(row.gradient, row.gradient)),
        )
        last = row.verdict
    return [table, *_freezing(report)]


def _freezing(report: Answer) -> Iterator[RenderableType]:
    """For each line that froze parameters, which they are."""
    lines: dict[str, list[str]] = {}
    for parameter in report:
        if parameter.verdict == "frozen" and parameter.frozen_at is not None:
            lines.setdefault(f"{place(parameter.frozen_at)}: {parameter.frozen_at.code}", []).append(parameter.name)
    universe = Universe.of(report.parameters)
    for where, names in lines.items():
        patterns = ", ".join(inert(fold.pattern) for fold in folds(names, universe)[:PATTERNS_OF_A_FINDING])
        yield _line("frozen ", f"{patterns} at {inert(where)}", mark=MARGIN)


def _optimizer(optimizer: OptimizerReport, universe: Universe) -> RenderableType:
    built = f" built at {place(optimizer.source)}" if optimizer.source else ""
    kind = f" ({optimizer.type})" if optimizer.type != optimizer.name else ""
    stepped = f"{counted(optimizer.steps, 'step')} seen" if optimizer.steps else "never stepped"
    lines: list[RenderableType] = [Text.assemble((inert(optimizer.name), "bold"), inert(f"{kind}{built}, {stepped}"))]
    for index, (rate, names) in enumerate(optimizer.groups):
        held = _patterns(names, universe) if names else "nothing"
        lines.append(_line(f"  group {index}, {learning_rate(rate)}: ", held))
    return Group(*lines)


def _loop(report: Answer) -> list[RenderableType]:
    steps = timeline(report.steps)
    shown: list[RenderableType] = [
        _line(f"{label}: ", events_text(events))
        for label, events in steps[: TIMELINE_LINES if len(steps) <= TIMELINE_LINES else TIMELINE_LINES - 1]
    ]
    if len(steps) > len(shown):
        shown.append(Text(f"… and {counted(len(steps) - len(shown), 'line')} more", "dim"))
    return shown


def _conclusion(report: Answer) -> Iterator[RenderableType]:
    loud = [finding.code for level in LEVELS[:-1] for finding in report.findings if finding.level == level]
    found = causes(report)
    yield Text(found[0].upper() + found[1:] + ".", "bold red" if report.exit_code == 1 else "bold")
    if loud:
        yield Text.assemble("More about a cause: ", (f"fxaudit explain {inert(loud[0])}", "bold"))
    if report.parameters:
        yield _line("With pictures: ", "fxaudit run -o audit.html …, or report.save('audit.html')")
