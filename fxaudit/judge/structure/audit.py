"""An audit without execution: the verdicts are read off a symbolic trace that was written down as if recorded.

From there on everything is as in a recorded audit: the same graph, the same rules, the same report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Finding
from fxaudit.capture.frozen import Recording
from fxaudit.capture.symbolic.trace import SymbolicTrace
from fxaudit.capture.symbolic.transcript import Written
from fxaudit.judge.rule import Audit, Rule
from fxaudit.judge.structure.verdict import TracedJudge
from fxaudit.judge.write_up import Options, report_on
from fxaudit.program.source import SourceLine

__all__ = ["judged_structure"]


def judged_structure(recording: Recording, written: Sequence[Written], options: Options) -> Answer:
    """What the structure of the models says, with their outputs in place of a loss; no parameter where there is
    none."""
    judge = TracedJudge(recording, written)
    judge.judge()
    traces = [one.found for one in written]
    nodes = {op: node for one in written for op, node in one.nodes.items()}
    rules = [rule for rule in options.rules if not rule.needs_a_run]
    options = replace(options, rules=rules, symbolic=_status(traces), traced=nodes)
    return report_on(
        _TracedAudit(judge, options.symbolic, options.expect),
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

    def _is_trained_by_the_user(self) -> bool:
        """Nothing ran: who asks about the structure is who trains it."""
        return True


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
