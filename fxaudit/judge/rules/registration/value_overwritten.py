"""FXA202."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["ValueOverwritten"]


class ValueOverwritten(Rule):
    """Forward overwrites the parameter's value, and what the optimizer changed is lost.

    The new value does not depend on the old one (`copy_`, `normal_`, `.data = …`, `[:] = …`, `reset_parameters()`, an
    assignment through a mask that is true everywhere), or keeps nothing of what a step changes (signs, hard rounding).
    Clamping, masks that leave something and max-norm keep it, and are not this.
    """

    code, name, level = "FXA202", "value-overwritten", "error"
    fix = "Compute the new value into a local variable and leave the parameter's own value alone."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line that writes."""
        groups: dict[int, list[ParameterState]] = {}
        for state in audit.unexplained("replaced"):
            if state.mechanism == "overwritten" and state.writers:
                groups.setdefault(state.writers[-1].stack, []).append(state)
        for stack, states in groups.items():
            op, written = states[0].writers[-1], audit.source(stack)
            mask = _mask(audit, op)
            yield self.finding(
                audit,
                states,
                _message(audit, states, op) + (": the mask is true everywhere" if mask is not None else ""),
                mask or written,
                related=[(written, "written here")] if mask is not None else [],
                fix="Let the mask select only what is to be replaced." if mask is not None else None,
                level="error" if audit.is_held(states) else "note",
            )

    @staticmethod
    def bad() -> Example:
        """A projection that is drawn anew in each forward."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.project = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                self.project.reset_parameters()  # FXA202
                return torch.sigmoid(self.head(self.project(x)))

        def train() -> None:
            model, x = Net(), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The projection is drawn once."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.project = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.sigmoid(self.head(self.project(x)))

        def train() -> None:
            model, x = Net(), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)


def _message(audit: Audit, states: list[ParameterState], op: Op) -> str:
    if op.whole is not None:
        return f"forward assigns to all of {audit.names(states)} each time it runs"
    return f"forward overwrites {audit.names(states)} with `{op.name}` each time it runs"


def _mask(audit: Audit, op: Op) -> SourceLine | None:
    """Where the mask was made through which an assignment wrote everything."""
    made = [audit.record.values[vid].op for vid in op.inputs[1:]] if op.whole is not None else []
    masks = [number for number in made if number >= 0 and operations.of(audit.record.ops[number].name).compares]
    source = audit.op_source(masks[0]) if masks else None
    return source if source is not None and not source.library else None
