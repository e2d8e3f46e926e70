"""FXA408."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.put_backs import let_in, put_back_at, wrong_order
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.never_restored import never_restored
from fxaudit.program.source import SourceLine

__all__ = ["RewrittenBetweenSteps"]


ORDER = "Step after the old value is back: first undo the perturbation, then step."
DRAWN = "Draw the first values once, before the loop: each time they are drawn, what was trained is lost."
CHOOSE = "Let the test choose only what this is meant for."
UNDONE = "Look at what decides that the old values come back: what was trained is never kept."


class RewrittenBetweenSteps(Rule):
    """The value is put back between steps.

    A checkpoint reloaded in each round, a moving average or target copied the wrong way, or a re-initialisation undoes
    what the step before did; or a rollback, every few steps, brings the first values back again and again. A
    warning where a moving average is written in for an evaluation, and nobody calls what takes it out again.
    """

    code, name, level = "FXA408", "rewritten-between-steps", "error"
    needs_a_run = True
    fix = "Do this once before the loop, or copy in the other direction."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line that writes the old value back."""
        groups: dict[tuple[str, int], tuple[SourceLine | None, str, list[ParameterState]]] = {}
        undone: list[ParameterState] = []
        for state in audit.unexplained("replaced"):
            if state.mechanism == "put_back":
                undone.append(state)
            if state.mechanism not in ("rewritten", "rewound", "overwritten", "undone"):
                continue
            writers = state.writers
            stack = project_stack(audit.record.stacks, writers[-1].stack) if writers else -1
            source = put_back_at(audit, writers[-1])[0] if state.mechanism == "rewound" else audit.source(stack)
            key = (source.file, source.line) if source is not None else ("", 0)
            groups.setdefault(key, (source, writers[-1].name if writers else "", []))[2].append(state)
        for source, name, states in groups.values():
            by = f" by `{name}`" if name else ""
            facts = states[0].facts
            moved = next((fact for fact in reversed(facts) if fact.changed), facts[-1] if facts else None)
            step = audit.record.events[moved.event] if moved is not None else None
            related = [(audit.source(step.stack), "the step whose change is lost")] if step is not None else []
            message = f"{audit.names(states, 'is', 'are')} put back between steps{by}"
            if states[0].mechanism == "undone" and step is not None:
                line, others = wrong_order(audit, step.stack, states[0].writers[-1].stack)
                yield self.finding(audit, states, message, line, related=others, fix=ORDER)
                continue
            let = let_in(audit, states[0].writers[-1]) if states[0].writers else None
            if let is not None:
                told = [(source, "written here, also to what trains nevertheless"), *related]
                message += f": `{let[1]}` lets {'it' if len(states) == 1 else 'them'} in"
                yield self.finding(audit, states, message, let[0], related=told, fix=CHOOSE)
                continue
            yield self.finding(audit, states, message, source, related=related)
        yield from self._put_back(audit, undone)
        yield from self._never_restored(audit)

    def _never_restored(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each call after which other values stand in the parameters for good: a moving average that
        was to stand there for an evaluation."""
        trained = [state for state in audit.having("trained") if not state.explained]
        stacks = audit.record.stacks
        steps = {place for step in audit.record.steps() for place in stacks.places(step.stack)}
        for found in never_restored(audit.project_files, steps) if trained else ():
            written = source_at(*found.written)
            yield self.finding(
                audit,
                trained,
                f"`{found.applies}` writes other values into the parameters, and nobody calls `{found.restores}`, "
                "which puts theirs back",
                source_at(found.tree.file, found.call.lineno),
                related=[(written, "written here")],
                level="warning",
                fix=f"Call `{found.restores}()` afterwards: training goes on from the other values otherwise.",
            )

    def _put_back(self, audit: Audit, undone: list[ParameterState]) -> Iterator[Finding]:
        """One finding for all that gets its old values back every few steps."""
        if not undone:
            return
        writers = [state.writers[-1] for state in undone if state.writers]
        culprit, related = put_back_at(audit, writers[0] if writers else None)
        times, steps, _ = undone[0].track.put_back
        after = "each step" if steps == 1 else f"{steps} steps"
        names = audit.names(undone, "gets", "get")
        message, fix = f"{names} the old values back after {after}, {times} times without a change", UNDONE
        if undone[0].track.drawn_anew:
            message, fix = f"{names} other values, drawn at random, after {after}, {times} times", DRAWN
        yield self.finding(audit, undone, message, culprit, related=related, fix=fix)

    @staticmethod
    def bad() -> Example:
        """A checkpoint that is loaded in each round."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            checkpoint = nn.Linear(4, 1).state_dict()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                model.load_state_dict(checkpoint)  # FXA408
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The checkpoint is loaded once."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            checkpoint = nn.Linear(4, 1).state_dict()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            model.load_state_dict(checkpoint)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)
