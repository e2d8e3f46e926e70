"""FXA407."""

from __future__ import annotations

import math
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import ClipEvent, GradientEvent
from fxaudit.judge.questions.births import born_at, zero_argument_born
from fxaudit.judge.questions.limits_off import off_taken_for_on
from fxaudit.judge.questions.own_steps import Idle, idle_step
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.births import Births
from fxaudit.program.groups import restraints_given
from fxaudit.program.source import SourceLine

__all__ = ["NoValueChanged"]


class NoValueChanged(Rule):
    """The optimizer steps with a gradient, yet the value does not change.

    Something between `backward` and the value stops the update: clipping to nothing, an optimizer that writes somewhere
    else, a mask over the gradient.
    """

    code, name, level = "FXA407", "no-value-changed", "error"
    needs_a_run = True
    fix = "Look at what happens to the gradient between `backward` and `step`, and at what the optimizer writes to."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each step that changes nothing."""
        groups: dict[int, list[ParameterState]] = {}
        for state in audit.unexplained("blocked"):
            if state.facts and state.arrived == "finite":
                groups.setdefault(audit.record.events[state.facts[-1].event].stack, []).append(state)
        for stack, states in groups.items():
            spoilt = any(f.gradient == "nonfinite" for s in states for f in s.facts)
            zeroed = all(f.gradient in ("zero", "nonfinite") for s in states for f in s.facts)
            tracks = {s.index for s in states}
            clips = [e for e in audit.record.events if isinstance(e, ClipEvent) and tracks & e.tracks]
            built = audit.source(audit.recording.optimizers[states[0].facts[-1].optimizer].created)
            # `audit()` takes the steps itself: no line of the program does.
            step = (audit.source(stack) if audit.judge.looped else None) or built
            writer = _gradient_writer(audit, states[0]) if zeroed else None
            if zeroed and clips:
                yield self._clipped(audit, states, clips, step, spoilt)
            elif writer is not None:
                born = zero_argument_born(audit.record, writer)
                line, stations = born_at(born) if born is not None else (None, [])
                here = [(audit.source(writer), "overwritten here")] if line is not None else []
                yield self.finding(
                    audit,
                    states,
                    f"the gradient of {audit.names(states)} is overwritten before the step",
                    line or audit.source(writer),
                    related=[*here, *stations, (step, "the step that has no effect")],
                    fix="Leave `.grad` alone between `backward()` and `step()`.",
                )
            else:
                yield from self._unmoved(audit, states, step, built)

    def _unmoved(
        self, audit: Audit, states: list[ParameterState], step: SourceLine | None, built: SourceLine | None
    ) -> Iterator[Finding]:
        """One finding for each line of an optimizer's step that comes to nothing, and one for what no line explains."""
        groups: dict[tuple[str, int, str] | None, tuple[Idle | None, list[ParameterState]]] = {}
        for state in states:
            own = idle_step(audit, state)
            key = (own.culprit.file, own.culprit.line, own.words) if own is not None else None
            groups.setdefault(key, (own, []))[1].append(state)
        for own, members in groups.values():
            names = audit.names(members)
            if own is None:
                message = f"the step leaves {names} unchanged, in spite of a gradient"
                given = _restraints(audit, built) if built is not None else []
                if given:
                    what = " and ".join(f"`{option}`" for option in given)
                    related, fix = [(step, "the step that has no effect")], f"Look at {what}: leave the defaults."
                    yield self.finding(audit, members, f"{message}: see {what}", built, related=related, fix=fix)
                    continue
                yield self.finding(audit, members, message, step, related=[(built, "the optimizer is built here")])
                continue
            yield self.finding(
                audit,
                members,
                own.words.replace("{}", names, 1),
                own.culprit,
                related=[*own.related[:2], (step, "stepped here"), (built, "the optimizer is built here")],
                fix=own.fix,
            )

    def _clipped(
        self, audit: Audit, states: list[ParameterState], clips: list[ClipEvent], step: SourceLine | None, spoilt: bool
    ) -> Finding:
        """The finding on a clip that leaves nothing of the gradient, or makes it NaN."""
        names = audit.names(states)
        endless = next((c for c in reversed(clips) if c.norm is not None and not math.isfinite(c.norm)), None)
        to_zero = next((c for c in reversed(clips) if c.bound.strip("0") in ("", ".")), None)
        clip = endless or to_zero or clips[-1]
        message = f"`{clip}` clips the gradient of {names} to nothing"
        fix = "Clip to a norm above 0."
        if endless is not None:
            what = "which makes it NaN" if spoilt else "which leaves nothing of it"
            message = f"`{clip}` divides the gradient of {names} by {endless.norm}, {what}"
            fix = (
                "Keep the squares of all gradients finite: scale the data or the loss, or leave out what overflows; "
                "`error_if_nonfinite=True` tells at once."
            )
        effect = "the step with it" if spoilt else "the step that has no effect"
        born = zero_argument_born(audit.record, clip.stack) if endless is None else None
        line, stations = born_at(born) if born is not None else (None, [])
        here = [(audit.source(clip.stack), "clipped here")] if line is not None else []
        related = [*here, *stations, (step, effect)]
        off = off_taken_for_on(audit.record, clip.stack) if endless is None and clip is to_zero else None
        if off is not None:
            set_to = [(line, "set to 0 here")] if line is not None else [(audit.source(clip.stack), "clipped here")]
            line, related = off[0], [*set_to, *related]
            message = f"{message}: `{off[1]}` does not keep a limit of 0 from being applied"
            fix = "Let 0 turn the clipping off as well, or set a norm above 0."
        return self.finding(audit, states, message, line or audit.source(clip.stack), related=related, fix=fix)

    @staticmethod
    def bad() -> Example:
        """Gradients clipped to a norm of 0."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.0)  # FXA407
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """Gradients clipped to a norm of 1."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()

        return Example(train=train)


def _restraints(audit: Audit, built: SourceLine) -> list[str]:
    """The options by which the optimizer that is built there leaves nothing of a step."""
    births = Births(audit.record.course)
    return restraints_given(built.file, built.line, lambda tree, line, node: births.numbers(tree.file, line, node))


def _gradient_writer(audit: Audit, state: ParameterState) -> int | None:
    """The stack of the last operation that wrote the gradient between a backward and the step after it."""
    events = audit.record.events
    for fact in reversed(state.facts):
        if fact.last_backward >= 0:
            writers = audit.graph.gradient_writers(
                state.index, events[fact.last_backward].time, events[fact.event].time
            )
            if writers:
                return writers[-1].stack
            assigned = [
                event
                for event in events[fact.last_backward : fact.event]
                if isinstance(event, GradientEvent) and event.track == state.index
            ]
            if assigned:
                return assigned[-1].stack
    return None
