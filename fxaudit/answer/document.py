"""The answer as a JSON document, written and read. Reading runs no code and needs neither torch nor the audited files.

Schema history: 1 (first version).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, TypeVar

from fxaudit.answer.answer import (
    LIFE_KINDS,
    VERDICTS,
    Answer,
    Change,
    Crash,
    Event,
    Gradient,
    Holder,
    LifeEvent,
    Movement,
    OptimizerReport,
    ParameterReport,
    RuleInfo,
    StepReport,
    SymbolicReport,
)
from fxaudit.answer.finding import (
    DECISIONS,
    LEVELS,
    PATCH_STATES,
    Attempt,
    Finding,
    Patch,
    PathStep,
    Related,
    Suppressed,
)
from fxaudit.answer.picture_data import GraphData, GraphEdge, GraphModule, GraphNode, Listing
from fxaudit.answer.typed import MAX_TEXT, misfit
from fxaudit.errors import InvalidReportError
from fxaudit.program.source import Frame, SourceLine

__all__ = ["SCHEMA_VERSION", "from_document", "from_text", "to_document", "to_text"]

SCHEMA_VERSION = 1

Json = dict[str, Any]
Entry = TypeVar("Entry")
Word = TypeVar("Word", bound=str)


def to_text(answer: Answer, indent: int | None = None) -> str:
    """`answer` as JSON text; `fxaudit/schema.json` describes it."""
    return json.dumps(to_document(answer), indent=indent, ensure_ascii=False, allow_nan=False)


def from_text(text: str) -> Answer:
    """The answer that `to_text` wrote.

    Raises:
        InvalidReportError: The text is no report, or one of another schema version.
    """
    if len(text) > MAX_TEXT:
        raise InvalidReportError(f"The report is too large: more than {MAX_TEXT:,} characters.")
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
        answer = from_document(document)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise InvalidReportError(f"The report is damaged: {type(error).__name__}: {error}.") from error
    problem = misfit(document)
    if problem:
        raise InvalidReportError(f"The report is damaged: {problem}.")
    return answer


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
                **({} if step.norm is None else {"norm": step.norm}),
            }
            for step in steps
        ]


class _LifeTable:
    """What happened to parameters, each once: many were made, frozen and held by the same lines."""

    def __init__(self) -> None:
        self.written: list[Json] = []
        self._index: dict[LifeEvent, int] = {}

    def index(self, event: LifeEvent, sources: _SourceTable) -> int:
        """The position of `event` in the table."""
        known = self._index.get(event)
        if known is None:
            known = self._index[event] = len(self.written)
            source = sources.index(event.source)
            self.written.append({"kind": event.kind, "text": event.text, "source": source, "step": event.step})
        return known


def to_document(answer: Answer) -> Json:
    """`answer` as the JSON document of the contract."""
    from fxaudit._version import __version__

    # A parameter's finding counts by what it says: after `replace` it need not be the same object.
    index = {finding: number for number, finding in reversed(list(enumerate(answer.findings)))}
    graph = answer.graph_data
    table, lives = _SourceTable(), _LifeTable()
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "fxaudit", "version": __version__},
        "title": answer.title,
        "environment": dict(answer.environment),
        "audited": answer.audited,
        "fail_on": answer.fail_on,
        "notes": list(answer.notes),
        "patch": _patch(answer.patch),
        "script": {
            "exit": answer.script_exit,
            "traceback": answer.traceback,
            "crash": {"source": _source(answer.crash.source), "step": answer.crash.step} if answer.crash else None,
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
                "frozen_at": _source(p.frozen_at),
                "life": [lives.index(event, table) for event in p.life],
                "norm": _finite(p.norm),
            }
            for p in answer
        ],
        "lives": lives.written,
        "findings": [_finding(finding, table) for finding in answer.findings],
        "suppressed": [
            {"by": one.by, "reason": one.reason, "finding": _finding(one.finding, table)} for one in answer.suppressed
        ],
        "sources": table.written,
        "optimizers": [
            {
                "name": o.name,
                "type": o.type,
                "source": _source(o.source),
                "steps": o.steps,
                "groups": [{"lr": _finite(lr), "parameters": list(names)} for lr, names in o.groups],
            }
            for o in answer.optimizers
        ],
        "steps": [
            {
                "events": [
                    {
                        "kind": e.kind,
                        "text": e.text,
                        "source": _source(e.source),
                        "count": e.count,
                        "optimizers": list(e.optimizers),
                    }
                    for e in step.events
                ],
                "movements": [_movement(m) for m in step.movements],
                "loss": _number(step.loss),
            }
            for step in answer.steps
        ],
        "symbolic": {
            "status": answer.symbolic.status,
            "reason": answer.symbolic.reason,
            "source": _source(answer.symbolic.source),
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
            for r in answer.rules
        ],
        "graph": {
            "modules": [[m.name, m.type, m.parent, m.called] for m in graph.modules],
            "sources": [_source(source) for source in graph.sources],
            "nodes": [_node(n) for n in graph.nodes],
            "edges": [[e.source, e.target, e.kind, e.cut, *([] if e.norm is None else [e.norm])] for e in graph.edges],
            "autograd_nodes": [list(pair) for pair in graph.autograd_nodes],
            "autograd_edges": [list(pair) for pair in graph.autograd_edges],
            "autograd_sequences": list(graph.autograd_sequences),
            "autograd_roots": [list(pair) for pair in graph.autograd_roots],
            "traced": [list(node) for node in graph.traced],
            "left_out": graph.left_out,
            **({"unmeasured": graph.unmeasured} if graph.unmeasured else {}),
            "callers": list(graph.callers),
            "listings": [
                {"file": listing.file, "function": listing.function, "rows": [list(row) for row in listing.rows]}
                for listing in graph.listings
            ],
        },
    }


def _node(node: GraphNode) -> list[Any]:
    known = [node.kind, node.label, node.module, node.source, node.carries_gradient]
    if node.shape is None:
        return known
    return [*known, list(node.shape), node.floating, *([list(node.size)] if node.size is not None else [])]


def _read_node(data: list[Any]) -> GraphNode:
    shape, floating = (tuple(data[5]), data[6]) if len(data) > 5 else (None, True)
    kind, label, module, source, carries = data[:5]
    return GraphNode(kind, label, module, source, carries, shape, floating, tuple(data[7]) if len(data) > 7 else None)


def _movement(movement: Movement) -> list[Any]:
    numbers = map(_finite, (movement.rate, movement.norm, movement.change))
    return [movement.optimizer, movement.group, *numbers, movement.changed, movement.parameters]


def from_document(document: Json) -> Answer:
    """The inverse of `to_document`."""
    found = document["findings"]
    table = [_read_source(source) for source in document["sources"]]
    lives = [
        LifeEvent(
            _known(event["kind"], LIFE_KINDS, "kind of event"),
            event["text"],
            None if event["source"] is None else _entry(table, event["source"]),
            event["step"],
        )
        for event in document.get("lives", ())
    ]
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
            frozen_at=_read_source(p.get("frozen_at")),
            life=tuple(_entry(lives, number) for number in p.get("life", ())),
            norm=p.get("norm"),
        )
        for p in document["parameters"]
    }
    graph = document["graph"]
    symbolic = document["symbolic"]
    return Answer(
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
                tuple(
                    Event(e["kind"], e["text"], _read_source(e["source"]), e["count"], tuple(e.get("optimizers", ())))
                    for e in step["events"]
                ),
                tuple(Movement(*movement) for movement in step.get("movements", ())),
                _read_number(step.get("loss")),
            )
            for step in document["steps"]
        ),
        symbolic=SymbolicReport(symbolic["status"], symbolic["reason"], _read_source(symbolic["source"])),
        graph_data=GraphData(
            modules=tuple(GraphModule(*m) for m in graph["modules"]),
            sources=tuple(source for source in map(_read_source, graph["sources"]) if source is not None),
            nodes=tuple(map(_read_node, graph["nodes"])),
            edges=tuple(GraphEdge(*e) for e in graph["edges"]),
            autograd_nodes=tuple((name, op) for name, op in graph["autograd_nodes"]),
            autograd_edges=tuple((a, b) for a, b in graph["autograd_edges"]),
            autograd_sequences=tuple(graph.get("autograd_sequences", ())),
            autograd_roots=tuple((node, loss) for node, loss in graph.get("autograd_roots", ())),
            traced=tuple((name, target, op) for name, target, op in graph.get("traced", ())),
            left_out=graph.get("left_out", ""),
            unmeasured=graph.get("unmeasured", ""),
            callers=tuple(graph.get("callers", ())),
            listings=tuple(
                Listing(listing["file"], listing["function"], tuple((n, text) for n, text in listing["rows"]))
                for listing in graph.get("listings", ())
            ),
        ),
        rules=tuple(
            RuleInfo(r["code"], r["name"], r["level"], r["title"], r["rationale"], r["fix"]) for r in document["rules"]
        ),
        environment=document["environment"],
        notes=tuple(document["notes"]),
        patch=_read_patch(document.get("patch")),
        suppressed=tuple(
            Suppressed(_read_finding(one["finding"], table), _known(one["by"], DECISIONS, "decision"), one["reason"])
            for one in document.get("suppressed", ())
        ),
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
    return PathStep(data["kind"], data["label"], data["module"], source, data["carries_gradient"], data.get("norm"))


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


def _number(number: float | None) -> float | str | None:
    """`number`, or its name where JSON cannot say it: `nan`, `inf`, `-inf`."""
    return number if number is None or math.isfinite(number) else str(number)


def _read_number(data: float | str | None) -> float | None:
    number = None if data is None else float(data)
    return math.nan if number is not None and math.isnan(number) else number  # one object, so that reports compare


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
        "patch": _patch(finding.patch),
    }


def _patch(patch: Patch | None) -> Json | None:
    if patch is None:
        return None
    return {
        "state": patch.state,
        "diff": patch.diff,
        "files": list(patch.files),
        "seen": patch.seen,
        "attempts": [{"diff": attempt.diff, "reason": attempt.reason} for attempt in patch.attempts],
    }


def _read_patch(data: Json | None) -> Patch | None:
    if data is None:
        return None
    return Patch(
        state=_known(data["state"], PATCH_STATES, "state of a patch"),
        diff=data["diff"],
        files=tuple(data["files"]),
        seen=data["seen"],
        attempts=tuple(Attempt(attempt["diff"], attempt["reason"]) for attempt in data["attempts"]),
    )


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
        patch=_read_patch(data.get("patch")),
    )
