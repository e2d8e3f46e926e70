"""The report: one frozen value that collectors write once and renderers only read.

A report never refers to a live tensor, module or graph. Whatever a renderer needs is in here, and all of it survives
`Report.from_json(report.to_json())`, which needs neither torch nor the audited files.

Schema history: 1 (first version).
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from fxaudit.errors import InvalidReportError, UnknownParameterError
from fxaudit.finding import LEVELS, Finding, Level, PathStep, Related
from fxaudit.graph_data import GraphData, GraphEdge, GraphModule, GraphNode, networkx_graph
from fxaudit.source import Frame, SourceLine

if TYPE_CHECKING:
    import graphviz
    import networkx

    from fxaudit.differences import Difference

__all__ = [
    "SCHEMA_VERSION",
    "VERDICTS",
    "Change",
    "Event",
    "Gradient",
    "GraphData",
    "GraphEdge",
    "GraphModule",
    "GraphNode",
    "Holder",
    "OptimizerReport",
    "ParameterReport",
    "Report",
    "RuleInfo",
    "StepReport",
    "SymbolicReport",
    "unsettled_note",
]

SCHEMA_VERSION = 1

Verdict = Literal[
    "trained", "unreachable", "replaced", "excluded", "frozen", "blocked", "unregistered", "stale", "unknown"
]
VERDICTS: tuple[Verdict, ...] = (
    "trained",
    "unreachable",
    "replaced",
    "excluded",
    "blocked",
    "unregistered",
    "stale",
    "unknown",
    "frozen",
)

Json = dict[str, Any]
Entry = TypeVar("Entry")
Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Holder:
    """A param group that holds a parameter: the optimizer's name in the report and the group's index."""

    optimizer: str
    group: int


@dataclass(frozen=True, slots=True)
class Gradient:
    """What a backward delivered to a parameter; `norm` is the 2-norm, None where it was not measured."""

    state: Literal["none", "zero", "finite", "nonfinite", "unknown"] = "unknown"
    norm: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Whether the value differs after the optimizer's step; `norm` is the 2-norm of the difference."""

    state: Literal["changed", "unchanged", "unknown"] = "unknown"
    norm: float | None = None


@dataclass(frozen=True, slots=True)
class ParameterReport:
    """Everything the audit knows of one parameter.

    `reached_in` counts the recorded steps whose loss reaches it, out of `steps`. `culprit` is the line to blame, None
    where nothing is wrong or no line is known. `path` is its own way to the loss; it is empty where nothing is wrong,
    and for all but the first parameters of a cause that has very many.
    """

    name: str
    verdict: Verdict
    reason: str
    shape: tuple[int, ...] = ()
    numel: int = 0
    dtype: str = ""
    requires_grad: bool = True
    held_by: tuple[Holder, ...] = ()
    gradient: Gradient = Gradient()
    change: Change = Change()
    identity: Literal["same", "swapped"] = "same"
    reached_in: int = 0
    steps: int = 0
    findings: tuple[Finding, ...] = ()
    culprit: SourceLine | None = None
    path: tuple[PathStep, ...] = ()
    module_type: str = ""


@dataclass(frozen=True, slots=True)
class OptimizerReport:
    """An optimizer: its name in the report, its class, the line that built it, and its param groups.

    `groups` holds, for each group, the learning rate and the names of the parameters it holds.
    """

    name: str
    type: str
    source: SourceLine | None
    groups: tuple[tuple[float | None, tuple[str, ...]], ...]
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """Something the loop did: `kind` is `forward`, `backward`, `step`, `zero_grad`, `clip`, `scaler`, `scheduler`, …"""

    kind: str
    text: str
    source: SourceLine | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class StepReport:
    """The events between two moments at which parameters change."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class SymbolicReport:
    """How far the symbolic trace came."""

    status: Literal["traced", "stopped", "skipped"] = "skipped"
    reason: str = ""
    source: SourceLine | None = None


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule's metadata, as renderers and `explain` need it."""

    code: str
    name: str
    level: Level
    title: str
    rationale: str
    fix: str


@dataclass(frozen=True, slots=True)
class Crash:
    """Where the watched script died: the innermost line of the user's own, and in which training step.

    `step` counts from 1; 0 where the recording had ended before, so that nobody counted.
    """

    source: SourceLine | None = None
    step: int = 0

    def __str__(self) -> str:
        when = f" in step {self.step}" if self.step else ""
        where = f" at {self.source.file}:{self.source.line}" if self.source is not None else ""
        return f"Crashed{when}{where}"


@dataclass(frozen=True)
class Report:
    """The answer of an audit: a verdict for every parameter, and a finding for every cause.

    Iterating gives the parameter reports; `report["encoder.weight"]` is one of them.
    """

    parameters: Mapping[str, ParameterReport] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    optimizers: tuple[OptimizerReport, ...] = ()
    steps: tuple[StepReport, ...] = ()
    symbolic: SymbolicReport = SymbolicReport()
    graph_data: GraphData = field(default_factory=GraphData, repr=False)
    rules: tuple[RuleInfo, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What could not be seen, in sentences."""
    title: str = ""
    """What was audited: the script's or the model's name."""
    script_exit: str | None = None
    """How the watched script ended, when it did not end by itself with success: its exit code or exception."""
    traceback: str | None = None
    """The watched script's own traceback, if it died."""
    crash: Crash | None = None
    """Where it died, if an exception ended it."""
    fail_on: Level = "error"
    audited: bool = True
    """False when nothing could be audited at all."""

    @property
    def ok(self) -> bool:
        """Whether nothing at or above `fail_on` was found (and something could be audited)."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 nothing at or above `fail_on` · 1 findings · 3 nothing could be audited and there is no finding either."""
        loud = LEVELS[: LEVELS.index(self.fail_on) + 1]
        if any(finding.level in loud for finding in self.findings):
            return 1
        return 0 if self.audited else 3

    def failing_on(self, level: Level) -> Report:
        """The same report, judged by another `fail_on` level."""
        return replace(self, fail_on=level)

    def __getitem__(self, name: str) -> ParameterReport:
        try:
            return self.parameters[name]
        except KeyError:
            near = [known for known in self.parameters if name in known or known.endswith(name)][:3]
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise UnknownParameterError(f"The report lists no parameter {name!r}.{hint}") from None

    def __iter__(self) -> Iterator[ParameterReport]:
        return iter(self.parameters.values())

    def __len__(self) -> int:
        return len(self.parameters)

    def verdicts(self) -> dict[str, int]:
        """How many parameters have each verdict, in the order of `VERDICTS`, zeros left out."""
        counts = {verdict: 0 for verdict in VERDICTS}
        for parameter in self:
            counts[parameter.verdict] += 1
        return {verdict: count for verdict, count in counts.items() if count}

    @property
    def summary(self) -> str:
        """The verdict in one sentence; of a script that crashed, where, and what had been true until then."""
        if self.crash is None:
            return self._verdict
        if self.audited and all(p.verdict in ("trained", "frozen") for p in self) and len(self):
            before = self._verdict.replace("will be updated", "were updated").replace("parameter were", "parameter was")
            return f"{self.crash}; until then {before[0].lower()}{before[1:]}"
        return f"{self.crash}. {self._verdict}"

    @property
    def _verdict(self) -> str:
        if not self.audited and not self.findings:
            return "Nothing could be audited."
        own = [p for p in self if p.verdict not in ("unregistered", "stale")]
        extra = [p for p in self if p.verdict in ("unregistered", "stale")]
        lost = [p for p in own if p.verdict not in ("trained", "frozen", "unknown")]
        unknown = [p for p in own if p.verdict == "unknown"]
        cause = self._causes(lost, {p.name for p in (*(lost or unknown), *extra)})
        if lost or unknown:
            unsettled = lost or unknown
            share = (
                f"{len(unsettled)} of {_counted(own, 'parameter')}, {_count(sum(p.numel for p in unsettled))} "
                f"of {_count(sum(p.numel for p in own))} elements,"
            )
            if lost and (outside := [p for p in extra if p.verdict == "unregistered"]):
                share += f" and {_counted(outside, 'unregistered tensor')}"
            if not lost:
                return f"{share} could not be judged{f': {cause}' if cause else ''}."
            tail = f" {len(unknown)} could not be judged." if unknown else ""
            return f"{share} will not be updated: {cause or 'the cause was not found'}.{tail}"
        if extra:
            kinds = " and ".join(sorted({p.verdict for p in extra}))
            beside = f"beside {_counted(own, 'parameter')}" if own else "and no parameter"
            return f"{_counted(extra, f'{kinds} tensor')} {beside}{f': {cause}' if cause else ''}."
        told = _settled(own)
        if not self.optimizers and not self.steps and self.symbolic.status == "traced":
            told = told.replace("will be updated", "can get a gradient")
        return f"{told}{self._but()}."

    def _but(self) -> str:
        """What is wrong though every parameter is settled: `, but there are 2 errors and 1 warning`, or nothing."""
        counts = [sum(finding.level == level for finding in self.findings) for level in ("error", "warning")]
        named = [f"{n} {noun}{'s' * (n != 1)}" for n, noun in zip(counts, ("error", "warning"), strict=True) if n]
        return f", but there {'is' if sum(counts) == 1 else 'are'} {' and '.join(named)}" if named else ""

    def _causes(self, lost: list[ParameterReport], meant: Collection[str]) -> str:
        """How many causes keep what is `meant` from being updated; "" where nobody could be told of one."""
        about = [finding.parameters for finding in self.findings if finding.level != "note"]
        count = sum(1 for names in about if not names or any(name in meant for name in names))
        if count:
            return "one cause" if count == 1 else f"{count} causes"
        if lost and all(p.findings for p in lost):
            return "taken for intended, see the notes"
        return ""

    @property
    def graph(self) -> networkx.MultiDiGraph:
        """The audited step as a `networkx` multigraph, edges from parameter to loss; built anew at each call."""
        return networkx_graph(self.graph_data)

    def draw(
        self,
        parameter: str | None = None,
        view: str = "modules",
        *,
        depth: int | None = None,
        root: str | None = None,
    ) -> graphviz.Digraph:
        """A picture of the report: `view` is `modules`, `operations`, `autograd` or `why` (default for a parameter)."""
        from fxaudit.renderers.pictures import draw

        return draw(self, parameter=parameter, view=view, depth=depth, root=root)

    def save(self, path: str | Path) -> Path:
        """Write the report to `path`; the suffix picks the format. Nothing is left half written.

        Raises:
            UnknownFormatError: The suffix names no format.
            UnwritableOutputError: The file cannot be written.
        """
        from fxaudit.renderers import save

        return save(self, path)

    def diff(self, other: Report) -> Difference:
        """What changed from this report to `other`."""
        from fxaudit.differences import difference

        return difference(self, other)

    def __rich__(self) -> Any:
        from fxaudit.renderers.terminal import to_rich

        return to_rich(self)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.verdicts().items())
        return f"<fxaudit.Report {self.title or 'report'}: {counts or 'no parameters'}; {len(self.findings)} findings>"

    def __str__(self) -> str:
        from fxaudit.renderers.terminal import render

        return render(self)

    def _repr_html_(self) -> str:
        from fxaudit.renderers.html import fragment

        return fragment(self)

    def to_json(self, indent: int | None = None) -> str:
        """The report as JSON text; `fxaudit/schema.json` describes it."""
        return json.dumps(to_document(self), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that `to_json` wrote. Runs no code and needs no torch.

        Raises:
            InvalidReportError: The text is no report, or one of another schema version.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise InvalidReportError(f"This is no fxaudit report: it is not JSON ({error}).") from error
        except RecursionError:
            raise InvalidReportError("This is no fxaudit report: it is nested too deeply.") from None
        if not isinstance(document, dict) or "schema_version" not in document:
            raise InvalidReportError("This is no fxaudit report: it has no `schema_version`.")
        if document["schema_version"] != SCHEMA_VERSION:
            raise InvalidReportError(
                f"The report has schema version {document['schema_version']!r}, this fxaudit reads {SCHEMA_VERSION}. "
                "Make it again with this version."
            )
        try:
            return from_document(document)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
            raise InvalidReportError(f"The report is damaged: {type(error).__name__}: {error}.") from error


def _count(number: int) -> str:
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        # What three digits would round up to the next letter gets it.
        if number >= size * 0.9995:
            return f"{number / size:.3g} {letter}"
    return str(number)


def unsettled_note(count: int) -> str:
    """The sentence on parameters that no witness could settle."""
    return f"{count} parameters could not be settled; the reason stands with each."


def _counted(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'s' * (len(things) != 1)}"


def _settled(own: Sequence[ParameterReport]) -> str:
    """What is to be said of parameters that all are trained or frozen."""
    if not own:
        return "No parameter was found"
    frozen = sum(1 for p in own if p.verdict == "frozen")
    if frozen == len(own):
        return f"All {len(own)} parameters are frozen" if frozen > 1 else "The one parameter is frozen"
    if frozen:
        trained = _counted([p for p in own if p.verdict != "frozen"], "parameter")
        return f"{trained} will be updated, {frozen} {'is' if frozen == 1 else 'are'} frozen"
    return f"All {len(own)} parameters will be updated" if len(own) != 1 else "The one parameter will be updated"


class _SourceTable:
    """The lines that path steps name, each written once. A way of a thousand parameters names the same lines."""

    def __init__(self) -> None:
        self.written: list[Json] = []
        self._index: dict[SourceLine, int] = {}

    def index(self, source: SourceLine | None) -> int | None:
        """The position of `source` in the table."""
        if source is None:
            return None
        known = self._index.get(source)
        if known is None:
            known = self._index[source] = len(self.written)
            found = _source(source)
            assert found is not None
            self.written.append(found)
        return known

    def path(self, steps: Sequence[PathStep]) -> list[Json]:
        """`steps` with the positions of their lines."""
        return [
            {
                "kind": step.kind,
                "label": step.label,
                "module": step.module,
                "source": self.index(step.source),
                "carries_gradient": step.carries_gradient,
            }
            for step in steps
        ]


def to_document(report: Report) -> Json:
    """`report` as the JSON document of the contract."""
    from fxaudit._version import __version__

    # A parameter's finding counts by what it says: after `replace` it need not be the same object.
    index = {finding: number for number, finding in reversed(list(enumerate(report.findings)))}
    graph = report.graph_data
    table = _SourceTable()
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "fxaudit", "version": __version__},
        "title": report.title,
        "environment": dict(report.environment),
        "audited": report.audited,
        "fail_on": report.fail_on,
        "notes": list(report.notes),
        "script": {
            "exit": report.script_exit,
            "traceback": report.traceback,
            "crash": {"source": _source(report.crash.source), "step": report.crash.step} if report.crash else None,
        },
        "parameters": [
            {
                "name": p.name,
                "verdict": p.verdict,
                "reason": p.reason,
                "shape": list(p.shape),
                "numel": p.numel,
                "dtype": p.dtype,
                "requires_grad": p.requires_grad,
                "held_by": [{"optimizer": h.optimizer, "group": h.group} for h in p.held_by],
                "gradient": {"state": p.gradient.state, "norm": _finite(p.gradient.norm)},
                "change": {"state": p.change.state, "norm": _finite(p.change.norm)},
                "identity": p.identity,
                "reached_in": p.reached_in,
                "steps": p.steps,
                "findings": [index[finding] for finding in p.findings if finding in index],
                "culprit": _source(p.culprit),
                "path": table.path(p.path),
                "module_type": p.module_type,
            }
            for p in report
        ],
        "findings": [_finding(finding, table) for finding in report.findings],
        "sources": table.written,
        "optimizers": [
            {
                "name": o.name,
                "type": o.type,
                "source": _source(o.source),
                "steps": o.steps,
                "groups": [{"lr": _finite(lr), "parameters": list(names)} for lr, names in o.groups],
            }
            for o in report.optimizers
        ],
        "steps": [
            {
                "events": [
                    {"kind": e.kind, "text": e.text, "source": _source(e.source), "count": e.count} for e in step.events
                ]
            }
            for step in report.steps
        ],
        "symbolic": {
            "status": report.symbolic.status,
            "reason": report.symbolic.reason,
            "source": _source(report.symbolic.source),
        },
        "rules": [
            {
                "code": r.code,
                "name": r.name,
                "level": r.level,
                "title": r.title,
                "rationale": r.rationale,
                "fix": r.fix,
            }
            for r in report.rules
        ],
        "graph": {
            "modules": [[m.name, m.type, m.parent, m.called] for m in graph.modules],
            "sources": [_source(source) for source in graph.sources],
            "nodes": [[n.kind, n.label, n.module, n.source, n.carries_gradient] for n in graph.nodes],
            "edges": [[e.source, e.target, e.kind, e.cut] for e in graph.edges],
            "autograd_nodes": [list(pair) for pair in graph.autograd_nodes],
            "autograd_edges": [list(pair) for pair in graph.autograd_edges],
        },
    }


def from_document(document: Json) -> Report:
    """The inverse of `to_document`."""
    found = document["findings"]
    table = [_read_source(source) for source in document["sources"]]
    findings = tuple(_read_finding(data, table) for data in found)
    parameters = {
        p["name"]: ParameterReport(
            name=p["name"],
            verdict=_known(p["verdict"], VERDICTS, "verdict"),
            reason=p["reason"],
            shape=tuple(p["shape"]),
            numel=p["numel"],
            dtype=p["dtype"],
            requires_grad=p["requires_grad"],
            held_by=tuple(Holder(h["optimizer"], h["group"]) for h in p["held_by"]),
            gradient=Gradient(p["gradient"]["state"], p["gradient"]["norm"]),
            change=Change(p["change"]["state"], p["change"]["norm"]),
            identity=p["identity"],
            reached_in=p["reached_in"],
            steps=p["steps"],
            findings=tuple(_entry(findings, number) for number in p["findings"]),
            culprit=_read_source(p["culprit"]),
            path=tuple(_read_path_step(step, table) for step in p["path"]),
            module_type=p["module_type"],
        )
        for p in document["parameters"]
    }
    graph = document["graph"]
    symbolic = document["symbolic"]
    return Report(
        parameters=parameters,
        findings=findings,
        optimizers=tuple(
            OptimizerReport(
                o["name"],
                o["type"],
                _read_source(o["source"]),
                tuple((g["lr"], tuple(g["parameters"])) for g in o["groups"]),
                o["steps"],
            )
            for o in document["optimizers"]
        ),
        steps=tuple(
            StepReport(
                tuple(Event(e["kind"], e["text"], _read_source(e["source"]), e["count"]) for e in step["events"])
            )
            for step in document["steps"]
        ),
        symbolic=SymbolicReport(symbolic["status"], symbolic["reason"], _read_source(symbolic["source"])),
        graph_data=GraphData(
            modules=tuple(GraphModule(*m) for m in graph["modules"]),
            sources=tuple(source for source in map(_read_source, graph["sources"]) if source is not None),
            nodes=tuple(GraphNode(*n) for n in graph["nodes"]),
            edges=tuple(GraphEdge(*e) for e in graph["edges"]),
            autograd_nodes=tuple((name, op) for name, op in graph["autograd_nodes"]),
            autograd_edges=tuple((a, b) for a, b in graph["autograd_edges"]),
        ),
        rules=tuple(
            RuleInfo(r["code"], r["name"], r["level"], r["title"], r["rationale"], r["fix"]) for r in document["rules"]
        ),
        environment=document["environment"],
        notes=tuple(document["notes"]),
        title=document["title"],
        script_exit=document["script"]["exit"],
        traceback=document["script"]["traceback"],
        crash=_read_crash(document["script"].get("crash")),
        fail_on=_known(document["fail_on"], LEVELS, "level"),
        audited=document["audited"],
    )


def _source(source: SourceLine | None) -> Json | None:
    if source is None:
        return None
    return {
        "file": source.file,
        "line": source.line,
        "function": source.function,
        "code": source.code,
        "frames": [{"file": f.file, "line": f.line, "function": f.function} for f in source.frames],
        "columns": list(source.columns) if source.columns else None,
        "context": [list(pair) for pair in source.context],
        "library": source.library,
    }


def _read_source(data: Json | None) -> SourceLine | None:
    if data is None:
        return None
    columns = data["columns"]
    return SourceLine(
        data["file"],
        data["line"],
        data["function"],
        data["code"],
        tuple(Frame(f["file"], f["line"], f["function"]) for f in data["frames"]),
        (columns[0], columns[1]) if columns else None,
        tuple((number, text) for number, text in data["context"]),
        data["library"],
    )


def _read_path_step(data: Json, table: Sequence[SourceLine | None]) -> PathStep:
    source = None if data["source"] is None else _entry(table, data["source"])
    return PathStep(data["kind"], data["label"], data["module"], source, data["carries_gradient"])


def _entry(table: Sequence[Entry], number: int) -> Entry:
    """The entry at `number`, which Python would count from the end where it is negative."""
    if number < 0:
        raise IndexError(f"there is no entry {number}")
    return table[number]


def _known(word: Any, words: Sequence[Word], what: str) -> Word:
    """`word`, if it is one of `words`."""
    for known in words:
        if word == known:
            return known
    raise ValueError(f"{word!r} is no {what}")


def _finite(number: float | None) -> float | None:
    """`number` where JSON can say it."""
    return number if number is not None and math.isfinite(number) else None


def _finding(finding: Finding, table: _SourceTable) -> Json:
    return {
        "code": finding.code,
        "name": finding.name,
        "level": finding.level,
        "message": finding.message,
        "fix": finding.fix,
        "parameters": list(finding.parameters),
        "culprit": _source(finding.culprit),
        "related": [
            {
                "file": r.source.file,
                "line": r.source.line,
                "code": r.source.code,
                "role": r.role,
                "source": _source(r.source),
            }
            for r in finding.related
        ],
        "path": table.path(finding.path),
        "proved": finding.proved,
        "restored": list(finding.restored),
        "also": list(finding.also),
        "fact": finding.fact,
    }


def _read_crash(data: Json | None) -> Crash | None:
    return Crash(_read_source(data["source"]), data["step"]) if data is not None else None


def _read_finding(data: Json, table: Sequence[SourceLine | None]) -> Finding:
    related = []
    for item in data["related"]:
        source = _read_source(item["source"])
        if source is not None:
            related.append(Related(source, item["role"]))
    return Finding(
        code=data["code"],
        name=data["name"],
        level=_known(data["level"], LEVELS, "level"),
        message=data["message"],
        fix=data["fix"],
        parameters=tuple(data["parameters"]),
        culprit=_read_source(data["culprit"]),
        related=tuple(related),
        path=tuple(_read_path_step(step, table) for step in data["path"]),
        proved=data["proved"],
        restored=tuple(data["restored"]),
        also=tuple(data["also"]),
        fact=data.get("fact"),
    )
