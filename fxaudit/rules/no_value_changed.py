"""FXA407."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.blame import source_at
from fxaudit.finding import Finding
from fxaudit.rule import Audit, Example, Rule
from fxaudit.source import SourceLine
from fxaudit.syntax import tree_of
from fxaudit.verdict import ParameterState

__all__ = ["NoValueChanged"]


class NoValueChanged(Rule):
    """The optimizer steps with a gradient, yet the value does not change.

    Something between `backward` and the value stops the update: clipping to nothing, an optimizer that writes somewhere
    else, a mask over the gradient.
    """

    code, name, level = "FXA407", "no-value-changed", "error"
    fix = "Look at what happens to the gradient between `backward` and `step`, and at what the optimizer writes to."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each step that changes nothing."""
        groups: dict[int, list[ParameterState]] = {}
        for state in audit.unexplained("blocked"):
            if state.facts and state.arrived == "finite":
                groups.setdefault(audit.record.events[state.facts[-1].event].stack, []).append(state)
        for stack, states in groups.items():
            zeroed = all(f.gradient == "zero" for s in states for f in s.facts)
            tracks = {s.index for s in states}
            clips = [e for e in audit.record.events if e.kind == "clip" and tracks & e.tracks]
            built = audit.source(audit.session.optimizers[states[0].facts[-1].optimizer].created)
            # `audit()` takes the steps itself: no line of the program does.
            step = (audit.source(stack) if audit.judge.looped else None) or built
            writer = _gradient_writer(audit, states[0]) if zeroed else None
            own = _rebinding(audit, states[0])
            silent = _silent_step(audit, states[0]) if own is None and not zeroed else None
            if zeroed and clips:
                message = f"`{clips[-1].text}` clips the gradient of {audit.names(states)} to nothing"
                yield self.finding(
                    audit,
                    states,
                    message,
                    audit.source(clips[-1].stack),
                    related=[(step, "the step that has no effect")],
                    fix="Clip to a norm above 0.",
                )
            elif writer is not None:
                yield self.finding(
                    audit,
                    states,
                    f"the gradient of {audit.names(states)} is overwritten before the step",
                    audit.source(writer),
                    related=[(step, "the step that has no effect")],
                    fix="Leave `.grad` alone between `backward()` and `step()`.",
                )
            elif silent is not None:
                yield self.finding(
                    audit,
                    states,
                    f"`{silent.function}` leaves {audit.names(states)} unchanged, in spite of a gradient",
                    silent,
                    related=[(step, "stepped here"), (built, "the optimizer is built here")],
                    fix="Write into the parameters there, or call the step that the class inherits.",
                )
            elif own is not None:
                yield self.finding(
                    audit,
                    states,
                    f"the step computes a new value for {audit.names(states)}, and writes it nowhere",
                    own,
                    related=[(step, "stepped here")],
                    fix="Write into the parameter: `p.data.copy_(…)` or `p.add_(…)` under `torch.no_grad()`.",
                )
            else:
                yield self.finding(
                    audit,
                    states,
                    f"the step leaves {audit.names(states)} unchanged, in spite of a gradient",
                    step,
                    related=[(built, "the optimizer is built here")],
                )

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
                if event.kind == "write_grad" and state.index in event.tracks
            ]
            if assigned:
                return assigned[-1].stack
    return None


def _rebinding(audit: Audit, state: ParameterState) -> SourceLine | None:
    """In an optimizer of the user's own: the statement of `step` that puts the new value into a local name."""
    if any(fact.gradient == "zero" for fact in state.facts):
        return None
    info = audit.session.optimizers[state.facts[-1].optimizer]
    for file in audit.project_files:
        tree = tree_of(file)
        for node in ast.walk(tree.root) if tree is not None else ():
            if isinstance(node, ast.ClassDef) and node.name == info.type:
                steps = [m for m in node.body if isinstance(m, ast.FunctionDef) and m.name == "step"]
                for inner in ast.walk(steps[0]) if steps else ():
                    if isinstance(inner, ast.Assign) and all(isinstance(t, ast.Name) for t in inner.targets):
                        names = {n.id for n in ast.walk(inner.value) if isinstance(n, ast.Name)}
                        grads = any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(inner.value))
                        targets = {t.id for t in inner.targets if isinstance(t, ast.Name)}
                        if isinstance(inner.value, ast.BinOp) and (grads or names & targets):
                            return source_at(file, inner.lineno)
    return None


def _silent_step(audit: Audit, state: ParameterState) -> SourceLine | None:
    """In an optimizer of the user's own: the head of a `step` that does not call the one it inherits."""
    info = audit.session.optimizers[state.facts[-1].optimizer]
    for file in audit.project_files:
        tree = tree_of(file)
        for node in ast.walk(tree.root) if tree is not None else ():
            if isinstance(node, ast.ClassDef) and node.name == info.type:
                for step in node.body:
                    if isinstance(step, ast.FunctionDef) and step.name == "step" and not _calls_a_step(step):
                        return source_at(file, step.lineno, f"{node.name}.step")
    return None


def _calls_a_step(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step"
        for node in ast.walk(function)
    )
