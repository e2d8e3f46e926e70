"""The report: one frozen value that collectors write once and renderers only read.

A report never refers to a live tensor, module or graph. Whatever a renderer needs is in here, and all of it survives
`Report.from_json(report.to_json())`, which needs neither torch nor the audited files.

Schema history: 1 (first version).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
    """Everything the audit knows of one parameter. `reached_in` counts the recorded steps whose loss reaches it."""

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
        """The verdict in one sentence."""
        if not self.audited and not self.findings:
            return "Nothing could be audited."
        unhappy = [p for p in self if p.verdict not in ("trained", "frozen", "unregistered", "stale")]
        own = [p for p in self if p.verdict not in ("unregistered", "stale")]
        causes = sum(1 for finding in self.findings if finding.level != "note")
        cause = {0: "no cause for concern", 1: "one cause"}.get(causes, f"{causes} causes")
        total = f"{len(own)} parameter{'s' * (len(own) != 1)}"
        if not unhappy:
            extra = [p for p in self if p.verdict in ("unregistered", "stale")]
            if extra:
                kinds = " and ".join(sorted({p.verdict for p in extra}))
                return f"{len(extra)} {kinds} tensor{'s' * (len(extra) != 1)} beside {total}: {cause}."
            frozen = sum(1 for p in own if p.verdict == "frozen")
            tail = f" ({frozen} frozen)" if frozen else ""
            trained = f"All {total} will be updated" if len(own) != 1 else "The one parameter will be updated"
            return f"{trained}{tail}." if causes == 0 else f"{trained}{tail}, but: {cause}."
        elements = sum(p.numel for p in unhappy)
        everything = sum(p.numel for p in own)
        return (
            f"{len(unhappy)} of {total}, {_count(elements)} of {_count(everything)} elements, "
            f"will not be updated: {cause}."
        )

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
        """A picture of the report: `view` is `modules`, `operations`, `autograd` or `why` (the default for a parameter)."""
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
        if not isinstance(document, dict) or "schema_version" not in document:
            raise InvalidReportError("This is no fxaudit report: it has no `schema_version`.")
        if document["schema_version"] != SCHEMA_VERSION:
            raise InvalidReportError(
                f"The report has schema version {document['schema_version']!r}, this fxaudit reads {SCHEMA_VERSION}. "
                "Make it again with this version."
            )
        try:
            return from_document(document)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise InvalidReportError(f"The report is damaged: {type(error).__name__}: {error}.") from error


def _count(number: int) -> str:
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return str(number)


def to_document(report: Report) -> Json:
    """`report` as the JSON document of the contract."""
    from fxaudit._version import __version__

    index = {id(finding): number for number, finding in enumerate(report.findings)}
    graph = report.graph_data
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "fxaudit", "version": __version__},
        "title": report.title,
        "environment": dict(report.environment),
        "audited": report.audited,
        "fail_on": report.fail_on,
        "notes": list(report.notes),
        "script": {"exit": report.script_exit, "traceback": report.traceback},
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
                "gradient": {"state": p.gradient.state, "norm": p.gradient.norm},
                "change": {"state": p.change.state, "norm": p.change.norm},
                "identity": p.identity,
                "reached_in": p.reached_in,
                "steps": p.steps,
                "findings": [index[id(finding)] for finding in p.findings],
                "culprit": _source(p.culprit),
                "path": [_path_step(step) for step in p.path],
                "module_type": p.module_type,
            }
            for p in report
        ],
        "findings": [_finding(finding) for finding in report.findings],
        "optimizers": [
            {
                "name": o.name,
                "type": o.type,
                "source": _source(o.source),
                "steps": o.steps,
                "groups": [{"lr": lr, "parameters": list(names)} for lr, names in o.groups],
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
    findings = tuple(_read_finding(found) for found in document["findings"])
    parameters = {
        p["name"]: ParameterReport(
            name=p["name"],
            verdict=p["verdict"],
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
            findings=tuple(findings[number] for number in p["findings"]),
            culprit=_read_source(p["culprit"]),
            path=tuple(_read_path_step(step) for step in p["path"]),
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
        fail_on=document["fail_on"],
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


def _path_step(step: PathStep) -> Json:
    return {
        "kind": step.kind,
        "label": step.label,
        "module": step.module,
        "source": _source(step.source),
        "carries_gradient": step.carries_gradient,
    }


def _read_path_step(data: Json) -> PathStep:
    return PathStep(
        data["kind"], data["label"], data["module"], _read_source(data["source"]), data["carries_gradient"]
    )


def _finding(finding: Finding) -> Json:
    return {
        "code": finding.code,
        "name": finding.name,
        "level": finding.level,
        "message": finding.message,
        "fix": finding.fix,
        "parameters": list(finding.parameters),
        "culprit": _source(finding.culprit),
        "related": [
            {"file": r.source.file, "line": r.source.line, "code": r.source.code, "role": r.role, "source": _source(r.source)}
            for r in finding.related
        ],
        "path": [_path_step(step) for step in finding.path],
        "proved": finding.proved,
        "restored": list(finding.restored),
        "also": list(finding.also),
    }


def _read_finding(data: Json) -> Finding:
    related = []
    for item in data["related"]:
        source = _read_source(item["source"])
        if source is not None:
            related.append(Related(source, item["role"]))
    return Finding(
        code=data["code"],
        name=data["name"],
        level=data["level"],
        message=data["message"],
        fix=data["fix"],
        parameters=tuple(data["parameters"]),
        culprit=_read_source(data["culprit"]),
        related=tuple(related),
        path=tuple(_read_path_step(step) for step in data["path"]),
        proved=data["proved"],
        restored=tuple(data["restored"]),
        also=tuple(data["also"]),
    )
