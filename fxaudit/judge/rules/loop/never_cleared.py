"""FXA404."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import ClearEvent
from fxaudit.judge.questions.shadowed import clearing_override
from fxaudit.judge.questions.stale import Stale, stale_gradients
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import let_run, project_stack, share_a_loop, source_at, why_never_called
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["NeverCleared"]


class NeverCleared(Rule):
    """A step uses a gradient that an earlier step has used already.

    `backward` adds to `.grad`; without `zero_grad` between the steps every step also repeats all earlier gradients. And
    what was bound to a gradient once, as a shared model's `.grad` to a worker's, keeps that one for good where
    `zero_grad` puts None in its place.
    """

    code, name, level = "FXA404", "never-cleared", "warning"
    explains = frozenset()
    needs_a_run = True
    fix = "Call `optimizer.zero_grad()` once per step, before `backward()`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for all parameters whose gradients pile up, and one for each line that took some for good."""
        yield from self._stale(audit)
        states = [s for s in audit.states if s.track.reused_at]
        if not states:
            return
        step = audit.record.events[states[0].track.reused_at[0]]
        tracks = {s.index for s in states}
        backwards = [e for e in audit.graph.backwards if tracks & e.arrived.keys()]
        cleared = [e for e in audit.record.events if isinstance(e, ClearEvent) and (not e.tracks or tracks & e.tracks)]
        backward = audit.source(backwards[-1].stack) if backwards else None
        uncalled = why_never_called(audit.record, "zero_grad", [e.stack for e in cleared]) if not cleared else []
        why = uncalled
        why = _behind_a_test(audit, cleared[-1], step.stack) if cleared and not why else why
        override = clearing_override(audit, states) if not any(tracks & e.tracks for e in cleared) else None
        why = [override] if override is not None else why
        uncalled = uncalled if override is None else []
        yield self.finding(
            audit,
            states,
            f"the gradient of {audit.names(states)} is never cleared between steps",
            why[0][0] if why else backward or audit.source(step.stack),
            related=[
                *why[1:],
                *([(backward, "adds to it")] if override is not None else []),
                (audit.source(step.stack), "steps with all gradients so far"),
                *((audit.source(e.stack), "cleared only here") for e in cleared[-1:]),
            ],
            fix=let_run("zero_grad", uncalled),
        )

    def _stale(self, audit: Audit) -> Iterator[Finding]:
        """What is stepped with the gradient of an earlier round."""
        groups: dict[Stale, list[ParameterState]] = {}
        for state in audit.states if audit.judge.looped else ():
            found = stale_gradients(audit, state)
            if found is not None:
                groups.setdefault(found, []).append(state)
        for found, states in groups.items():
            yield self.finding(
                audit,
                states,
                f"each step repeats the gradient that {audit.names(states, 'was', 'were')} given once",
                audit.source(found.bound) or audit.source(found.stepped),
                related=[
                    (audit.source(found.newer), "newer gradients come from here, and go elsewhere"),
                    (audit.source(found.stepped), "repeats the old one"),
                ],
                fix="Hand the gradient over anew after every `backward()`: `zero_grad` puts None in its place, and "
                "what is bound to the old tensor sees no new one.",
            )

    @staticmethod
    def bad() -> Example:
        """A loop that keeps all gradients."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                model(x).square().mean().backward()  # FXA404
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """Each round starts without gradients."""
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


def _behind_a_test(audit: Audit, cleared: ClearEvent, step: int) -> list[tuple[SourceLine, str]]:
    """The branch, in the loop that steps, in which alone the gradients were cleared."""
    stacks = audit.record.stacks
    if not share_a_loop(stacks, cleared.stack, step):
        return []
    frame = project_stack(stacks, cleared.stack)
    tree = tree_of(stacks.file(frame))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    if tree is None or statement is None:
        return []
    for outer in tree.ancestors(statement):
        if isinstance(outer, ast.For | ast.While | ast.FunctionDef):
            break
        if isinstance(outer, ast.If):
            return [(source_at(tree.file, outer.lineno), "decides when they are cleared")]
    return []
