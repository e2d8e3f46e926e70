"""FXA403."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture import operations
from fxaudit.capture.events import BackwardEvent, ClearEvent
from fxaudit.capture.recording import Op
from fxaudit.judge.questions.handler_order import order_of_handlers
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState

__all__ = ["ClearedBeforeStep"]


class ClearedBeforeStep(Rule):
    """Gradients are cleared between `backward` and `step`.

    The step finds none, or only zeros, and changes nothing.
    """

    code, name, level = "FXA403", "cleared-before-step", "error"
    needs_a_run = True
    fix = "Move `zero_grad()` before `backward()`, or behind `step()`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line that clears too early."""
        groups: dict[int, list[ParameterState]] = {}
        for state in audit.unexplained("blocked"):
            if (
                state.arrived == "none"
                or not state.facts
                or any(f.gradient not in ("none", "zero") for f in state.facts)
            ):
                continue
            stack = self._clearing(audit, state)
            if stack is not None:
                groups.setdefault(stack, []).append(state)
        for stack, states in groups.items():
            step = audit.record.events[states[0].facts[-1].event]
            related = [(audit.source(step.stack), "the step that finds no gradient")]
            order = order_of_handlers(audit, stack, step.stack)
            if order is not None:
                related.insert(0, (audit.source(stack), "cleared here, and its turn comes first"))
            message = f"the gradient of {audit.names(states)} is cleared before the step"
            fix = None if order is None else "Let the handler that steps have its turn before the one that clears."
            yield self.finding(audit, states, message, order or audit.source(stack), related=related, fix=fix)

    def _clearing(self, audit: Audit, state: ParameterState) -> int | None:
        """The stack of the clearing that stands between a backward that brought a gradient and the step after it."""
        events = audit.record.events
        first_step = min(fact.event for fact in state.facts)
        first_arrival = next(
            (i for i, e in enumerate(events) if isinstance(e, BackwardEvent) and state.index in e.arrived), len(events)
        )
        if first_step < first_arrival and not any(f.event > first_arrival for f in state.facts[1:]):
            return None
        for fact in reversed(state.facts):
            for index in range(fact.event - 1, -1, -1):
                event = events[index]
                if isinstance(event, BackwardEvent) and event.accumulates and state.index in event.arrived:
                    break
                if isinstance(event, ClearEvent) and state.index in event.tracks:
                    return event.stack if first_step > first_arrival else None
            if fact.last_backward >= 0:
                since, until = events[fact.last_backward].time, events[fact.event].time
                writers = audit.graph.gradient_writers(state.index, since, until)
                if writers and _is_constant(writers[-1]):
                    return writers[-1].stack
        return None

    @staticmethod
    def bad() -> Example:
        """Gradients cleared one line too late."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                model(x).square().mean().backward()
                optimizer.zero_grad()  # FXA403
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """Gradients cleared after the step."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                model(x).square().mean().backward()
                optimizer.step()
                optimizer.zero_grad()

        return Example(train=train)


def _is_constant(op: Op) -> bool:
    """Whether it writes numbers that have nothing to do with what was there."""
    operation = operations.of(op.name)
    return operation.fills and not operation.draws
