"""FXA109."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import BackwardEvent
from fxaudit.judge.questions.dead_ends import bound, thrown_away
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.grad_switches import switched_off_for_good

__all__ = ["LossCutOff"]

SWITCH_ON = "Use `with torch.no_grad():` around what is to have no gradient: it switches gradients on again at its end."


class LossCutOff(Rule):
    """The loss itself does not depend on any parameter.

    `backward` raises "element 0 of tensors does not require grad", or would if it were called. Where gradients were
    switched off for good meanwhile, the line that did so is named.
    """

    code, name, level = "FXA109", "loss-cut-off", "error"
    fix = "Compute the loss from the model's output, with gradients enabled."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding where no loss is computed from any parameter; what is lost on the way is a cut."""
        states = audit.unexplained("unreachable")
        backwards = [event for event in audit.graph.backwards if event.roots]
        values = audit.record.values
        if not states and not any(state.verdict == "frozen" and state.held for state in audit.states):
            yield from self._refused(audit, backwards)
        if not states or not backwards or any(audit.graph.reaches_by_data(state.index) for state in audit.states):
            return
        if any(values[vid].requires_grad for event in backwards for vid in event.roots):
            return
        event = backwards[0]
        op = values[event.roots[0]].op
        ends = {state.name: _end(audit, state) for state in states}
        if any(_is_thrown_away(audit, stack) for stack in ends.values()):
            return  # the statement that puts another value in its place says more: a dead end
        dead = next((stack for state in states if (stack := ends[state.name]) >= 0), -1)
        yield self.finding(
            audit,
            states,
            f"the loss depends on no parameter, so {audit.names(states, 'receives', 'receive')} nothing",
            audit.op_source(op) if op >= 0 else audit.source(event.stack),
            related=[
                (audit.source(event.stack), "backward is called here"),
                (audit.source(dead), "what the parameters are used for ends here"),
            ],
        )

    def _refused(self, audit: Audit, backwards: list[BackwardEvent]) -> Iterator[Finding]:
        """One finding for a loss that PyTorch refuses beside others that train everything."""
        values = audit.record.values
        refused = [e for e in backwards if e.error and not any(values[vid].requires_grad for vid in e.roots)]
        if refused and len(refused) < len(backwards):
            event = refused[0]
            op = values[event.roots[0]].op
            computed, called = (audit.op_source(op), "the loss is computed here"), audit.source(event.stack)
            message = "PyTorch refuses this `backward`: its loss carries no gradient"
            region = audit.record.ops[op].region if op >= 0 else -1
            if region < 0:
                yield self.finding(audit, (), message, called, related=[computed])
                return
            stacks = audit.record.stacks
            frame = project_stack(stacks, region)
            is_for_good = (stacks.file(frame), stacks.line(frame)) in self._for_good(audit)
            yield self.finding(
                audit,
                (),
                f"{message}, as gradients are switched off here",
                audit.source(frame),
                related=[(called, "backward is called here"), computed],
                fix=SWITCH_ON if is_for_good else None,
            )
        elif audit.recording.died_switched_off:
            places = [source_at(*place) for place in self._for_good(audit)]
            yield self.finding(
                audit,
                (),
                "the script died with gradients switched off, so that PyTorch refuses `backward`",
                places[0] if len(places) == 1 else None,
                fix=SWITCH_ON,
            )

    @staticmethod
    def _for_good(audit: Audit) -> list[tuple[str, int]]:
        """(file, line) of the statements that switch gradients off and leave them so."""
        return [(tree.file, node.lineno) for tree, node in switched_off_for_good(audit.project_files)]

    @staticmethod
    def bad() -> Example:
        """A loss that compares the target with itself."""
        import torch
        from torch import nn

        model, x, y = nn.Linear(4, 1), torch.randn(8, 4), torch.randn(8, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def loss() -> torch.Tensor:
            output = model(x)
            print(f"outputs of shape {tuple(output.shape)}")
            return nn.functional.mse_loss(y, y)  # FXA109

        return Example(model, loss, optimizer)

    @staticmethod
    def good() -> Example:
        """The loss compares the model's output with the target."""
        import torch
        from torch import nn

        model, x, y = nn.Linear(4, 1), torch.randn(8, 4), torch.randn(8, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def loss() -> torch.Tensor:
            output = model(x)
            print(f"outputs of shape {tuple(output.shape)}")
            return nn.functional.mse_loss(output, y)

        return Example(model, loss, optimizer)


def _end(audit: Audit, state: ParameterState) -> int:
    """The frame in which the last value made of the parameter is bound; -1 where nothing is made of it."""
    end = audit.graph.dead_end(state.index)
    return bound(audit, state, end) if end is not None else -1


def _is_thrown_away(audit: Audit, stack: int) -> bool:
    return stack >= 0 and thrown_away(audit, stack) is not None
