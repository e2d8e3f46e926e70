"""From an audit to its report: everything that renderers need, and nothing alive."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from fxaudit.answer.answer import (
    Answer,
    Change,
    Gradient,
    Holder,
    OptimizerReport,
    ParameterReport,
    RuleInfo,
    SymbolicReport,
)
from fxaudit.answer.finding import LEVELS, Finding, PathStep
from fxaudit.answer.late import LateGraphData, LateReports
from fxaudit.answer.picture_data import GraphData
from fxaudit.answer.summary import unsettled_note
from fxaudit.attempts import attempt, attempted
from fxaudit.capture.collector import collector_paused
from fxaudit.capture.frozen import Recording
from fxaudit.judge.expectations import expected_of
from fxaudit.judge.graph_data import graph_data
from fxaudit.judge.life import Lives
from fxaudit.judge.questions.base_order import with_bases_to_turn
from fxaudit.judge.questions.by_choice import as_it_is_set
from fxaudit.judge.questions.chosen_calls import with_chosen_call
from fxaudit.judge.questions.emptied_loaders import with_emptied_loader
from fxaudit.judge.questions.freezing import settle_frozen
from fxaudit.judge.questions.groups_left_out import with_groups_left_out
from fxaudit.judge.questions.identity_tests import with_identity_test
from fxaudit.judge.questions.left_in_evaluation import with_line_that_left_evaluation
from fxaudit.judge.questions.lookups import with_failed_lookup
from fxaudit.judge.questions.misnamed import with_misnamed_override
from fxaudit.judge.questions.name_tests import with_name_in_vain
from fxaudit.judge.questions.registered_twice import with_shadowed_registration
from fxaudit.judge.questions.set_otherwise import with_setting_to_change
from fxaudit.judge.questions.short_loops import with_short_loop
from fxaudit.judge.questions.short_zips import with_short_zip
from fxaudit.judge.questions.starved import settle_starved
from fxaudit.judge.questions.switched_cuts import with_switched_cut
from fxaudit.judge.questions.text_flags import with_text_flag
from fxaudit.judge.questions.yaml_words import with_boolean_word
from fxaudit.judge.rule import Audit, Rule
from fxaudit.judge.rules import RULES
from fxaudit.judge.timeline import steps_of
from fxaudit.judge.verdict import Judge, ParameterState
from fxaudit.program.bindings import object_name
from fxaudit.program.source import Moment, SourceLine, held_texts

__all__ = ["Options", "judged", "report_on", "rule_info", "unjudged_report"]

BEHIND: tuple[tuple[str, Callable[[Audit, Finding], Finding]], ...] = (
    ("a misspelt method", with_misnamed_override),
    ("bases in another order", with_bases_to_turn),
    ("a failed lookup", with_failed_lookup),
    ("a text taken for a flag", with_text_flag),
    ("a name taken twice", with_shadowed_registration),
    ("a name in vain", with_name_in_vain),
    ("a word that YAML reads otherwise", with_boolean_word),
    ("a zip that ends early", with_short_zip),
    ("groups without a rate", with_groups_left_out),
    ("a flag that ends gradient", with_switched_cut),
    ("evaluation mode in training", with_line_that_left_evaluation),
    ("a function that a setting chose", with_chosen_call),
    ("a test that never holds", with_identity_test),
    ("a loader without a batch", with_emptied_loader),
    ("a loop that ends early", with_short_loop),
    ("a setting to change", with_setting_to_change),
    ("what is set so on purpose", as_it_is_set),
)
"""What may lie behind the line that a rule blames: each gives the finding, with another line where it knows one."""
MAX_PATHS = 50
MAX_PATH_STEPS = 2_000
"""So many parameters of a finding have their own path in the report, of so many steps together."""


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
    by_name = {state.name: state for state in judge.states}

    def details(name: str, failures: list[str]) -> ParameterReport:
        state = by_name[name]
        little = ParameterReport(name, state.verdict, state.reason)
        make = partial(_parameter, audit, state, findings, optimizers, lives)
        return attempt(f"the details of {name}", make, little, failures)

    def graph(failures: list[str]) -> GraphData:
        make = partial(graph_data, audit, optimizers, options.traced)
        return attempt("the graph", make, GraphData(), failures)

    parameters: Mapping[str, ParameterReport]
    if findings or any(state.verdict not in ("trained", "frozen") for state in judge.states):
        parameters, drawn = {name: details(name, notes) for name in by_name}, graph(notes)
    else:  # hardly anybody looks closer at what is well
        moment = Moment({code.co_filename for code in recording.record.stacks.codes})
        parameters, drawn = LateReports([*by_name], partial(_later, moment, details)), _later_drawn(moment, graph)
    return Answer(
        parameters=parameters,
        findings=findings,
        optimizers=tuple(optimizers.values()),
        steps=attempt("the loop", lambda: steps_of(recording, optimizers, judge), (), notes),
        symbolic=SymbolicReport(*options.symbolic),  # type: ignore[arg-type]
        graph_data=drawn,
        rules=tuple(rule_info(rule) for rule in options.rules if any(f.code == rule.code for f in findings)),
        environment=dict(recording.environment),
        notes=(*recording.notes, *notes, *limits),
        title=recording.title,
        audited=audited,
    )


def _later(moment: Moment, details: Callable[[str, list[str]], ParameterReport], name: str) -> ParameterReport:
    failures: list[str] = []
    with moment.again():
        report = details(name, failures)
    return replace(report, reason=" ".join((f"{report.reason}.", *failures))) if failures else report


def _later_drawn(moment: Moment, graph: Callable[[list[str]], GraphData]) -> GraphData:
    def draw() -> GraphData:
        failures: list[str] = []
        with moment.again(), collector_paused():
            drawn = graph(failures)
        return replace(drawn, left_out=" ".join(failures)) if failures else drawn

    return LateGraphData.of(draw)


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
    path = tuple(replace(step, source=step.source.brief()) if step.source else step for step in finding.path)
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
    return tuple(replace(step, source=step.source.brief()) if step.source else step for step in audit.path(state))


def _optimizers(recording: Recording, judge: Judge) -> dict[int, OptimizerReport]:
    by_track = {state.index: state.name for state in judge.states}
    found: dict[int, OptimizerReport] = {}
    taken: set[str] = set()
    for info in recording.optimizers:
        if info.wrapper_of >= 0 and not info.steps:
            continue  # it hands everything to the optimizer inside, which is listed
        bound = object_name(recording.record.stacks, info.created)
        is_part = bool(bound) and info.name.startswith(f"{bound}[")
        name = info.variable or (info.name if is_part else bound) or info.name or info.type
        base, number = name, 2
        while name in taken:
            name, number = f"{base}{number}", number + 1
        taken.add(name)
        groups = tuple((rate, tuple(by_track[t] for t in members if t in by_track)) for rate, members in info.groups)
        found[info.index] = OptimizerReport(
            name, info.type, recording.record.stacks.source(info.created), groups, info.steps
        )
    return found
