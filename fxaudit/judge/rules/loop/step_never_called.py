"""FXA401."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import (
    BackwardEvent,
    ClearEvent,
    LoopEvent,
    ScalerStepEvent,
    SchedulerStepEvent,
    StepBeginsEvent,
    StepEvent,
)
from fxaudit.judge.questions.periods import FEWER, waits_for_more_than_are_counted
from fxaudit.judge.questions.turns import receivers
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import common_frame, let_run, project_stack, source_at, why_never_called
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.handing import written_in_loop
from fxaudit.program.loops import leaves_loop_after, leftover_variable
from fxaudit.program.repairs import added_after
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["StepNeverCalled"]


class StepNeverCalled(Rule):
    """`step` is never called on the optimizer that holds the parameter.

    Gradients arrive and nothing is done with them: the call is missing, stands in a branch that is never taken, lacks
    its parentheses, or another optimizer is stepped in its place.
    """

    code, name, level = "FXA401", "step-never-called", "error"
    needs_a_run = True
    fix = "Call `optimizer.step()` after `backward()`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each optimizer that never steps."""
        groups: dict[int, list[ParameterState]] = {}
        for state in audit.unexplained("blocked"):
            if audit.is_skipped_for_nan(state):
                continue
            if audit.judge.looped and not state.facts and state.held and state.arrived in ("zero", "finite"):
                groups.setdefault(state.held[0][0], []).append(state)
        for optimizer, states in groups.items():
            info = audit.recording.optimizers[optimizer]
            begun = [e for e in audit.record.events if isinstance(e, StepBeginsEvent) and e.optimizer == optimizer]
            raised = [event for event in begun if not event.ended]
            if raised:
                yield self.finding(
                    audit,
                    states,
                    f"`step` of {audit.called(optimizer, 'the ')} that holds {audit.names(states)} raises",
                    audit.source(raised[-1].stack),
                    related=[(audit.source(info.created), "the optimizer is built here")],
                    fix="Make the step run through: read the error it raises (`LBFGS.step` needs a closure).",
                )
                continue
            why = _why(audit, optimizer)
            late = [] if why else waits_for_more_than_are_counted(audit, optimizer)
            culprit, related = _culprit(audit, optimizer, states, why or late)
            if related and (audit.graph.is_spoilt or all(state.arrived == "nonfinite" for state in states)):
                continue  # a step that is skipped because of NaN is right to be skipped: FXA502 names what makes it
            built = audit.source(info.created)
            yield self.finding(
                audit,
                states,
                f"`step` is never called on {audit.called(optimizer, 'the ')} that holds {audit.names(states)}",
                culprit or built,
                related=[*related, (built, "the optimizer is built here")],
                fix=FEWER if late else let_run("step", why) or self.fix + self._edit(audit, optimizer),
            )

    def _edit(self, audit: Audit, optimizer: int) -> str:
        """The step behind the last backward."""
        backwards = audit.record.backwards()
        name = audit.optimizer_variable(optimizer)
        return added_after(audit.source(backwards[-1].stack), f"{name}.step()") if backwards and name else ""

    @staticmethod
    def bad() -> Example:
        """A loop without its last line."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()  # FXA401
                model(x).square().mean().backward()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The optimizer steps."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)


Lines = list[tuple[SourceLine | None, str]]


def _why(audit: Audit, optimizer: int) -> list[tuple[SourceLine, str]]:
    """Why a step that is there did not run."""
    events = audit.record.events
    seen = [e.stack for e in events if isinstance(e, StepEvent | SchedulerStepEvent | ScalerStepEvent)]
    return why_never_called(audit.record, "step", seen, receivers(audit, optimizer), done=frozenset({"backward"}))


def _culprit(
    audit: Audit, optimizer: int, states: list[ParameterState], why: list[tuple[SourceLine, str]]
) -> tuple[SourceLine | None, Lines]:
    """What keeps the call from running, else the step of another optimizer, the clearing, or the backward."""
    events = audit.record.events
    tracks = {state.index for state in states}
    arrivals = [i for i, e in enumerate(events) if isinstance(e, BackwardEvent) and tracks & e.arrived.keys()]
    backward = arrivals[-1] if arrivals else -1
    if why:
        tree = tree_of(why[0][0].file)
        written = written_in_loop(tree, why[0][0].line) if tree is not None else []
        return why[0][0], [
            *((source_at(why[0][0].file, line), f"`{name}` is written here") for line, name in written[:1]),
            *why[1:],
        ]
    if backward < 0:
        return None, []
    after: Lines = [(_backward_line(audit, events[backward].stack), "backward is called here")]
    loop = _unfinished_loop(audit)
    if loop is not None:
        return loop[0], [*loop[1], *after]
    window = _window(events, backward)
    steps = [event for event in window if isinstance(event, StepEvent)]
    if steps:
        frame = common_frame(audit.record.stacks, steps[-1].stack, events[backward].stack)
        return audit.source(frame), after
    cleared = [event for event in window if isinstance(event, ClearEvent) and tracks & event.tracks]
    if cleared:
        return audit.source(cleared[0].stack), after
    earlier = [e for i, e in enumerate(events) if isinstance(e, ClearEvent) and tracks & e.tracks and i > backward]
    if earlier:
        return audit.source(earlier[0].stack), after
    return audit.source(events[backward].stack), []


def _backward_line(audit: Audit, stack: int) -> SourceLine | None:
    """The line of the program that calls backward, also through a library's method for that."""
    own = audit.source(project_stack(audit.record.stacks, stack))
    return own if own is not None and "backward" in own.code else audit.source(stack)


def _unfinished_loop(audit: Audit) -> tuple[SourceLine, Lines] | None:
    """A loop over several optimizers of which only one gets its step: left too early, or the step stands behind it."""
    stacks = audit.record.stacks
    for event in {e.stack: e for e in audit.record.steps()}.values():
        for frame in stacks.chain(event.stack)[:3]:
            tree = tree_of(stacks.file(frame))
            statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
            if tree is None or statement is None:
                continue
            for call in ast.walk(statement):
                if not (
                    isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "step"
                ):
                    continue
                here = source_at(tree.file, call.lineno)
                left = leaves_loop_after(tree, call)
                if left is not None:
                    return source_at(tree.file, left.lineno), [(here, "the loop is left after this step")]
                variable = leftover_variable(tree, call)
                if variable:
                    return here, [(here, f"behind the loop, `{variable}` is the last one only")]
    return None


def _window(events: list[LoopEvent], backward: int) -> list[LoopEvent]:
    """The events after a backward, up to the next one; where it is the last, up to the end."""
    window: list[LoopEvent] = []
    for event in events[backward + 1 :]:
        if isinstance(event, BackwardEvent):
            break
        window.append(event)
    if not window:
        for index in range(backward - 1, -1, -1):
            if isinstance(events[index], BackwardEvent) and events[index].stack == events[backward].stack:
                return _window(events, index)
    return window
