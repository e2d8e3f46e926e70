"""FXA502."""

from __future__ import annotations

import math
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import BackwardEvent, ClipEvent, ScalerStepEvent
from fxaudit.capture.frozen import Flows
from fxaudit.capture.recording import Fact, StepFact
from fxaudit.judge.questions.births import born_at, number_born, zero_addend_born
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import why_never_called
from fxaudit.judge.vanishing import nonfinite_fact, nonfinite_origin, zero_value_origin
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.birth import Birth
from fxaudit.program.source import SourceLine

__all__ = ["NonFiniteGradient"]

MAX_BEHIND = 16
"""So many operations are gone back from a softmax to what fills with -inf."""
HALF = (
    "Keep the parameters in float32, and compute in half precision under `torch.autocast`: in float16 an `eps` of 1e-8 "
    "is 0, and the optimizer divides by it. Or set `eps=1e-4`."
)
LARGE = "Lower the learning rate, or look at what the optimizer divides by."
HUGE = 1e30
"""A number that is larger leaves little room for a product with it."""


class NonFiniteGradient(Rule):
    """The gradient is NaN or infinite.

    A step with it destroys the parameter, or is skipped by whoever checks: one bad step is enough. The culprit is the
    first operation that made a number that is not finite, or the step itself, where every gradient was finite.
    """

    code, name, level = "FXA502", "non-finite-gradient", "error"
    needs_a_run = True
    fix = "Keep the operation away from its singularity: add an epsilon, clamp its input, or use the stable form."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for the first operation that gives something non-finite."""
        left_out = not audit.graph.backwards and audit.graph.is_spoilt
        arrived = "none" if left_out else "nonfinite"
        states = [s for s in audit.unexplained("blocked", "unknown") if s.arrived == arrived]
        if audit.graph.is_spoilt and not left_out:  # a NaN may come from nothing that counts, and with it zeros
            states += [s for s in audit.unexplained("blocked") if s.held and not s.facts and s not in states]
        if not states:
            return
        states += [s for s in audit.unexplained("blocked") if s not in states and audit.is_skipped_for_nan(s)]
        step = _spoiling_step(states)
        if step is not None:
            yield self._by_step(audit, states, step)
            return
        spread = _spreads(audit, states)
        states += [s for s in audit.unexplained("blocked") if spread and s not in states and s.index in spread.tracks]
        huge: Birth | None = None
        nothing: Birth | None = None
        behind: list[tuple[SourceLine | None, str]] = []
        culprit, words, zero, culprit_op = None, "it was not seen where that begins", None, -1
        why: Fact | None = None
        skipped = _half_seen(audit)
        # The first, if it was seen whole, else the next one: but after a step with NaN everything else is NaN, too.
        stepped = [step.time for step in audit.record.steps()]
        since = -1
        probes: list[tuple[int, Flows | None]] = [
            (audit.record.events[probe.event].time - 1, probe) for probe in audit.recording.probes
        ]
        for time, probe in probes or [(audit.record.time - 1, None)]:
            if culprit is not None and any(since < step <= time for step in stepped):
                break
            if time in skipped:
                continue
            index, phase, is_sure = nonfinite_origin(audit.record, probe, time, skipped)
            if index >= 0 and (is_sure or culprit is None):
                culprit, since, culprit_op = audit.op_source(index), time, index
                zero = audit.op_source(_zero_behind(audit, index))
                huge = number_born(audit.record, audit.record.ops[index].stack, lambda value: abs(value) > HUGE)
                nothing = zero_addend_born(audit.record, audit.record.ops[index].stack)
                name = audit.record.ops[index].name
                words = f"`{name}` gives it" + (" in backward" if phase == "backward" else "")
                why = nonfinite_fact(audit.record, probe, index)
                why = why.of(name) if why is not None else None
            if is_sure:
                break
        masked = _masked_at(audit, culprit_op) if why is not None and why.masked else None
        if masked is not None:
            behind, culprit = [(culprit, "applied here")], masked
        elif huge is not None:
            line, stations = born_at(huge)
            behind, culprit = [(culprit, "multiplied with it here"), *stations], line
        elif nothing is not None:
            line, stations = born_at(nothing)
            behind, culprit = [(culprit, "this 0 is added here, and keeps nothing away from it"), *stations], line
        backwards = [e for e in audit.graph.backwards if states[0].index in e.arrived]
        backward = audit.source(backwards[-1].stack) if backwards else None
        is_finite = not any(state.arrived == "nonfinite" for state in states)
        what = "loss behind" if left_out or is_finite else "gradient of"
        scaled = [e for e in audit.record.events if isinstance(e, ScalerStepEvent) and e.skipped]
        skip: list[tuple[SourceLine | None, str]] = [
            *((audit.source(event.stack), "the gradient scaler skips this step") for event in scaled[-1:]),
            *why_never_called(audit.record, "backward" if left_out else "step")[: 0 if scaled else 1],
        ]
        yield self.finding(
            audit,
            states,
            f"the {what} {audit.names(states)} is not finite: {why.sentence if why is not None else words}",
            culprit or backward,
            related=[
                *behind,
                (zero, "a zero that it got comes from here"),
                *(() if any(s.facts for s in states) else skip),
                (backward, "it arrives with this backward"),
                *([(audit.source(spread.stack), f"`{spread}` spreads it to all others")] if spread else ()),
            ],
            fix=why.help if why is not None else None,
            fact=why.sentence if why is not None else None,
        )

    def _by_step(self, audit: Audit, states: list[ParameterState], fact: StepFact) -> Finding:
        """The finding on a step that makes numbers of a finite gradient that are not finite."""
        info = audit.recording.optimizers[fact.optimizer]
        is_half = all(state.track.dtype == "float16" for state in states if state.spoiling is fact)
        divides = "eps" in info.defaults
        what = "NaN" if math.isnan(fact.change) else "infinite numbers"
        return self.finding(
            audit,
            states,
            f"a step of `{info.type}` makes {what} of {audit.names(states)}, though the gradients are finite",
            audit.source(info.created),
            related=[(audit.source(audit.record.events[fact.event].stack), "stepped here")],
            fix=HALF if is_half and divides else LARGE,
        )

    @staticmethod
    def bad() -> Example:
        """The length of a vector that is 0, for a row of padding."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 3, bias=False), torch.randn(8, 4)
        x[0] = 0.0
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def loss() -> torch.Tensor:
            squares = model(x).square().sum(-1)
            length = torch.sqrt(squares)  # FXA502
            return (length - 1).square().mean()

        return Example(model, loss, optimizer)

    @staticmethod
    def good() -> Example:
        """An epsilon keeps the root away from 0."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 3, bias=False), torch.randn(8, 4)
        x[0] = 0.0
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def loss() -> torch.Tensor:
            squares = model(x).square().sum(-1)
            length = torch.sqrt(squares + 1e-6)
            return (length - 1).square().mean()

        return Example(model, loss, optimizer)


def _spoiling_step(states: list[ParameterState]) -> StepFact | None:
    """The first step that made a value that is not finite, where every gradient was finite until then."""
    spoiling = [fact for state in states if (fact := state.spoiling) is not None]
    first = min(spoiling, key=lambda fact: fact.event, default=None)
    if first is None:
        return None
    before = (fact for state in states for fact in state.facts if fact.event <= first.event)
    return first if all(fact.gradient != "nonfinite" for fact in before) else None


def _masked_at(audit: Audit, index: int) -> SourceLine | None:
    """The operation nearest behind a softmax that fills with -inf."""
    record = audit.record
    waiting = [index]
    for number in waiting:
        if -math.inf in record.ops[number].numbers:
            return audit.op_source(number)
        made = [record.values[vid].op for vid in record.ops[number].inputs]
        waiting += [op for op in made if op >= 0 and op not in waiting and len(waiting) < MAX_BEHIND]
    return None


def _spreads(audit: Audit, states: list[ParameterState]) -> ClipEvent | None:
    """The clipping by a norm that is NaN because of the first gradients that are, and that takes others along."""
    wanted = {state.index for state in states}
    own: set[int] = set()
    for event in audit.record.events:
        if isinstance(event, BackwardEvent) and not own:
            own = {track for track, (state, _) in event.arrived.items() if state == "nonfinite"} & wanted
        if isinstance(event, ClipEvent) and event.norm is not None and math.isnan(event.norm) and own & event.tracks:
            return event if event.tracks - own else None
    return None


def _half_seen(audit: Audit) -> range:
    """The operations of a first round of which only what was still alive was looked at, if the same round was run again
    and seen as a whole: `audit()` rehearses, a loop goes on with what is NaN by then."""
    record, recording = audit.record, audit.recording
    glances = recording.glances
    if audit.judge.looped or not glances or all(probe.event in glances for probe in recording.probes):
        return range(0)
    started = record.calls[0].time if record.calls else 0
    return range(started, record.events[max(glances)].time)


def _zero_behind(audit: Audit, index: int) -> int:
    """The operation that made the zeros which the one at `index` divides by, or takes the root or logarithm of."""
    record = audit.record
    op = record.ops[index]
    zeros = [vid for vid in op.inputs if record.values[vid].zero is True and record.values[vid].numel > 0]
    return zero_value_origin(record, zeros[-1])[0] if zeros else -1
