"""FXA111."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.recording import Op
from fxaudit.judge.graph import Cut
from fxaudit.judge.questions.withheld_gradients import withheld
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import method_call_of, project_stack, return_of, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.handing import stars
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import call_sites

__all__ = ["CustomFunctionReturnsNone"]


ASK_ALL = (
    "Call `torch.autograd.backward(out, grad)` and return the input's `.grad`: `autograd.grad` gives gradients to what "
    "it is asked for, and to no parameter."
)


class CustomFunctionReturnsNone(Rule):
    """A custom `autograd.Function` returns no gradient for an input.

    Its `backward` returns None where the gradient of the parameter, or of what is computed from it, belongs; or it
    reads the parameter without being given it, as one does that computes a block again.
    """

    code, name, level = "FXA111", "custom-function-returns-none", "error"
    fix = "Return the gradient with respect to that input from `backward`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each custom function whose parameters are reached by the graph but got nothing."""
        yield from self._read_inside(audit)
        yield from self._marked(audit)
        groups: dict[str, list[tuple[ParameterState, Op]]] = {}
        for state in audit.unexplained("unreachable"):
            # Without a backward it was `autograd.grad` that had none, and the recorded operations know the way.
            if not (state.reached_in or (not audit.graph.backwards and audit.graph.carries_to_loss(state.index))):
                continue
            carried = audit.graph.carried([state.index])
            op = next((op for op in audit.graph.ops if op.custom and set(op.inputs) & carried), None)
            if op is not None:
                groups.setdefault(op.detail, []).append((state, op))
        for detail, members in groups.items():
            states = [state for state, _ in members]
            op = members[0][1]
            returned = return_of(audit.project_files, detail, "backward")
            found = withheld(audit, op, states, returned) if returned is not None else None
            related = [(audit.source(op.stack), "the function is applied here")]
            if found is not None:
                related.insert(0, (returned, "what is returned here is None"))
            culprit = found.line if found is not None else returned or audit.source(op.stack)
            yield self.finding(
                audit,
                states,
                f"`{op.name}.backward` returns no gradient for {audit.names(states)}",
                culprit,
                related=related,
                fix=found.advice if found is not None else None,
            )

    def _read_inside(self, audit: Audit) -> Iterator[Finding]:
        """Parameters that the function's forward uses without being given them: backward can return nothing for
        them."""
        groups: dict[str, list[tuple[ParameterState, Op]]] = {}
        for state in audit.unexplained("unreachable"):
            op = audit.graph.hidden_reader(state.index)
            if (
                op is not None
                and not state.reached_in
                and (not audit.graph.cuts(state.index) or audit.cause(state) is None)
            ):
                groups.setdefault(op.detail, []).append((state, op))
        for detail, members in groups.items():
            states = [state for state, _ in members]
            state, op = members[0]
            own = set(state.track.values)
            inner = [o for o in audit.record.ops if o.inside == op.index and own & set(o.inputs)]
            stacks = [project_stack(audit.record.stacks, o.stack) for o in inner] or [op.stack]
            applied = _giving_frame(audit, op)
            if applied != op.stack:
                stacks = [applied]
            read, here = audit.source(stacks[0]), (audit.source(op.stack), "the function is applied here")
            asked = _input_alone_asked_for(audit, detail)
            returned = return_of(audit.project_files, detail, "backward")
            yield self.finding(
                audit,
                states,
                f"`{op.name}` uses {audit.names(states)}, which it is not given as arguments"
                + ("" if asked is None else ", and in backward asks for the gradient of its input alone"),
                read if asked is None else asked,
                related=[(returned, "so backward returns no gradient for it"), here]
                if asked is None
                else [(read, "they are used here"), here],
                fix="Pass the parameters as arguments of `apply`, and return their gradients from `backward`."
                if asked is None
                else ASK_ALL,
            )

    def _marked(self, audit: Audit) -> Iterator[Finding]:
        """Parameters that end at a function whose result it marks as not differentiable itself."""
        groups: dict[str, tuple[Op, SourceLine, list[ParameterState]]] = {}
        for state in audit.unexplained("unreachable"):
            cause = audit.cause(state)
            op = audit.record.ops[cause.op] if isinstance(cause, Cut) else None
            if op is None or not op.custom:
                continue
            line = method_call_of(audit.project_files, op.detail, "mark_non_differentiable")
            if line is not None:
                groups.setdefault(op.detail, (op, line, []))[2].append(state)
        for op, line, states in groups.values():
            yield self.finding(
                audit,
                states,
                f"`{op.name}` marks the result of {audit.names(states)} as not differentiable",
                line,
                related=[(audit.source(op.stack), "the function is applied here")],
                fix="Mark only results that have no derivative, and return the gradient of the others.",
            )

    @staticmethod
    def bad() -> Example:
        """A backward that forgets the gain."""
        from typing import Any

        import torch
        from torch import nn

        class Gain(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
                ctx.save_for_backward(x, gain)
                return x * gain

            @staticmethod
            def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
                saved = ctx.saved_tensors
                return grad * saved[1], None  # FXA111

        class Net(nn.Linear):
            def __init__(self) -> None:
                super().__init__(4, 4)
                self.gain = nn.Parameter(torch.ones(4))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                apply: Any = Gain.apply
                return torch.tanh(apply(super().forward(x), self.gain))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """Both inputs get their gradient."""
        from typing import Any

        import torch
        from torch import nn

        class Gain(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
                ctx.save_for_backward(x, gain)
                return x * gain

            @staticmethod
            def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
                saved = ctx.saved_tensors
                return grad * saved[1], (grad * saved[0]).sum(0)

        class Net(nn.Linear):
            def __init__(self) -> None:
                super().__init__(4, 4)
                self.gain = nn.Parameter(torch.ones(4))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                apply: Any = Gain.apply
                return torch.tanh(apply(super().forward(x), self.gain))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _giving_frame(audit: Audit, op: Op) -> int:
    """The frame that decides what the function is given: outside of those that only hand on `*arguments`."""
    stacks = audit.record.stacks
    chain = stacks.chain(project_stack(stacks, op.stack))
    return next((frame for frame in chain if not stars(stacks.file(frame), stacks.line(frame))), op.stack)


def _input_alone_asked_for(audit: Audit, qualified: str) -> SourceLine | None:
    """The call of `autograd.grad` in the function's class, as where it computes again what it has computed, that asks
    for the gradient of a variable, or of several, and of nothing that the function keeps."""
    for tree, call in call_sites(audit.project_files, "grad"):
        owner = next((outer for outer in tree.ancestors(call) if isinstance(outer, ast.ClassDef)), None)
        if owner is None or owner.name != qualified.rpartition(".")[2] or len(call.args) < 2:
            continue
        wanted = call.args[1]
        parts = wanted.elts if isinstance(wanted, ast.Tuple | ast.List) else [wanted]
        if all(isinstance(part, ast.Name) for part in parts):
            return source_at(tree.file, call.lineno)
    return None
