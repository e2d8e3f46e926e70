"""From an audit to its report: everything that renderers need, and nothing alive."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from fxaudit._version import __version__
from fxaudit.capture.naming import ModelName
from fxaudit.capture.record import BackwardEvent, LoopEvent, StepEvent
from fxaudit.capture.session import Session
from fxaudit.finding import LEVELS, Finding
from fxaudit.graph_data import GraphData, GraphEdge, GraphModule, GraphNode
from fxaudit.report import (
    Change,
    Event,
    Gradient,
    Holder,
    OptimizerReport,
    ParameterReport,
    Report,
    RuleInfo,
    StepReport,
    SymbolicReport,
)
from fxaudit.rule import Audit, Rule
from fxaudit.rules import RULES
from fxaudit.source import SourceLine
from fxaudit.verdict import Judge, ParameterState

__all__ = ["Options", "examine", "report_on", "rule_info"]

MAX_REPORTED_STEPS = 24
MAX_GRAPH_OPS = 20_000


@dataclass(frozen=True)
class Options:
    """What an audit was asked for, beyond what to audit."""

    expect: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[type[Rule]] = RULES
    title: str = ""
    looped: bool = False
    optimizers_known: bool = True
    symbolic: tuple[str, str, SourceLine | None] = ("skipped", "", None)
    notes: tuple[str, ...] = ()


def rule_info(rule: type[Rule]) -> RuleInfo:
    """A rule's metadata as reports carry it."""
    return RuleInfo(rule.code, rule.name, rule.level, rule.title(), rule.rationale(), rule.fix)


def examine(session: Session, models: list[ModelName], options: Options) -> Report:
    """Judge what was recorded, ask the rules for the causes, and write it all down."""
    judge = Judge(session, models, looped=options.looped, optimizers_known=options.optimizers_known)
    judge.judge()
    audited = bool(judge.states) and (bool(judge.graph.backwards) or bool(session.record.calls) or not options.looped)
    return report_on(Audit(judge, options.symbolic, options.expect), options, _limits(judge), audited=audited)


def report_on(
    audit: Audit,
    options: Options,
    limits: Iterable[str],
    *,
    audited: bool,
    adjusted: Callable[[Finding], Finding] = lambda finding: finding,
) -> Report:
    """Ask the rules for the causes of what was judged, and write it all down.

    `limits` are sentences on what could not be seen; `adjusted` gets every finding and may soften it.
    """
    judge, session = audit.judge, audit.session
    met = _met_expectations(judge.states, options.expect)
    for state in met:
        state.explained.append("expected")
    for rule in options.rules:
        for finding in rule().check(audit):
            if finding.parameters and all(name in {s.name for s in met} for name in finding.parameters):
                continue
            audit.findings.append(adjusted(finding))
    findings = tuple(sorted(audit.findings, key=lambda f: LEVELS.index(f.level)))
    optimizers = _optimizers(session, judge)
    return Report(
        parameters={state.name: _parameter(audit, state, findings, optimizers) for state in judge.states},
        findings=findings,
        optimizers=tuple(optimizers.values()),
        steps=_steps(session),
        symbolic=SymbolicReport(*options.symbolic),  # type: ignore[arg-type]
        graph_data=_graph_data(audit, optimizers),
        rules=tuple(rule_info(rule) for rule in options.rules if any(f.code == rule.code for f in findings)),
        environment=_environment(),
        notes=(*options.notes, *session.notes, *limits),
        title=options.title,
        audited=audited,
    )


def _met_expectations(states: Iterable[ParameterState], expect: Mapping[str, str]) -> list[ParameterState]:
    import fnmatch

    return [
        state
        for state in states
        if any(
            fnmatch.fnmatchcase(state.name, pattern) and state.verdict == verdict for pattern, verdict in expect.items()
        )
        and state.verdict != "trained"
    ]


def _environment() -> dict[str, str]:
    return {
        "fxaudit": __version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _limits(judge: Judge) -> list[str]:
    notes = []
    unknown = [state for state in judge.states if state.verdict == "unknown"]
    if unknown:
        notes.append(f"{len(unknown)} parameters could not be settled; the reason stands with each.")
    if not judge.optimizers_known and any(state.verdict == "trained" for state in judge.states):
        notes.append("No optimizer was given: `trained` means that gradient arrives and an optimizer would update it.")
    if not judge.graph.backwards and judge.graph.losses:
        notes.append("No backward was seen; scalars that carry gradient stand in for the loss.")
    return notes


def _parameter(
    audit: Audit, state: ParameterState, findings: tuple[Finding, ...], optimizers: dict[int, OptimizerReport]
) -> ParameterReport:
    own = tuple(finding for finding in findings if state.name in finding.parameters)
    cause = next(
        (f for f in own if f.code in state.explained and f.code not in ("FXA601", "FXA602")), own[0] if own else None
    )
    facts = state.facts
    moved = [fact for fact in facts if fact.changed]
    change = Change()
    if moved:
        size = moved[-1].change
        change = Change("changed", size if math.isfinite(size) else None)
    elif facts:
        change = Change("unchanged", 0.0)
    elif state.track.hand_updates:
        change = Change("changed", None)
    norm = state.norm if state.norm is not None and math.isfinite(state.norm) else None
    gradient_known = bool(audit.graph.backwards) or bool(facts)
    return ParameterReport(
        name=state.name,
        verdict=state.verdict,
        reason=state.reason,
        shape=state.track.shape,
        numel=state.track.numel,
        dtype=state.track.dtype,
        requires_grad=state.requires_grad,
        held_by=tuple(Holder(optimizers[index].name, group) for index, group in state.held if index in optimizers),
        gradient=Gradient(state.arrived if gradient_known else "unknown", norm),
        change=change,
        identity="swapped" if state.swapped else "same",
        reached_in=state.reached_in,
        steps=max(len(facts), len(audit.graph.backwards)),
        findings=own,
        culprit=cause.culprit if cause is not None and state.verdict != "trained" else None,
        path=cause.path
        if cause is not None and cause.parameters and state.verdict not in ("trained", "frozen")
        else (),
        module_type=state.module_type,
    )


def _optimizers(session: Session, judge: Judge) -> dict[int, OptimizerReport]:
    by_track = {state.index: state.name for state in judge.states}
    found: dict[int, OptimizerReport] = {}
    taken: set[str] = set()
    for info in session.optimizers:
        optimizer = info.ref()
        name = info.name or session.variables.get(id(optimizer), "") or _bound(session, info.created) or info.type
        base, number = name, 2
        while name in taken:
            name, number = f"{base}{number}", number + 1
        taken.add(name)
        groups = tuple((rate, tuple(by_track[t] for t in members if t in by_track)) for rate, members in info.groups)
        found[info.index] = OptimizerReport(
            name, info.type, session.record.stacks.source(info.created), groups, info.steps
        )
    return found


def _bound(session: Session, stack: int) -> str:
    from fxaudit.capture.naming import variable_name

    return variable_name(session.record.stacks, stack)


# -- the timeline ------------------------------------------------------------------------------------------------


def _steps(session: Session) -> tuple[StepReport, ...]:
    """Events grouped into steps: a step ends when something else than another optimizer's step follows a step."""
    steps: list[StepReport] = []
    current: list[Event] = []
    stepped = False
    for event in session.record.events:
        shown = _event(session, event)
        if shown is None:
            continue
        if (
            stepped
            and not isinstance(event, StepEvent)
            and event.kind not in ("scheduler step", "zero_grad", "scaler step")
        ):
            steps.append(StepReport(tuple(current)))
            current, stepped = [], False
        if current and (current[-1].kind, current[-1].text, current[-1].source) == (
            shown.kind,
            shown.text,
            shown.source,
        ):
            last = current.pop()
            shown = Event(shown.kind, shown.text, shown.source, last.count + 1)
        current.append(shown)
        stepped = stepped or isinstance(event, StepEvent)
    if current:
        steps.append(StepReport(tuple(current)))
    return tuple(steps[:MAX_REPORTED_STEPS])


def _event(session: Session, event: LoopEvent) -> Event | None:
    source = session.record.stacks.source(event.stack)
    name = event.text
    if 0 <= event.subject < len(session.optimizers) and event.kind in (
        "step",
        "optimizer",
        "scheduler",
        "scheduler step",
    ):
        name = session.optimizers[event.subject].type
    match event.kind:
        case "backward" if isinstance(event, BackwardEvent):
            error = f" raises: {event.error.splitlines()[0]}" if event.error else ""
            return Event("backward", f"backward reaches {len(event.reached)} tensors{error}", source)
        case "step":
            return Event("step", f"{name}.step", source)
        case "zero_grad":
            return Event(
                "zero_grad",
                f"{name}: gradients of {len(event.tracks)} tensors cleared"
                if event.tracks
                else f"{name}: nothing to clear",
                source,
            )
        case "optimizer":
            return Event("optimizer", f"{name} is built", source)
        case "scheduler":
            return Event("scheduler", f"{event.text} is built", source)
        case "scheduler step":
            return Event("scheduler", f"{event.text}.step", source)
        case "clip":
            return Event("clip", event.text, source)
        case "scaler":
            return Event("scaler", "GradScaler is made", source)
        case "scaler skip":
            return Event("scaler", "GradScaler skips the step", source)
        case "scaler step":
            return Event("scaler", "GradScaler.step", source)
        case "write_grad":
            return Event("gradient", "`.grad` is written by hand", source)
    return None


# -- the graph ---------------------------------------------------------------------------------------------------


def _graph_data(audit: Audit, optimizers: dict[int, OptimizerReport]) -> GraphData:
    """The compact graph of one step: the operations of one forward that belong to a loss or depend on a parameter."""
    record, graph = audit.record, audit.graph
    values = record.values
    modules: list[GraphModule] = []
    module_index: dict[tuple[int, str], int] = {}
    for model in audit.judge.models:
        for name, module in model.module.named_modules():
            parent = module_index.get((model.info.index, name.rpartition(".")[0]), -1) if name else -1
            info = audit.session.module_info(module)
            module_index[(model.info.index, name)] = len(modules)
            modules.append(
                GraphModule((model.prefix + name).rstrip("."), type(module).__name__, parent, info.calls > 0)
            )
    by_name = {m.name: i for i, m in enumerate(modules)}
    sources: list[SourceLine] = []
    source_index: dict[int, int] = {}

    def source_of(stack: int) -> int:
        if stack < 0:
            return -1
        if stack not in source_index:
            found = record.stacks.source(stack)
            if found is None:
                return -1
            source_index[stack] = len(sources)
            sources.append(SourceLine(found.file, found.line, found.function, found.code, library=found.library))
        return source_index[stack]

    nodes: list[GraphNode] = []
    edges: list[GraphEdge] = []
    parameter_node: dict[int, int] = {}
    for state in audit.states:
        owner = state.name.rpartition(".")[0]
        parameter_node[state.index] = len(nodes)
        nodes.append(
            GraphNode(
                "parameter",
                state.name,
                by_name.get(owner, by_name.get("", -1)),
                source_of(state.track.created),
                state.requires_grad,
            )
        )
    group_node: dict[tuple[int, int], int] = {}
    for index, optimizer in optimizers.items():
        for number in range(len(optimizer.groups)):
            group_node[(index, number)] = len(nodes)
            nodes.append(GraphNode("group", f"{optimizer.name}[{number}]"))
    for state in audit.states:
        for holder in state.held:
            if holder in group_node:
                edges.append(GraphEdge(group_node[holder], parameter_node[state.index], "holds"))

    start, end = _window(audit)
    relevant = graph.reaching | graph.downstream(v for s in audit.states for v in s.track.values)
    cut_edges = {(cut.op, cut.value) for s in audit.states if s.verdict == "unreachable" for cut in graph.cuts(s.index)}
    op_node: dict[int, int] = {}
    buffers = {id(t): name for m in audit.judge.models for name, t in m.module.named_buffers()}
    del buffers
    outside: dict[int, int] = {}
    for op in graph.ops:
        if not start <= op.index < end or len(op_node) >= MAX_GRAPH_OPS:
            continue
        if op.name in ("Parameter", "grad", "requires_grad_") or not any(
            v in relevant for v in (*op.inputs, *op.outputs)
        ):
            continue
        carries = any(values[v].requires_grad and not values[v].leaf for v in op.outputs)
        module = by_name.get(audit.module_name(op.module), -1)
        op_node[op.index] = len(nodes)
        nodes.append(GraphNode("op", op.name, module, source_of(op.stack), carries))
        for vid in op.inputs:
            value = values[vid]
            if value.track in parameter_node:
                origin = parameter_node[value.track]
            elif value.op in op_node:
                origin = op_node[value.op]
            elif value.op < 0 or value.op < start:
                if vid not in outside:
                    outside[vid] = len(nodes)
                    nodes.append(GraphNode("input", "input", -1, -1, value.requires_grad))
                origin = outside[vid]
            else:
                continue
            if origin == op_node[op.index]:
                continue
            edges.append(GraphEdge(origin, op_node[op.index], "data", (op.index, vid) in cut_edges))
            if any(graph.carries(value, values[out]) for out in op.outputs):
                edges.append(GraphEdge(origin, op_node[op.index], "grad"))
        for escape in op.python_inputs:
            if escape in op_node:
                edges.append(GraphEdge(op_node[escape], op_node[op.index], "python"))
    for number, vid in enumerate(v for v in graph.losses if start <= values[v].op < end):
        node = len(nodes)
        nodes.append(
            GraphNode("loss", "loss" if number == 0 else f"loss {number + 1}", -1, -1, values[vid].requires_grad)
        )
        made = op_node.get(values[vid].op)
        if made is not None:
            edges.append(GraphEdge(made, node, "data"))
            if values[vid].requires_grad:
                edges.append(GraphEdge(made, node, "grad"))
    return GraphData(tuple(modules), tuple(sources), tuple(nodes), tuple(edges))


def _window(audit: Audit) -> tuple[int, int]:
    """The operations of one round of the loop: those before the last backwards that share a step."""
    record = audit.record
    bounds: list[tuple[int, int]] = []
    start = 0
    last = 0
    for event in record.events:
        if isinstance(event, BackwardEvent) and event.accumulates:
            last = event.time
        elif isinstance(event, StepEvent) and last > start:
            bounds.append((start, last))
            start = event.time
    if last > start:
        bounds.append((start, last))
    if not bounds:
        return 0, len(record.ops)
    # The first full round shows data preparation and construction, too; a later one is cleaner.
    first, end = bounds[1] if len(bounds) > 1 else bounds[0]
    if len(bounds) == 1:
        first = next((op.index for op in record.ops if op.module >= 0), first)
    return first, end
