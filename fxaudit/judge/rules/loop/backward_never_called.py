"""FXA402."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import BackwardEvent
from fxaudit.judge.questions.refused_backwards import refusal
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import behind_test, binding_stack, let_run, skipping_return, source_at, why_never_called
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.gradients import gradient_writes
from fxaudit.program.loops import used_up
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import obstacles

__all__ = ["BackwardNeverCalled"]


class BackwardNeverCalled(Rule):
    """`backward` is never called, or not for this parameter.

    The loss is computed, and no gradient with it: the call is missing, never reached, raises, or is limited with
    `inputs=` to other parameters.
    """

    code, name, level = "FXA402", "backward-never-called", "error"
    needs_a_run = True
    fix = "Call `loss.backward()` before `optimizer.step()`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding: for all parameters that a backward could reach and none does."""
        states = [s for s in audit.unexplained("blocked") if s.arrived == "none"]
        events = audit.graph.backwards
        if not states:
            # What an earlier round trained is none of these; the loop ends here all the same.
            refused = [e for e in events if e.error and any(audit.record.values[vid].requires_grad for vid in e.roots)]
            if refused and not any(finding.level == "error" for finding in audit.findings):
                yield self._raising(audit, refused[0], [])
            return
        if not events and audit.graph.is_spoilt:
            return  # a backward that is left out because of NaN is rightly left out: FXA502 names what makes it
        unwritten = _unwritten(audit, states) if not events else None
        if unwritten is not None:
            yield self.finding(
                audit,
                states,
                f"the gradient of {audit.names(states)} is computed, and never becomes its `.grad`",
                unwritten[0],
                related=unwritten[1],
                fix="Assign it to `.grad`, whatever was there before, or call `backward()`.",
            )
            return
        if not events:
            losses = audit.graph.losses
            loss = audit.record.values[losses[-1]].op if losses else -1
            where = audit.record.ops[loss].stack if loss >= 0 else -1
            bound = audit.source(binding_stack(audit.record.stacks, where)) if where >= 0 else None
            why = why_never_called(audit.record, "backward")
            culprit = why[0][0] if why else bound
            skipped = skipping_return(audit.record.stacks, where) if not why and where >= 0 else None
            related = [
                *why[1:],
                (skipped, "this branch returns without the loss"),
                (bound, "the loss is computed here"),
            ]
            if bound is None and states[0].held:
                built = audit.recording.optimizers[states[0].held[0][0]].created
                related.append((audit.source(built), "the optimizer is built here, and no loss is computed"))
            yield self.finding(
                audit,
                states,
                f"`backward` is never called, so {audit.names(states, 'stays as it is', 'stay as they are')}",
                culprit,
                related=related,
                fix=let_run("backward", why),
            )
            return
        for event in events:
            hit = [s for s in states if s.index in event.reached and not s.explained]
            if hit and event.restricted:
                yield self.finding(
                    audit,
                    hit,
                    f"`backward(inputs=…)` leaves out {audit.names(hit)}",
                    audit.source(event.stack),
                    fix="Call `backward()` without `inputs=`, or list these parameters too.",
                )
            elif hit and event.error:
                yield self._raising(audit, event, hit)

    def _raising(self, audit: Audit, event: BackwardEvent, hit: list[ParameterState]) -> Finding:
        """The finding for a backward that the engine refuses; what waits for a step behind it is explained, too."""
        behind = refusal(audit, event)
        unstepped = [s for s in audit.unexplained("blocked") if s.index in event.reached and not s.facts]
        return self.finding(
            audit,
            [*hit, *(state for state in unstepped if state not in hit)],
            f"`backward` raises: {_sentence(event.error)}",
            behind.line if behind is not None else audit.source(event.stack),
            related=behind.related if behind is not None else [],
            fix=behind.help if behind is not None else "Make backward run through: read the error it raises.",
        )

    @staticmethod
    def bad() -> Example:
        """A loss that is logged, and nothing else."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                loss = model(x).square().mean()  # FXA402
                print(f"loss {loss.item():.3f}")
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The loss is sent backward."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                loss = model(x).square().mean()
                print(f"loss {loss.item():.3f}")
                loss.backward()
                optimizer.step()

        return Example(train=train)


def _sentence(error: str) -> str:
    """The first sentence of what the engine says."""
    return error.splitlines()[0].partition(": [")[0].partition(" (")[0].partition(". ")[0]


Lines = list[tuple[SourceLine | None, str]]


def _unwritten(audit: Audit, states: list[ParameterState]) -> tuple[SourceLine | None, Lines] | None:
    """Where gradients are computed by `autograd.grad`: what keeps them from being written, and other lines."""
    values = {vid for state in states for vid in state.track.values}
    calls = [op for op in audit.graph.ops if op.name == "autograd.grad" and values & set(op.inputs)]
    if not calls:
        return None
    computed: Lines = [(audit.op_source(calls[-1].index), "the gradients are computed here")]
    ran = audit.record.ran()
    for tree, node in gradient_writes(audit.project_files):
        if node.lineno in ran.of(tree.file):
            continue
        where = (source_at(tree.file, node.lineno), "the line that never runs")
        for outer in tree.ancestors(node):
            empty = used_up(tree.file, outer.lineno) if isinstance(outer, ast.For) else []
            if empty:
                first, second = (source_at(tree.file, line) for line in (empty[-1].first, empty[-1].second))
                return second, [(first, f"`{empty[-1].name}` gives its items once, and here"), where, *computed]
        why = [*obstacles(tree, node, ran.of(tree.file))]
        if why:
            return source_at(why[0].file, why[0].line), [
                where,
                *computed,
                *behind_test(audit.record, audit.project_files, why[0]),
            ]
    return computed[0][0], []
