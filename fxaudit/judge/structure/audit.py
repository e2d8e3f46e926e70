"""An audit without execution: the symbolic trace judges structure alone.

Each model is traced, the trace is written down as if it had been recorded, and the verdicts are read off it. From there
on everything is as in a recorded audit: the same graph, the same rules, the same report.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Finding
from fxaudit.capture.freeze import freeze
from fxaudit.capture.frozen import Mode
from fxaudit.capture.naming import ModelName
from fxaudit.capture.recording import LiveRecord
from fxaudit.capture.session import Session, active_session
from fxaudit.capture.symbolic.trace import SymbolicTrace, trace
from fxaudit.capture.watch.optimizers import note_construction
from fxaudit.errors import InvalidModelError
from fxaudit.judge.rule import Audit, Rule
from fxaudit.judge.structure.transcript import TraceStacks
from fxaudit.judge.structure.verdict import TracedJudge, written_down
from fxaudit.judge.write_up import Options, report_on
from fxaudit.program.source import SourceLine

if TYPE_CHECKING:
    from torch import nn

__all__ = ["symbolic_report"]


def symbolic_report(
    named: Sequence[tuple[str, nn.Module]],
    optimizers: Sequence[Any],
    expect: Mapping[str, str],
    rules: Sequence[type[Rule]],
) -> Answer:
    """The report of `audit(model)`: what the structure of the models says, with their outputs in place of a loss.

    Nothing is executed, so that data, devices and sizes do not matter, and nothing of the models changes.

    Args:
        named: The models with their names; one model alone needs none.
        optimizers: The optimizers, or nothing; then every parameter that requires grad is taken as meant to train.
        expect: Name patterns and the verdicts expected of what they match.
        rules: The rules to ask. Those about the loop and about gradient values have nothing to say.

    Returns:
        The report. What the trace could not settle is `unknown`, with the reason.

    Raises:
        InvalidModelError: There is no parameter, registered or not.
    """
    with _without_recording():
        session = _session()
        models = _models(session, named, optimizers)
        traces = [trace(module) for _, module in named]
        written = written_down(session, models, traces)
        recording = freeze(
            session, models, Mode("structure", optimizers_known=bool(optimizers)), type(named[0][1]).__name__
        )
        judge = TracedJudge(recording, written)
        judge.judge()
        if not judge.states:
            raise InvalidModelError(
                f"`model` is {_described(named)} without any parameter. Expected: a module with parameters to train."
            )
        status = _status(traces)
        options = Options(
            expect=expect,
            rules=[rule for rule in rules if not rule.needs_a_run],
            symbolic=status,
        )
        return report_on(
            _TracedAudit(judge, status, expect),
            options,
            _limits(judge, traces),
            audited=any(state.verdict != "unknown" for state in judge.states),
            adjusted=lambda finding, rule: _softened(finding, rule, judge),
        )


class _TracedAudit(Audit):
    """An audit whose optimizers may be unknown: then nothing speaks against holding what requires grad."""

    def is_held(self, states: Any) -> bool:
        """Whether an optimizer holds any of the parameters, or may hold them."""
        return not self.judge.optimizers_known or super().is_held(states)


@contextlib.contextmanager
def _without_recording() -> Iterator[None]:
    """A watch that is going on does not see the trace."""
    active = active_session()
    if active is None:
        yield
        return
    before = active.recorder.paused
    active.recorder.paused = True
    try:
        yield
    finally:
        active.recorder.paused = before


def _session() -> Session:
    """A session for the trace, which knows where things were made if a watch is going on."""
    session = Session()
    active = active_session()
    session.record = LiveRecord(stacks=TraceStacks(active.record.stacks if active is not None else None))
    session.recorder = type(session.recorder)(session.record)
    if active is not None:
        session.record.tracks = [
            replace(track, values=[], facts=[], hand_updates=0, hand_gradient=False) for track in active.record.tracks
        ]
        session.recorder._tracks = dict(active.recorder._tracks)
        session.modules = [replace(info, calls=0) for info in active.modules]
        session._by_id = dict(active._by_id)
        session.names, session.owners = dict(active.names), dict(active.owners)
        session.variables = dict(active.variables)
    return session


def _models(session: Session, named: Sequence[tuple[str, nn.Module]], optimizers: Sequence[Any]) -> list[ModelName]:
    """The models and optimizers, made known to the session."""
    models = []
    for name, module in named:
        info = session.module_info(module)
        models.append(ModelName(info, module, "" if len(named) == 1 else f"{name}."))
        session.note_names(info, module)
    active = active_session()
    for optimizer in optimizers:
        built = active._optimizer_by_id.get(id(optimizer)) if active is not None else None
        if active is None or built is None:
            note_construction(session, optimizer, -1)
            continue
        info_then = active.optimizers[built]
        session.optimizers.append(replace(info_then, index=len(session.optimizers), wrapper_of=-1))
        session._optimizer_by_id[id(optimizer)] = len(session.optimizers) - 1
        session.look_at_groups(session.optimizers[-1], optimizer)
    session.record.events.clear()
    return models


def _status(traces: Sequence[SymbolicTrace]) -> tuple[str, str, SourceLine | None]:
    stopped = next((found for found in traces if found.status == "stopped"), None)
    return ("stopped", stopped.reason, stopped.source) if stopped is not None else ("traced", "", None)


def _limits(judge: TracedJudge, traces: Sequence[SymbolicTrace]) -> list[str]:
    """What could not be seen, in sentences."""
    notes = ["Nothing was executed: the structure was traced, with the model's outputs in place of a loss."]
    for op in [op for found in traces for op in found.opaque][:5]:
        where = f" ({op.source})" if op.source is not None else ""
        notes.append(f"`{op.target}` could not be followed: {op.reason}{where}.")
    unknown = sum(1 for state in judge.states if state.verdict == "unknown")
    if unknown:
        parameters = "1 parameter" if unknown == 1 else f"{unknown} parameters"
        notes.append(f"{parameters} could not be settled; the reason stands with each.")
    if not judge.optimizers_known:
        notes.append("No optimizer was given: `trained` means that gradient can arrive and an optimizer would use it.")
    return notes


def _softened(finding: Finding, rule: type[Rule], judge: TracedJudge) -> Finding:
    """The finding with no louder level, and no larger claim, than structure alone bears out."""
    verdicts = {state.verdict for state in judge.states if state.name in finding.parameters}
    match finding.code:
        case "FXA303" if not any(state.verdict == "excluded" for state in judge.states):
            message = finding.message.replace(", which no model has and no loss reaches", ", which is not in the model")
            return replace(finding, level="note", message=message)
        case "FXA601" | "FXA602" if verdicts == {"unknown"}:
            return replace(finding, level="note")
        case _ if rule.may_be_meant and not judge.optimizers_known and finding.level == "error":
            return replace(finding, level="warning")
    return finding


def _described(named: Sequence[tuple[str, nn.Module]]) -> str:
    if len(named) == 1:
        return f"a {type(named[0][1]).__name__}"
    return "a dict of modules"
