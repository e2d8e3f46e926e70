"""The source with the gradient drawn through it: for each of the user's lines what comes back to it, and for whom."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fxaudit.answer.answer import Answer
from fxaudit.answer.folding import Universe, folds
from fxaudit.answer.noise import noise_only
from fxaudit.answer.picture_data import GraphData
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.vanished import all_zero, zero_lines
from fxaudit.renderers.text.operation_names import operation

__all__ = ["Listed", "ListedRow", "Reading", "ribbon"]

MOST_BITS = 300_000_000
"""Operations times parameters, at most: beyond it nobody adds up whose gradient passes where."""
WIDTHS = 6
DECADES = 4
"""So many powers of ten lie between the thinnest ribbon and the widest, at least."""
SHAPES = 3
"""Operations of one line whose results are named."""
SIZES = 6
"""Of so many it is told, where somebody points at the line, how large the numbers were."""
CHIPS = 2

Home = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """Parameters that a line reads: how they are called together, the row of the first, how many they are."""

    pattern: str
    row: int
    count: int


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A line of a function and what is known of the gradient there.

    `state` is `flow` (gradient comes back to it), `zero` (all that comes of it is zero), `value` (it ran, and nothing
    comes back), `cut` (gradient ends there), `pass` (it lies between such lines) or "". `width` goes from 1 to
    `WIDTHS`, 0 where the norm is not known. `pieces` are the text, every second one being the expression at which
    gradient ends. `key` numbers the lines in which something ran, -1 for others. `sizes` tells how large the numbers
    were that it made.
    """

    number: int
    pieces: tuple[str, ...]
    state: str = ""
    width: int = 0
    told: str = ""
    shapes: str = ""
    readings: tuple[Reading, ...] = ()
    more: int = 0
    causes: tuple[int, ...] = ()
    key: int = -1
    is_loss: bool = False
    gap: bool = False
    sizes: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A function with its lines."""

    file: str
    function: str
    rows: tuple[ListedRow, ...]


@dataclass(slots=True)
class _Seen:
    """What ran in a line: the operations of its own and of what it calls."""

    alive: bool = False
    short: dict[bool, bool] = field(default_factory=dict)
    """Whether what is alive lies between a line that makes the gradient zero and the loss: all of its own (True), and
    all of what it calls (False)."""
    cut: bool = False
    is_loss: bool = False
    columns: list[tuple[int, int]] = field(default_factory=list)
    behind: int = 0
    reads: dict[int, None] = field(default_factory=dict)
    handed: list[float | None] = field(default_factory=list)
    """The norms of the gradients that it hands back to other lines; None for one that nobody measured."""
    shapes: dict[str, str] = field(default_factory=dict)
    """What its operations make → how large the numbers of that were."""


def ribbon(report: Answer) -> tuple[tuple[Listed, ...], list[list[list[int]]]]:
    """The functions with their lines, and for each line that ran the spans of rows whose gradient passes through it."""
    if not report.graph_data.listings:
        return (), []
    lines = _Lines(report)
    functions = tuple(
        Listed(
            listing.file,
            listing.function,
            tuple(lines.rows(listing.file, listing.rows)),
        )
        for listing in report.graph_data.listings
        if listing.function or any((listing.file, number) in lines.ran for number, _ in listing.rows)
    )
    return functions, lines.through


class _Lines:
    def __init__(self, report: Answer) -> None:
        self.report = report
        self.data: GraphData = report.graph_data
        self.names = list(report.parameters)
        self.row_of = {name: row for row, name in enumerate(self.names)}
        self.universe = Universe.of(report.parameters)
        self.through: list[list[list[int]]] = []
        self.listed = {(listing.file, number) for listing in self.data.listings for number, _ in listing.rows}
        self.blamed = _blamed(report)
        self.noise = noise_only(report)
        self.seen: dict[Home, _Seen] = {}
        self.ran: set[Home] = set()
        alive = _alive(self.data)
        self._fill(alive, self._behind())
        self.is_measured = any(edge.norm is not None for edge in self.data.edges)
        if self.is_measured:
            self._measure(alive)
        known = [norm for seen in self.seen.values() if seen.alive and (norm := self._norm(seen))]
        self.widest = math.log10(max(known)) if known else 0.0
        self.decades = max(DECADES, self.widest - math.log10(min(known))) if known else DECADES

    # -- what ran where ------------------------------------------------------------------------------------------

    def _behind(self) -> dict[int, int]:
        """For each node the parameters whose gradient comes through it, as the bits of a number."""
        nodes = self.data.nodes
        if len(nodes) * len(self.names) > MOST_BITS:
            return {}
        found = {
            number: 1 << self.row_of[node.label]
            for number, node in enumerate(nodes)
            if node.kind == "parameter" and node.label in self.row_of
        }
        for edge in sorted(self.data.edges, key=lambda edge: edge.target):
            if edge.kind == "grad" and edge.source in found:
                found[edge.target] = found.get(edge.target, 0) | found[edge.source]
        return found

    def _fill(self, alive: set[int], behind: Mapping[int, int]) -> None:
        cut = {edge.target for edge in self.data.edges if edge.cut}
        short = self._short_of_zero()
        reads, losses = self._neighbours()
        for number, node in enumerate(self.data.nodes):
            if node.kind != "op" or node.source < 0:
                continue
            for place, source in enumerate(self._own(node.source)):
                seen = self.seen.setdefault((self.data.sources[source].file, self.data.sources[source].line), _Seen())
                if number in alive:
                    seen.alive = True
                    seen.short[not place] = seen.short.get(not place, True) and number in short
                    seen.behind |= behind.get(number, 0)
                if place:
                    continue
                self.ran.add((self.data.sources[source].file, self.data.sources[source].line))
                seen.is_loss = seen.is_loss or number in losses
                seen.reads.update(dict.fromkeys(reads.get(number, ())))
                if node.shape is not None:
                    made = f"{operation(node.label)} {'×'.join(map(str, node.shape)) or 'scalar'}"
                    seen.shapes[made] = seen.shapes.get(made) or _sized(node.size)
                if number in cut:
                    seen.cut = True
                    columns = self.data.sources[source].columns
                    seen.columns.extend([columns] if columns else [])

    def _measure(self, alive: set[int]) -> None:
        """Gather what each line hands back to others, of its own and for what it calls."""
        of: dict[int, list[Home]] = {}

        def lines(number: int) -> list[Home]:
            node = self.data.nodes[number]
            if number not in of:
                own = self._own(node.source) if node.kind == "op" else ()
                of[number] = [(self.data.sources[source].file, self.data.sources[source].line) for source in own]
            return of[number]

        for edge in self.data.edges:
            if edge.kind == "grad" and edge.target in alive:
                before = lines(edge.source)
                for line in lines(edge.target):
                    if line not in before:
                        self.seen[line].handed.append(edge.norm)

    def _short_of_zero(self) -> set[int]:
        """The nodes behind those that make the gradient zero: what comes back to them need not be zero."""
        after: dict[int, list[int]] = {}
        for edge in self.data.edges:
            if edge.kind == "grad":
                after.setdefault(edge.source, []).append(edge.target)
        bites: set[int] = set()
        for finding in self.report.findings:
            if all_zero(self.report.parameters[name] for name in finding.parameters if name in self.row_of):
                names = set(finding.parameters)
                starts = {
                    n for n, node in enumerate(self.data.nodes) if node.kind == "parameter" and node.label in names
                }
                bites |= self._at(zero_lines(finding), _reached(starts, after))
        return _reached(bites, after) - bites

    def _at(self, lines: Iterable[SourceLine], nodes: set[int]) -> set[int]:
        """Those of `nodes` that stand at the first of `lines` at which one stands."""
        for line in lines:
            there = set()
            for number in nodes:
                source = self.data.nodes[number].source
                at = self.data.sources[source] if source >= 0 and self.data.nodes[number].kind == "op" else None
                if at is not None and (at.file, at.line) == (line.file, line.line):
                    there.add(number)
            if there:
                return there
        return set()

    def _own(self, source: int) -> Iterator[int]:
        """The listed lines of a stack, innermost first."""
        while source >= 0:
            line = self.data.sources[source]
            if (line.file, line.line) in self.listed:
                yield source
            source = self.data.callers[source] if source < len(self.data.callers) else -1

    def _neighbours(self) -> tuple[dict[int, list[int]], set[int]]:
        """The rows of the parameters that each operation reads, and the operations that make a loss."""
        reads: dict[int, list[int]] = {}
        losses = set()
        for edge in self.data.edges:
            source, target = self.data.nodes[edge.source], self.data.nodes[edge.target]
            if target.kind == "loss":
                losses.add(edge.source)
            elif edge.kind == "data" and source.kind == "parameter" and source.label in self.row_of:
                reads.setdefault(edge.target, []).append(self.row_of[source.label])
        return reads, losses

    # -- lines ---------------------------------------------------------------------------------------------------

    def rows(self, file: str, rows: Sequence[tuple[int, str]]) -> Iterator[ListedRow]:
        """The rows of a function; what lies between two lines to which gradient comes back is passed by it."""
        shared = min((len(text) - len(text.lstrip()) for _, text in rows if text.strip()), default=0)
        moved = [n for n, _ in rows if (seen := self.seen.get((file, n))) is not None and seen.alive]
        last = 0
        for number, text in rows:
            row = self._row(file, number, text, shared, bool(moved) and moved[0] < number < moved[-1], last)
            last = number
            yield row

    def _row(self, file: str, number: int, text: str, shared: int, passed: bool, last: int) -> ListedRow:
        gap = bool(last) and number > last + 1
        causes = tuple(self.blamed.get((file, number), ()))
        seen = self.seen.get((file, number))
        if seen is None:
            return ListedRow(number, (text[shared:],), "pass" if passed else "", causes=causes, gap=gap)
        state, width, told = self._gradient(seen)
        self.through.append(_spans(seen.behind))
        patterns = folds([self.names[row] for row in seen.reads], self.universe)
        shapes = list(seen.shapes)
        more = f", … {len(shapes) - SHAPES} more" if len(shapes) > SHAPES else ""
        return ListedRow(
            number,
            _pieces(text, shared, seen.columns),
            state,
            width,
            told,
            ", ".join(shapes[:SHAPES]) + more,
            tuple(Reading(fold.pattern, self.row_of[fold.names[0]], len(fold.names)) for fold in patterns[:CHIPS]),
            max(0, len(patterns) - CHIPS),
            causes,
            len(self.through) - 1,
            seen.is_loss,
            gap,
            "; ".join([f"{made}: {size}" for made, size in seen.shapes.items() if size][:SIZES]),
        )

    def _gradient(self, seen: _Seen) -> tuple[str, int, str]:
        """The state of a line, the width of its ribbon, and both in words."""
        ends = "gradient ends here" if seen.cut else ""
        if not seen.alive:
            return ("cut", 0, ends) if seen.cut else ("value", 0, "no gradient comes back to it")
        states = [self.report.parameters[self.names[row]].gradient.state for row in self._parameters(seen.behind)]
        if states and set(states) == {"none"}:
            return "cut" if seen.cut else "value", 0, ends or "gradient could come back to it, and none arrived"
        whose = _whose(len(states) - states.count("none"))
        if "unknown" in states:
            return "cut" if seen.cut else "flow", 0, ends or "gradient can come back to it"
        norm = self._norm(seen)
        if set(states) - {"none"} == {"zero"}:
            measured = f", norm {norm:.3g}; further up it" if norm and self.is_measured else ""
            if measured or (norm is None and seen.short.get(True, seen.short.get(False))):
                said = f"gradient comes back{measured}" if measured else "further up the gradient"
                return "cut" if seen.cut else "flow", self._width(norm), ends or f"{said} becomes exactly 0{whose}"
            return "cut" if seen.cut else "zero", 0, "; ".join(filter(None, [ends, f"gradient is exactly 0{whose}"]))
        said = f"gradient comes back{whose}" + (f", norm {norm:.3g}" if norm else "")
        said += ", not finite" if "nonfinite" in states else ""
        noise = sum(self.names[row] in self.noise for row in self._parameters(seen.behind))
        said += f"; to {noise:,} of them rounding noise alone" if noise else ""
        return "cut" if seen.cut else "flow", self._width(norm), f"{ends}; on another way {said}" if ends else said

    def _parameters(self, bits: int) -> Iterator[int]:
        return (row for first, end in _spans(bits) for row in range(first, end))

    def _norm(self, seen: _Seen) -> float | None:
        """The norm of what comes through a line: of what it hands back, where that was measured, else of what arrives
        at all parameters behind it together; None where a part of it is not known."""
        if self.is_measured:
            norms = [norm for norm in seen.handed if norm is not None]
            return math.hypot(*norms) if norms and len(norms) == len(seen.handed) else None
        total = 0.0
        for row in self._parameters(seen.behind):
            gradient = self.report.parameters[self.names[row]].gradient
            if gradient.state == "finite" and gradient.norm is not None:
                total += gradient.norm**2
            elif gradient.state not in ("zero", "none"):
                return None
        return math.sqrt(total) if total else None

    def _width(self, norm: float | None) -> int:
        if not norm:
            return 0
        share = 1 - (self.widest - math.log10(norm)) / self.decades
        return max(1, min(WIDTHS, round(1 + share * (WIDTHS - 1))))


def _sized(size: tuple[float | None, float | None, float | None] | None) -> str:
    """How large the numbers of a tensor are.

    >>> _sized((-1.25, 0.5, 3.0)), _sized((0.7, 0.7, 0.7)), _sized((None, None, 2.0))
    ('-1.25 … 3, mean 0.5', '0.7', 'not finite … 2')
    """
    if size is None:
        return ""
    low, mean, high = ("not finite" if number is None else f"{number:.3g}" for number in size)
    if low == high:
        return low
    return f"{low} … {high}" + (f", mean {mean}" if size[1] is not None else "")


def _whose(count: int) -> str:
    return f" for {count:,} parameter{'s' * (count != 1)}" if count else ""


def _alive(data: GraphData) -> set[int]:
    """The nodes to which gradient comes back from a loss."""
    back: dict[int, list[int]] = {}
    for edge in data.edges:
        if edge.kind == "grad":
            back.setdefault(edge.target, []).append(edge.source)
    return _reached({number for number, node in enumerate(data.nodes) if node.kind == "loss"}, back)


def _reached(starts: set[int], steps: Mapping[int, Sequence[int]]) -> set[int]:
    seen = set(starts)
    stack = list(starts)
    while stack:
        for node in steps.get(stack.pop(), ()):
            if node not in seen:
                seen.add(node)
                stack.append(node)
    return seen


def _blamed(report: Answer) -> dict[Home, list[int]]:
    found: dict[Home, list[int]] = {}
    for number, finding in enumerate(report.findings):
        if finding.culprit is not None:
            found.setdefault((finding.culprit.file, finding.culprit.line), []).append(number)
    return found


def _pieces(text: str, shared: int, columns: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """The text cut at `columns`: every second piece is one of them."""
    pieces: list[str] = []
    at = shared
    for start, end in sorted(set(columns)):
        if at <= start < end <= len(text):
            pieces += [text[at:start], text[start:end]]
            at = end
    return (*pieces, text[at:])


def _spans(bits: int) -> list[list[int]]:
    """The numbers of the bits that are set as [first, one past the last] spans."""
    return [[found.start(), found.end()] for found in re.finditer("1+", bin(bits)[:1:-1])]
