"""The **why** view: one parameter, or all parameters of a finding, on their way to the loss, and where the way ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fxaudit.answer.answer import Answer, ParameterReport
from fxaudit.answer.finding import Finding, PathStep
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.canvas import Canvas, group_name
from fxaudit.renderers.picture.engine import Picture
from fxaudit.renderers.picture.film import film_of, has_film
from fxaudit.renderers.picture.film_svg import film_document
from fxaudit.renderers.picture.labels import Line, code_around, folded, muted, shortened, where
from fxaudit.renderers.picture.palette import CUT, HAPPY, INK, MUTED, look, worst
from fxaudit.renderers.picture.path import Stop, drawn_path, folded_stops, other_cuts, path_of, stops_from
from fxaudit.renderers.picture.vanished import all_zero, norm_of, zero_until
from fxaudit.renderers.text.operation_names import operation, step_name
from fxaudit.renderers.text.wording import counted

__all__ = ["draw_finding", "draw_why"]

NAMES = 4
MOST_STOPS = 22
ON_A_PAGE = (6, 1)
"""Stations drawn one by one on a page, and operations kept beside what matters."""
CODE = 64
HOLDERS = 3


def draw_why(report: Answer, parameter: str, *, framed: bool = True, name: str = "why") -> Picture:
    """The way of `parameter` to the loss.

    Raises:
        UnknownParameterError: The report lists no such parameter.
    """
    found = report[parameter]
    finding = found.findings[0] if found.findings else None
    style = look(found.verdict)
    title = f"{style.symbol} {shortened(parameter, 70)} is {found.verdict}"
    canvas = Canvas(name, title, shortened(found.reason, 110), framed=framed, spacing=0.34)
    _Why(report, canvas, [found], finding, found.culprit or (finding.culprit if finding else None)).draw()
    return _filmed(canvas.picture, report, finding)


def draw_finding(report: Answer, finding: Finding, *, framed: bool = True, name: str = "why") -> Picture:
    """The way of the finding's parameters to the loss, drawn once for all of them."""
    held = [report.parameters[n] for n in finding.parameters if n in report.parameters]
    canvas = Canvas(name, f"{finding.code} {shortened(finding.message, 100)}", "", framed=framed, spacing=0.34)
    _Why(report, canvas, held, finding, finding.culprit).draw()
    return _filmed(canvas.picture, report, finding)


def _filmed(picture: Picture, report: Answer, finding: Finding | None) -> Picture:
    """The picture, as SVG a film where the cause lies in the loop or the optimizers: the forward is innocent of it."""
    if finding is not None and has_film(report, finding):
        film = film_of(report, finding)
        title = f"{finding.code} {finding.message}".replace("`", "")
        picture.film = film_document(replace(film, title=f"{title} ({film.title})"), picture.caption)
    return picture


class _Why:
    def __init__(
        self,
        report: Answer,
        canvas: Canvas,
        held: Sequence[ParameterReport],
        finding: Finding | None,
        culprit: SourceLine | None,
    ) -> None:
        self.report = report
        self.canvas = canvas
        self.held = held
        self.culprit = culprit
        self.verdict = worst({p.verdict for p in held}) if held else "unknown"
        self.finding = finding
        self.path = self._path(finding)
        if held:
            self.path = drawn_path(held[0], self.path, report.graph_data)
        self.blamed: PathStep | None = None
        self.culprit_drawn = False
        self.has_cut = any(step.kind in ("cut", "python") for step in self.path)

    def _path(self, finding: Finding | None) -> tuple[PathStep, ...]:
        if len(self.held) == 1 and (own := path_of(self.held[0], self.report.graph_data)):
            return own
        if finding is not None and finding.path:
            return finding.path
        paths = [path_of(p, self.report.graph_data) for p in self.held[:8]]
        return max(paths, key=len, default=())

    def draw(self) -> None:
        """Optimizer, parameter, stations, loss: from top to bottom."""
        self._parameter()
        self._holders()
        stops = stops_from(self.path)
        lit = [self._is_culprit(stop.step.source) for stop in stops]
        if all_zero(self.held):
            measured = sum(stop.arrival == "zero" for stop in stops)
            zero = measured or zero_until(stops, self.finding)
            self.blamed = stops[zero - 1].step if zero and self._is_culprit(stops[zero - 1].step.source) else None
            if not measured:
                stops = [
                    replace(s, arrival="zero") if n < zero and s.arrival == "grad" else s for n, s in enumerate(stops)
                ]
        if self.verdict == "unreachable":
            end = next((n for n, stop in enumerate(stops) if stop.arrival != "grad"), len(stops))
            stops = [replace(stop, arrival="idle") if n < end else stop for n, stop in enumerate(stops)]
        # On the page several of them stand below each other, each beside its code.
        stops = _at_most(folded_stops(stops, lit) if self.canvas.framed else folded_stops(stops, lit, *ON_A_PAGE))
        last = "parameter"
        for number, stop in enumerate(stops):
            following = stops[number + 1].arrival if number + 1 < len(stops) else ""
            last = self._stop(
                f"s{number}", last, stop, is_alive=stop.arrival in _ALIVE or following in ("grad", "zero")
            )
        self._loss_without_path(stops, last)
        self._other_cuts()
        self._callout()
        self.canvas.legend()

    def _parameter(self) -> None:
        names = [p.name for p in self.held]
        style = look(self.verdict)
        lines = [Line(shortened(text), "title") for text in self._shown_names(names)]
        lines.append(Line(f"{style.symbol} {self.verdict}: {style.meaning}", "text", style.line))
        if len(self.held) == 1:
            alone = self.held[0]
            shape = "×".join(map(str, alone.shape)) or "scalar"
            lines.append(muted(" · ".join(filter(None, [alone.module_type, shape, alone.dtype]))))
        index = {p.name: number for number, p in enumerate(self.report)}
        self.canvas.box(
            "parameter",
            lines,
            verdict=self.verdict,
            kind="parameter",
            parameters=tuple(names),
            url=f"#p-{index[names[0]]}" if len(names) == 1 else "",
            tip=", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else ""),
        )

    def _shown_names(self, names: list[str]) -> list[str]:
        if len(names) <= 1:
            return names or ["no parameter of the model"]
        patterns = folded(names, self.report.parameters)
        shown = patterns[:NAMES]
        if len(patterns) > NAMES:
            shown.append(f"… {len(patterns) - NAMES} more patterns")
        return [*shown, f"({counted(len(names), 'parameter')})"]

    def _holders(self) -> None:
        holders: dict[tuple[str, int], None] = {}
        for parameter in self.held:
            for holder in parameter.held_by:
                holders[holder.optimizer, holder.group] = None
        for number, (optimizer, group) in enumerate(list(holders)[:HOLDERS]):
            text = group_name(optimizer, group, self.report.optimizers)
            self.canvas.box(f"g{number}", [Line(shortened(text), "text")], kind="group", tip=f"{text} holds it")
            self.canvas.edge(f"g{number}", "parameter", "holds", "updates" if self.verdict == "trained" else "holds")
        if holders or not self.report.optimizers or self.verdict == "frozen":
            return
        names = ", ".join(optimizer.name for optimizer in self.report.optimizers[:HOLDERS])
        self.canvas.box("g0", [Line(shortened(names), "text", MUTED)], kind="group", tip="no group of it holds this")
        text = "∅ not held by any optimizer" if self.verdict == "excluded" else "not held"
        if self.verdict == "excluded" and self.culprit is not None:
            text += f"\n{where(self.culprit)}"
        self.canvas.edge("g0", "parameter", "missing" if self.verdict == "excluded" else "none", text)

    def _is_culprit(self, source: SourceLine | None) -> bool:
        culprit = self.culprit
        return source is not None and culprit is not None and (source.file, source.line) == (culprit.file, culprit.line)

    def _stop(self, node: str, last: str, stop: Stop, *, is_alive: bool) -> str:
        step = stop.step
        if stop.folded:
            modules = list(dict.fromkeys(s.module for s in stop.folded if s.module))
            text = f"… {counted(len(stop.folded), 'operation')}"
            lines = [Line(text, "text", MUTED)]
            if modules:
                through = modules[0] if len(modules) == 1 else f"{modules[0]} … {modules[-1]}"
                lines.append(muted(f"in {shortened(through)}"))
            tip = " → ".join(step_name(s) for s in stop.folded)
            self.canvas.box(node, lines, kind="fold", tip=tip)
            self._arrow(last, node, stop)
            return node
        lines = self._stop_lines(stop, INK if is_alive or stop.arrival in ("cut", "python") else MUTED)
        self.canvas.box(node, lines, kind=self._kind(stop, is_alive), tip=_tip(step))
        message = _ENDINGS.get(stop.arrival, "")
        if not message:
            self.culprit_drawn = self.culprit_drawn or self._is_culprit(step.source)
            self._arrow(last, node, stop)
            return node
        if step.source is not None:
            message += f"\n{where(step.source)}"
        self.culprit_drawn = self.culprit_drawn or self._is_culprit(step.source)
        self.canvas.edge(last, node, stop.arrival, message, _tip(step))
        return node

    def _arrow(self, last: str, node: str, stop: Stop) -> None:
        """An arrow with what is known of the gradient that comes back along it."""
        if stop.arrival == "zero":
            self.canvas.gradient(last, node, 0.0)
        elif stop.arrival == "grad":
            norm = stop.step.norm
            if norm is None and last == "parameter":
                norm = norm_of(self.held)
            self.canvas.gradient(last, node, norm)
        else:
            self.canvas.edge(last, node, stop.arrival)

    def _kind(self, stop: Stop, is_alive: bool) -> str:
        if stop.step.kind == "loss":
            return "loss"
        if stop.arrival in ("cut", "python"):
            return "cut"
        if self.blamed is not None:
            is_blamed = stop.step is self.blamed
        else:
            is_blamed = self._is_culprit(stop.step.source) and self.verdict not in HAPPY and not self.has_cut
        if is_blamed:
            return "cut"
        if stop.step.kind == "end":
            return "gone"
        return "op" if is_alive else "gone"

    def _stop_lines(self, stop: Stop, color: str) -> list[Line]:
        step = stop.step
        name = step_name(step)
        head = f"{name}  in {step.module}" if step.module else name
        if step.kind == "loss":
            head = step.label if step.label.startswith("loss") else f"loss: {step.label}"
        lines = [Line(shortened(head, 60), "title", color)]
        if step.source is not None:
            lines.append(Line(f"{where(step.source)}", "small", MUTED))
            blamed = self.culprit if self.culprit is not None and self._is_culprit(step.source) else step.source
            lines.append(Line(code_around(blamed, CODE), "code", color))
        return lines

    def _loss_without_path(self, stops: Sequence[Stop], last: str) -> None:
        """Where the path never gets to the loss, show the loss all the same, and that nothing leads there."""
        if any(stop.step.kind == "loss" for stop in stops):
            return
        losses = [node for node in self.report.graph_data.nodes if node.kind == "loss"]
        label = losses[0].label if losses else "loss"
        shown = label if label.startswith("loss") else f"loss: {label}"
        self.canvas.box("loss", [Line(shortened(shown), "title", MUTED)], kind="loss", tip=label)
        settled = self.verdict in HAPPY or self.verdict in ("blocked", "excluded", "unregistered", "unknown")
        if settled and stops and stops[-1].step.kind == "end":
            self.canvas.edge(last, "loss", "missing", "✂ nothing leads to the loss")
            return
        if settled:
            self.canvas.edge(last, "loss", "none", "" if stops else "path not recorded")
            return
        style = look(self.verdict)
        text = f"{style.symbol} {_NO_WAY.get(self.verdict, 'no path to the loss')}"
        if self.culprit is not None and not self.culprit_drawn:
            text += f"\n{where(self.culprit)}"
        self.canvas.edge(last, "loss", "missing", text)

    def _other_cuts(self) -> None:
        if len(self.held) != 1 or self.verdict != "unreachable":
            return
        cuts = other_cuts(self.held[0].name, self.report.graph_data, self.path)
        if not cuts:
            return
        lines = [Line(f"✂ cut on {counted(len(cuts), 'other way')} too", "text", CUT)]
        lines += [
            Line(f"{shortened(operation(cut.label), 30)}  {shortened(cut.place, 40)}", "small", MUTED)
            for cut in cuts[:3]
        ]
        lines += [muted(f"… {len(cuts) - 3} more")] if len(cuts) > 3 else []
        self.canvas.box("others", lines, kind="note", tip="other places where the gradient ends")
        self.canvas.beside("parameter", "others")
        self.canvas.edge("parameter", "others", "note")

    def _callout(self) -> None:
        """The culprit's line as a note beside the parameter, where no station of the path shows it."""
        if self.culprit is None or self.culprit_drawn or self.verdict == "trained":
            return
        if self.verdict == "excluded" and not self.canvas.framed:
            return  # the arrow from the optimizer names the line, and the page shows its code
        style = look(self.verdict)
        lines = [Line(f"{style.symbol} {where(self.culprit)}", "text", CUT)]
        if self.canvas.framed:  # on the page its code stands beside the picture, which it would make small
            lines.append(Line(code_around(self.culprit, CODE), "code"))
        self.canvas.box("culprit", lines, kind="note", tip=f"{self.culprit}: {self.culprit.code}")
        beside = "g0" if self.verdict == "excluded" and self.report.optimizers else "parameter"
        self.canvas.beside(beside, "culprit")
        self.canvas.edge(beside, "culprit", "note")


_ALIVE = ("grad", "zero", "idle")
"""The states of arrows into operations that are drawn as such, and not in grey."""
_ENDINGS = {"cut": "✂ gradient ends here", "python": "✂ the value leaves torch", "missing": "✂ a dead end"}
_NO_WAY = {
    "unreachable": "nothing leads to the loss",
    "replaced": "another tensor is used instead",
    "stale": "the loss does not use it",
}


def _tip(step: PathStep) -> str:
    parts = [step_name(step), step.module]
    if step.source is not None:
        parts += [str(step.source), step.source.function, step.source.code]
    return " · ".join(part for part in parts if part)


def _at_most(stops: list[Stop]) -> list[Stop]:
    """`stops` cut down to what can be read: the middle of an overlong path becomes one folded box."""
    if len(stops) <= MOST_STOPS:
        return stops
    head, tail = MOST_STOPS - 8, 7
    middle = stops[head : len(stops) - tail]
    steps = tuple(step for stop in middle for step in (stop.folded or (stop.step,)))
    return [*stops[:head], Stop(steps[0], middle[0].arrival, steps), *stops[len(stops) - tail :]]
