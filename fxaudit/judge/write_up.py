"""From an audit to its report: everything that renderers need, and nothing alive."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from functools import partial

from fxaudit.answer.answer import (
    Answer,
    Change,
    Event,
    Gradient,
    Holder,
    Movement,
    OptimizerReport,
    ParameterReport,
    RuleInfo,
    StepReport,
    SymbolicReport,
)
from fxaudit.answer.finding import LEVELS, Finding, PathStep
from fxaudit.answer.picture_data import GraphData, GraphEdge, GraphModule, GraphNode
from fxaudit.answer.summary import unsettled_note
from fxaudit.attempts import attempt, attempted
from fxaudit.capture import operations
from fxaudit.capture.collector import collector_paused
from fxaudit.capture.events import (
    BackwardEvent,
    ClearEvent,
    ClipEvent,
    FlagEvent,
    GradientEvent,
    GroupEvent,
    LoopEvent,
    OptimizerEvent,
    ScalerEvent,
    ScalerStepEvent,
    SchedulerEvent,
    SchedulerStepEvent,
    StepBeginsEvent,
    StepEvent,
)
from fxaudit.capture.frozen import Recording
from fxaudit.capture.recording import Op, OpsBySequence, Size, Value
from fxaudit.judge.expectations import expected_of
from fxaudit.judge.life import Lives
from fxaudit.judge.listing import listings
from fxaudit.judge.movements import Movements
from fxaudit.judge.questions.chosen_calls import with_chosen_call
from fxaudit.judge.questions.emptied_loaders import with_emptied_loader
from fxaudit.judge.questions.freezing import settle_frozen
from fxaudit.judge.questions.identity_tests import with_identity_test
from fxaudit.judge.questions.lookups import with_failed_lookup
from fxaudit.judge.questions.misnamed import with_misnamed_override
from fxaudit.judge.questions.name_tests import with_name_in_vain
from fxaudit.judge.questions.registered_twice import with_shadowed_registration
from fxaudit.judge.questions.set_otherwise import with_setting_to_change
from fxaudit.judge.questions.short_zips import with_short_zip
from fxaudit.judge.questions.starved import settle_starved
from fxaudit.judge.questions.text_flags import with_text_flag
from fxaudit.judge.rule import Audit, Rule
from fxaudit.judge.rules import RULES
from fxaudit.judge.verdict import Judge, ParameterState
from fxaudit.program.bindings import object_name, variable_name
from fxaudit.program.source import SourceLine, held_texts
from fxaudit.program.tree import binding_of

__all__ = ["Options", "judged", "report_on", "rule_info", "unjudged_report"]

BEHIND: tuple[tuple[str, Callable[[Audit, Finding], Finding]], ...] = (
    ("a misspelt method", with_misnamed_override),
    ("a failed lookup", with_failed_lookup),
    ("a text taken for a flag", with_text_flag),
    ("a name taken twice", with_shadowed_registration),
    ("a name in vain", with_name_in_vain),
    ("a zip that ends early", with_short_zip),
    ("a function that a setting chose", with_chosen_call),
    ("a test that never holds", with_identity_test),
    ("a loader without a batch", with_emptied_loader),
    ("a setting to change", with_setting_to_change),
)
"""What may lie behind the line that a rule blames: each gives the finding, with another line where it knows one."""
MAX_REPORTED_STEPS = 24
MAX_PATHS = 50
MAX_PATH_STEPS = 2_000
"""So many parameters of a finding have their own path in the report, of so many steps together."""
NOTHING = 1e-5
"""The mean of a tensor is told where it is larger than so much of its largest number."""
MAX_GRAPH_OPS = 20_000


@dataclass(frozen=True)
class Options:
    """What an audit was asked for, beyond what to audit."""

    expect: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[type[Rule]] = RULES
    symbolic: tuple[str, str, SourceLine | None] = ("skipped", "", None)
    traced: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    """Operation → name and target of the node of the symbolic trace that it stands for."""


def rule_info(rule: type[Rule]) -> RuleInfo:
    """A rule's metadata as reports carry it."""
    return RuleInfo(rule.code, rule.name, rule.level, rule.title(), rule.rationale(), rule.fix)


def judged(recording: Recording, options: Options) -> Answer:
    """Judge what was recorded, ask the rules for the causes, and write it all down.

    The same recording gives the same answer, and nothing in it is changed; where its texts are not held, the files
    that it names are read.
    """
    with held_texts(recording.texts), collector_paused():  # much is made here, and little of it is garbage
        judge = Judge(recording)
        failures: list[str] = []
        attempt("the verdicts", judge.judge, None, failures)
        if failures:
            tracks = recording.record.tracks
            named = [
                (m.prefix + name, tracks[track].requires_grad) for m in recording.models for name, track in m.parameters
            ]
            return unjudged_report(named, recording.title, recording.environment, (*recording.notes, *failures))
        audited = bool(judge.states) and (
            bool(judge.graph.backwards) or bool(recording.record.calls) or not judge.looped
        )
        audit = Audit(judge, options.symbolic, options.expect)
        attempt("what the batch leaves open", lambda: settle_starved(audit), None, audit.notes)
        attempt("what was frozen where", lambda: settle_frozen(audit), None, audit.notes)
        return report_on(audit, options, _limits(judge), audited=audited)


def unjudged_report(
    named: Iterable[tuple[str, bool]], title: str, environment: Mapping[str, str], notes: Iterable[str]
) -> Answer:
    """What is left where the judging itself failed: every parameter by its name, `unknown`.

    Args:
        named: (name, whether it requires grad) of each parameter.
        title: What was audited.
        environment: The versions of what it ran with.
        notes: The sentences that say what failed, and what else could not be seen.
    """
    reason = "fxaudit failed when it judged this program; see the notes"
    states = {name: ParameterReport(name, "unknown", reason, requires_grad=flag) for name, flag in named}
    every = tuple(dict.fromkeys(notes))
    return Answer(parameters=states, environment=dict(environment), notes=every, title=title, audited=False)


def report_on(
    audit: Audit,
    options: Options,
    limits: Iterable[str],
    *,
    audited: bool,
    adjusted: Callable[[Finding, type[Rule]], Finding] = lambda finding, rule: finding,
) -> Answer:
    """Ask the rules for the causes of what was judged, and write it all down.

    `limits` are sentences on what could not be seen; `adjusted` gets every finding with its rule and may soften it.
    """
    judge, recording, notes = audit.judge, audit.recording, audit.notes
    met = _met_expectations(judge.states, options.expect)
    meant = {state.name for state in met}
    for state in met:
        state.explained.append("expected")
    for rule in options.rules:
        for finding in attempted(f"what {rule.code} {rule.name} finds", partial(rule().check, audit), notes):
            is_met = bool(finding.parameters) and all(name in meant for name in finding.parameters)
            for what, adjust in BEHIND:
                finding = attempt(what, partial(adjust, audit, finding), finding, notes)
            audit.book(finding if is_met else adjusted(finding, rule), rule, is_told=not is_met)
    findings = tuple(_with_brief_path(f) for f in _by_weight(audit.findings, judge.states))
    none: dict[int, OptimizerReport] = {}
    optimizers = attempt("the optimizers", lambda: _optimizers(recording, judge), none, notes)
    lives: Lives | None = attempt("the lives of parameters", lambda: _lives(audit, optimizers), None, notes)
    parameters = {
        state.name: attempt(
            f"the details of {state.name}",
            partial(_parameter, audit, state, findings, optimizers, lives),
            ParameterReport(state.name, state.verdict, state.reason),
            notes,
        )
        for state in judge.states
    }
    return Answer(
        parameters=parameters,
        findings=findings,
        optimizers=tuple(optimizers.values()),
        steps=attempt("the loop", lambda: _steps(recording, optimizers, judge), (), notes),
        symbolic=SymbolicReport(*options.symbolic),  # type: ignore[arg-type]
        graph_data=attempt("the graph", lambda: _graph_data(audit, optimizers, options.traced), GraphData(), notes),
        rules=tuple(rule_info(rule) for rule in options.rules if any(f.code == rule.code for f in findings)),
        environment=dict(recording.environment),
        notes=(*recording.notes, *notes, *limits),
        title=recording.title,
        audited=audited,
    )


def with_later_findings(answer: Answer, findings: Sequence[Finding]) -> Answer:
    """`answer` with what was found after it had been made."""
    if not findings:
        return answer
    parameters = dict(answer.parameters)
    for finding in findings:
        for name in finding.parameters:
            if name in parameters:
                known = parameters[name]
                parameters[name] = replace(known, findings=(*known.findings, finding))
    known_rules = {rule.code for rule in answer.rules}
    told = {finding.code for finding in findings} - known_rules
    return replace(
        answer,
        parameters=parameters,
        findings=tuple(sorted((*answer.findings, *findings), key=lambda finding: LEVELS.index(finding.level))),
        rules=(*answer.rules, *(rule_info(rule) for rule in RULES if rule.code in told)),
    )


def _by_weight(findings: Sequence[Finding], states: Sequence[ParameterState]) -> list[Finding]:
    """The findings, errors first; of one level, what stops nothing in particular, then what stops most elements."""
    sizes = {state.name: state.track.numel for state in states}
    stopped = {id(f): sum(sizes.get(name, 0) for name in f.parameters) for f in findings}
    return sorted(findings, key=lambda f: (LEVELS.index(f.level), bool(f.parameters), -stopped[id(f)]))


def _with_brief_path(finding: Finding) -> Finding:
    path = tuple(replace(step, source=_brief(step.source)) if step.source else step for step in finding.path)
    return replace(finding, path=path)


def _met_expectations(states: Sequence[ParameterState], expect: Mapping[str, str]) -> list[ParameterState]:
    said = expected_of(expect, (state.name for state in states))
    return [
        state for state in states if state.verdict != "trained" and said.get(state.name, ("", ""))[1] == state.verdict
    ]


def _limits(judge: Judge) -> list[str]:
    notes = []
    unknown = [state for state in judge.states if state.verdict == "unknown"]
    if unknown:
        notes.append(unsettled_note(len(unknown)))
    if not judge.optimizers_known and any(state.verdict == "trained" for state in judge.states):
        notes.append("No optimizer was given: `trained` means that gradient arrives and an optimizer would update it.")
    if not judge.graph.backwards and judge.graph.losses:
        asked = judge.graph.asked_losses
        found = "what the program asked for its gradient stands" if asked else "scalars that carry gradient stand"
        notes.append(f"No backward was seen; {found} in for the loss.")
    return notes


def _parameter(
    audit: Audit,
    state: ParameterState,
    findings: tuple[Finding, ...],
    optimizers: dict[int, OptimizerReport],
    lives: Lives | None,
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
        norm=state.track.size,
        identity="swapped" if state.swapped else "same",
        reached_in=state.reached_in,
        steps=max(len(facts), len(audit.graph.backwards)),
        findings=own,
        culprit=cause.culprit if cause is not None and state.verdict != "trained" else None,
        path=_path(audit, state, cause) if cause is not None and state.verdict not in ("trained", "frozen") else (),
        module_type=state.module_type,
        frozen_at=state.frozen_at,
        life=lives.of(state, cause if state.verdict != "trained" else None) if lives is not None else (),
    )


def _lives(audit: Audit, optimizers: dict[int, OptimizerReport]) -> Lives:
    return Lives(audit, {index: optimizer.name for index, optimizer in optimizers.items()})


def _path(audit: Audit, state: ParameterState, cause: Finding) -> tuple[PathStep, ...]:
    """The parameter's own way, where it is one of the first of its cause: the cause tells that of one of them."""
    if state.name not in cause.parameters[: min(MAX_PATHS, max(1, MAX_PATH_STEPS // max(1, len(cause.path))))]:
        return ()
    if not cause.path or cause.path[0].kind != "parameter" or cause.path[0].label == state.name:
        return cause.path
    return tuple(replace(step, source=_brief(step.source)) if step.source else step for step in audit.path(state))


def _optimizers(recording: Recording, judge: Judge) -> dict[int, OptimizerReport]:
    by_track = {state.index: state.name for state in judge.states}
    found: dict[int, OptimizerReport] = {}
    taken: set[str] = set()
    for info in recording.optimizers:
        if info.wrapper_of >= 0 and not info.steps:
            continue  # it hands everything to the optimizer inside, which is listed
        name = info.variable or object_name(recording.record.stacks, info.created) or info.name or info.type
        base, number = name, 2
        while name in taken:
            name, number = f"{base}{number}", number + 1
        taken.add(name)
        groups = tuple((rate, tuple(by_track[t] for t in members if t in by_track)) for rate, members in info.groups)
        found[info.index] = OptimizerReport(
            name, info.type, recording.record.stacks.source(info.created), groups, info.steps
        )
    return found


# -- the timeline ------------------------------------------------------------------------------------------------


def _steps(recording: Recording, optimizers: Mapping[int, OptimizerReport], judge: Judge) -> tuple[StepReport, ...]:
    """Events grouped into steps: a step ends when something else than another optimizer's step follows a step.

    Where nothing ever steps, a step ends when another backward follows something else than a backward.
    """
    steps: list[StepReport] = []
    names = _OptimizerNames(recording, optimizers)
    moved = Movements([state.track for state in judge.states], {n: o.name for n, o in optimizers.items()})
    stepping = bool(recording.record.steps())
    current: list[Event] = []
    losses: list[float | None] = []
    stepped = False

    def close(movements: tuple[Movement, ...] = ()) -> None:
        steps.append(StepReport(tuple(current), movements, losses[0] if losses else None))
        current.clear()
        losses.clear()

    for number, event in enumerate(recording.record.events):
        shown = _event(recording, event, names)
        if shown is None:
            continue
        if (
            stepped
            and not isinstance(event, StepEvent | SchedulerStepEvent | ClearEvent)
            and not (isinstance(event, ScalerStepEvent) and not event.skipped)
        ):
            close(moved.between(number))
            stepped = False
        if not stepping and shown.kind == "backward" and _ended(current):
            close()
        if current and (current[-1].kind, current[-1].text, current[-1].source) == (
            shown.kind,
            shown.text,
            shown.source,
        ):
            last = current.pop()
            shown = replace(shown, count=last.count + 1)
        current.append(shown)
        if isinstance(event, BackwardEvent):
            losses.append(_one_nan(event.loss))
        stepped = stepped or isinstance(event, StepEvent)
    if current:
        close(moved.between(len(recording.record.events)))
    return tuple(steps[:MAX_REPORTED_STEPS])


def _one_nan(number: float | None) -> float | None:
    """`number`, and one object for all that are not a number: reports that say the same are then equal."""
    return math.nan if number is not None and math.isnan(number) else number


def _ended(events: Sequence[Event]) -> bool:
    return events[-1:] != [] and events[-1].kind != "backward" and any(event.kind == "backward" for event in events)


def _tensors(tracks: Sized) -> str:
    return f"{len(tracks)} tensor{'s' * (len(tracks) != 1)}"


class _OptimizerNames:
    """How the report calls the optimizers, and which of them an event concerns."""

    def __init__(self, recording: Recording, optimizers: Mapping[int, OptimizerReport]) -> None:
        self._names = {index: report.name for index, report in optimizers.items()}
        self._types = [info.type for info in recording.optimizers]
        self._holders: dict[int, list[int]] = {}
        for index in optimizers:
            for _, members in recording.optimizers[index].groups:
                for track in members:
                    self._holders.setdefault(track, []).append(index)

    def __getitem__(self, index: int) -> str:
        return self._names.get(index) or self._types[index]

    def concerned(self, event: LoopEvent) -> tuple[str, ...]:
        """The optimizers that an event concerns."""
        match event:
            case ClearEvent(optimizer=-1, tracks=tracks) | ClipEvent(tracks=tracks) | BackwardEvent(reached=tracks):
                held = sorted({index for track in tracks for index in self._holders.get(track, ())})
                return tuple(self._names[index] for index in held)
            case GradientEvent():
                return tuple(self._names[index] for index in self._holders.get(event.track, ()))
            case ScalerEvent() | FlagEvent():
                return ()
            case _:
                return (self._names[event.optimizer],) if event.optimizer in self._names else ()


def _event(recording: Recording, event: LoopEvent, names: _OptimizerNames) -> Event | None:
    shown = _shown(event, names)
    if shown is None:
        return None
    source = recording.record.stacks.source(event.stack)
    return Event(*shown, source, optimizers=names.concerned(event))


def _shown(event: LoopEvent, names: _OptimizerNames) -> tuple[str, str] | None:
    """The kind of an event and what happened, in words; None for what is not shown."""
    match event:
        case BackwardEvent(accumulates=True):
            error = f" raises: {event.error.splitlines()[0]}" if event.error else ""
            return "backward", f"backward reaches {_tensors(event.reached)}{error}"
        case StepEvent():
            return "step", f"{names[event.optimizer]}.step"
        case ClearEvent():
            gone = f"gradients of {_tensors(event.tracks)} cleared" if event.tracks else "nothing to clear"
            return "zero_grad", f"{names[event.optimizer] if event.optimizer >= 0 else event.by}: {gone}"
        case OptimizerEvent():
            return "optimizer", f"{names[event.optimizer]} is built"
        case SchedulerEvent():
            return "scheduler", f"{event.scheduler} is built"
        case SchedulerStepEvent():
            return "scheduler", f"{event.scheduler}.step"
        case ClipEvent():
            return "clip", str(event)
        case ScalerEvent():
            return "scaler", "GradScaler is made"
        case ScalerStepEvent():
            return "scaler", "GradScaler skips the step" if event.skipped else "GradScaler.step"
        case GradientEvent():
            return "gradient", "`.grad` is written by hand"
        case BackwardEvent() | GroupEvent() | StepBeginsEvent() | FlagEvent():
            return None


# -- the graph ---------------------------------------------------------------------------------------------------


def _graph_data(
    audit: Audit, optimizers: dict[int, OptimizerReport], traced: Mapping[int, tuple[str, str]]
) -> GraphData:
    """The compact graph of one round of the loop: what belongs to a loss or depends on a parameter."""
    writer = _GraphWriter(audit)
    writer.parameters()
    writer.groups(optimizers)
    writer.operations()
    writer.losses()
    writer.grad_fns()
    return GraphData(
        tuple(writer.modules),
        tuple(writer.sources),
        tuple(writer.nodes),
        tuple(writer.edges),
        tuple(writer.autograd_nodes),
        tuple(writer.autograd_edges),
        tuple(writer.autograd_sequences),
        tuple(writer.autograd_roots),
        writer.traced(traced),
        " ".join(writer.left_out),
        tuple(writer.callers),
        listings(audit.record, writer.stacks),
    )


class _GraphWriter:
    """Turns the record of one round into the boxes and arrows of the pictures."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        self.graph = audit.graph
        self.values = audit.record.values
        self.start, self.end = _window(audit)
        self.modules: list[GraphModule] = []
        self.sources: list[SourceLine] = []
        self.callers: list[int] = []
        self.stacks: dict[int, None] = {}
        self.nodes: list[GraphNode] = []
        self.edges: list[GraphEdge] = []
        self.autograd_nodes: list[tuple[str, int]] = []
        self.autograd_edges: dict[tuple[int, int], None] = {}
        self.autograd_sequences: list[int] = []
        self.autograd_roots: dict[tuple[int, int], None] = {}
        self.left_out: dict[str, None] = {}
        self.module_named: dict[str, int] = {}
        self.buffers: dict[int, list[tuple[str, tuple[int, ...]]]] = {}
        self._module_called: dict[int, int] = {}
        self._list_modules()
        self._source_of: dict[int, int] = {}
        self._parameter: dict[int, int] = {}
        self._op: dict[int, int] = {}
        self._sized: set[tuple[int, str]] = set()
        self._outside: dict[int, int] = {}
        self._loss: dict[int, int] = {}
        self._buffers_drawn: set[str] = set()
        unreachable = [state.index for state in audit.states if state.verdict == "unreachable"]
        self._cuts = {(cut.op, cut.value) for index in unreachable for cut in self.graph.cuts(index)}
        # What becomes of a loss that was read for the log (`total += loss.item()`) is guessed: drawn where it hurts.
        losses = set(self.graph.losses)
        logged = {op.index for op in self.graph.ops if op.detail == "escape" and losses.issuperset(op.inputs)}
        self._guessed = (self.graph.inferred | logged) - {op for op, _ in self._cuts}
        self._dependent = self._downstream(vid for s in audit.states for vid in s.track.values)

    def parameters(self) -> None:
        """A node for every parameter, in the module that holds it."""
        for state in self.audit.states:
            owner = state.name.rpartition(".")[0]
            module = self.module_named.get(owner, self.module_named.get("", -1))
            self._parameter[state.index] = len(self.nodes)
            source = self._source(state.track.created)
            self.nodes.append(GraphNode("parameter", state.name, module, source, state.requires_grad))

    def groups(self, optimizers: dict[int, OptimizerReport]) -> None:
        """A node for every param group, and what it holds."""
        number: dict[tuple[int, int], int] = {}
        for index, optimizer in optimizers.items():
            for group in range(len(optimizer.groups)):
                number[index, group] = len(self.nodes)
                self.nodes.append(GraphNode("group", f"{optimizer.name}[{group}]"))
        for state in self.audit.states:
            for holder in state.held:
                if holder in number:
                    self.edges.append(GraphEdge(number[holder], self._parameter[state.index], "holds"))

    def operations(self) -> None:
        """A node for every operation of the round that concerns the model, with the values it reads."""
        reaching = self.graph.reaching
        for op in self.graph.ops:
            if not self.start <= op.index < self.end:
                continue
            if len(self._op) >= MAX_GRAPH_OPS:
                self.left_out[f"Of the operations only the first {MAX_GRAPH_OPS:,} are kept."] = None
                break
            touched = (*op.inputs, *op.outputs)
            if operations.of(op.name).bookkeeping or not any(
                vid in reaching or vid in self._dependent for vid in touched
            ):
                continue
            if op.module < 0 and not any(vid in self._dependent for vid in touched):
                continue  # it prepares the data: what comes of it is an input
            if op.detail == "escape" and op.index in self._guessed:
                continue
            self._operation(op)

    def losses(self) -> None:
        """A node for every loss; those that one line makes are one."""
        numbers: dict[tuple[int, str], int] = {}
        # What a closure returns to `audit()` is bound by nobody: the statement around it binds the report.
        frames = 3 if self.audit.judge.looped else 1
        for vid in self.graph.losses:
            value = self.values[vid]
            if not self.start <= value.op < self.end:
                continue
            stack = self.audit.record.ops[value.op].stack
            name = variable_name(self.audit.record.stacks, stack, frames) or "loss"
            node = numbers.get((stack, name))
            if node is None:
                node = numbers[stack, name] = len(self.nodes)
                taken = sum(1 for _, known in numbers if known == name)
                shown = name if taken == 1 else f"{name} ({taken})"
                self.nodes.append(GraphNode("loss", shown, -1, -1, value.requires_grad))
            self._loss[vid] = node
            made = self._op.get(value.op)
            if made is not None:
                self.edges.append(GraphEdge(made, node, "data"))
                if value.requires_grad:
                    self.edges.append(GraphEdge(made, node, "grad"))

    def grad_fns(self) -> None:
        """The `grad_fn` graphs of the round's backwards as one; a node that two of them share stands once."""
        finder = OpsBySequence(self.audit.record.ops)
        number: dict[tuple[str, int, int, int], int] = {}
        for event in self.graph.backwards:
            graph = event.grad_fns
            if not self.start < event.time <= self.end:
                continue
            if graph is None or len(number) + len(graph.nodes) > MAX_GRAPH_OPS:
                self.left_out["The `grad_fn`s of at least one backward were too many to be kept."] = None
                continue
            own: list[int] = []
            taken: Counter[tuple[str, int, int]] = Counter()
            for node, (name, sequence) in enumerate(graph.nodes):
                track = graph.leaves.get(node, -1)
                # Threads count for themselves: two nodes of one graph may bear one name and one number.
                key = (name, sequence, track, taken[name, sequence, track])
                taken[name, sequence, track] += 1
                if key not in number:
                    number[key] = len(number)
                    made = self._parameter.get(track, -1) if track >= 0 else self._op.get(finder.find(sequence), -1)
                    self.autograd_nodes.append((name, made))
                    self.autograd_sequences.append(sequence)
                own.append(number[key])
            self.autograd_edges.update(((own[below], own[above]), None) for above, below in graph.edges)
            below_others = {below for _, below in graph.edges}
            for node in range(len(own)):
                if node not in below_others:
                    self.autograd_roots.update(
                        ((own[node], loss), None) for loss in self._losses_of(event, self.autograd_nodes[own[node]][1])
                    )

    def _losses_of(self, event: BackwardEvent, made: int) -> list[int]:
        """The nodes of the losses at which `event` begins: of several, those that the operation `made` has made."""
        known = [vid for vid in event.roots if vid in self._loss]
        own = [vid for vid in known if self._op.get(self.values[vid].op, -1) == made]
        return list(dict.fromkeys(self._loss[vid] for vid in own or known)) or [-1]

    def traced(self, nodes: Mapping[int, tuple[str, str]]) -> tuple[tuple[str, str, int], ...]:
        """The nodes of the symbolic trace whose operations are drawn."""
        return tuple((*named, self._op[op]) for op, named in nodes.items() if op in self._op)

    def _operation(self, op: Op) -> None:
        carries = any(self.values[out].requires_grad and not self.values[out].leaf for out in op.outputs)
        node = self._op[op.index] = len(self.nodes)
        self.stacks[op.stack] = None
        shape, floating = self._made(op)
        source, size = self._source(op.stack, called=True), self._size(op) if shape is not None else None
        self.nodes.append(GraphNode("op", op.name, self._module_of(op), source, carries, shape, floating, size))
        for vid in op.inputs:
            origin = self._origin(vid, op)
            if origin in (-1, node):
                continue
            self.edges.append(GraphEdge(origin, node, "data", (op.index, vid) in self._cuts))
            if any(self.graph.carries(self.values[vid], self.values[out]) for out in op.outputs):
                self.edges.append(GraphEdge(origin, node, "grad"))
        for escape in self.graph.python_inputs(op):
            if escape in self._op and escape not in self._guessed:
                self.edges.append(GraphEdge(self._op[escape], node, "python"))

    def _size(self, op: Op) -> Size | None:
        """How large the numbers were that the line makes by such an operation; told once for each."""
        key = (op.stack, op.name)
        size = self.audit.record.sizes.get(op.stack, {}).get(op.name)
        if size is None or key in self._sized:
            return None
        self._sized.add(key)
        low, mean, high = (None if number is None else float(f"{number:.3g}") for number in size)
        if mean and low is not None and high is not None and abs(mean) < NOTHING * max(abs(low), abs(high)):
            mean = 0.0  # what rounding leaves of a mean that is zero
        return low, mean, high

    def _made(self, op: Op) -> tuple[tuple[int, ...] | None, bool]:
        """The shape of what an operation makes, where that is one tensor, and whether any of it is floating."""
        made = [self.values[vid] for vid in op.outputs]
        return (tuple(made[0].shape) if len(made) == 1 else None), any(value.floating for value in made) or not made

    def _downstream(self, start: Iterable[int]) -> set[int]:
        """All values that depend on any of `start`, guesses left out."""
        seen = set(start)
        queue = list(seen)
        while queue:
            for op in self.graph.consumers.get(queue.pop(), ()):
                users = self.graph.python_consumers.get(op.index, ()) if op.index not in self._guessed else ()
                for out in (*op.outputs, *(out for user in users for out in user.outputs)):
                    if out not in seen:
                        seen.add(out)
                        queue.append(out)
        return seen

    def _origin(self, vid: int, op: Op) -> int:
        """The node that a value comes from; -1 for a value of this round whose maker is not drawn."""
        value = self.values[vid]
        if value.track in self._parameter:
            return self._parameter[value.track]
        if value.op in self._op:
            return self._op[value.op]
        if self.start <= value.op and vid in self._dependent:
            return -1
        if vid not in self._outside:
            module = self._module_of(op)
            fitting = [name for name, shape in self.buffers.get(module, ()) if shape == value.shape]
            self._outside[vid] = len(self.nodes)
            if fitting and not value.requires_grad:
                # Equal ones (running mean and variance) are read in the order in which they are registered.
                name = next((name for name in fitting if name not in self._buffers_drawn), fitting[0])
                self._buffers_drawn.add(name)
                self.nodes.append(GraphNode("buffer", name, module))
            else:
                name = self._input_name(value, op)
                self.nodes.append(
                    GraphNode("input", name, -1, -1, value.requires_grad, tuple(value.shape), value.floating)
                )
        return self._outside[vid]

    def _module_of(self, op: Op) -> int:
        """The innermost module of the model in whose call `op` ran; what is called outside the model has none."""
        calls = self.audit.record.calls
        call = op.module
        while call >= 0 and calls[call].module not in self._module_called:
            call = calls[call].parent
        return self._module_called[calls[call].module] if call >= 0 else -1

    def _input_name(self, value: Value, reader: Op) -> str:
        """The variable that the program keeps an input in, where its making was seen."""
        stacks = self.audit.record.stacks
        stack = self.audit.record.ops[value.op].stack if value.op >= 0 else -1
        if stack < 0:
            return "input"
        here = (stacks.file(stack), stacks.line(stack))
        if here in {(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(reader.stack)}:
            return "input"  # what the line binds is made of what the reader makes of it
        binding = binding_of(stacks.file(stack), stacks.line(stack), stacks.column(stack))
        # A line that binds several names does not say which of them this is.
        return binding.names[0] if binding.kind == "assigned" and len(binding.names) == 1 else "input"

    def _list_modules(self) -> None:
        known: dict[tuple[int, str], int] = {}
        for model in self.audit.recording.models:
            for name, info in self.audit.recording.below(model.root):
                parent = known.get((model.root.index, name.rpartition(".")[0]), -1) if name else -1
                full = (model.prefix + name).rstrip(".")
                known[model.root.index, name] = self.module_named[full] = len(self.modules)
                self._module_called.setdefault(info.index, len(self.modules))
                own = info.buffers.items()
                self.buffers[len(self.modules)] = [(f"{full}.{buffer}".lstrip("."), shape) for buffer, shape in own]
                self.modules.append(GraphModule(full, info.type, parent, info.calls > 0))

    def _source(self, stack: int, *, called: bool = False) -> int:
        """The index of a line, with the lines that called its function where `called`."""
        if stack >= 0 and (stack not in self._source_of or called):
            stacks = self.audit.record.stacks
            found = stacks.source(stack)
            above = stacks.chain(stack)[1 : 1 + len(found.frames)] if found is not None and called else []
            caller = -1
            for frame in (*reversed(above), stack):
                source = stacks.source(frame) if frame not in self._source_of else None
                if source is not None:
                    self._source_of[frame] = len(self.sources)
                    self.sources.append(replace(_brief(source), columns=source.columns))
                    self.callers.append(caller)
                caller = self._source_of.get(frame, -1)
        return self._source_of.get(stack, -1)


def _brief(source: SourceLine) -> SourceLine:
    """The line without what stands around it: pictures show no more of it, and there are thousands."""
    return SourceLine(source.file, source.line, source.function, source.code, library=source.library)


def _window(audit: Audit) -> tuple[int, int]:
    """The operations of one round of the loop: up to the last backward before every optimizer has stepped once."""
    record = audit.record
    stepping = {event.optimizer for event in record.steps()}
    rounds: list[tuple[int, int]] = []
    start = last = 0
    missing = set(stepping)
    for event in record.events:
        if isinstance(event, BackwardEvent) and event.accumulates:
            last = event.time
        elif isinstance(event, StepEvent):
            missing.discard(event.optimizer)
            if last > start and not missing:
                rounds.append((start, last))
                start, missing = event.time, set(stepping)
    if last > start and not (rounds and missing):
        rounds.append((start, last))
    if not rounds:
        return 0, len(record.ops)
    if len(rounds) > 1:
        # The first round shows construction and data preparation, too; a later one is cleaner.
        return rounds[1]
    first, end = rounds[0]
    return next((op.index for op in record.ops if op.module >= 0), first), end
