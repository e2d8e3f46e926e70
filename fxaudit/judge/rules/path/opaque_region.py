"""FXA112."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState

__all__ = ["OpaqueRegion"]

SCRIPTED = frozenset({"OptimizedModule", "RecursiveScriptModule", "ScriptModule", "TopLevelTracedModule"})
"""The classes of modules whose inside runs without Python."""


class OpaqueRegion(Rule):
    """Part of the forward runs where nothing can be recorded.

    Scripted and compiled code and C++ extensions are one opaque step. Gradients through them are followed by the
    autograd graph, but a line inside cannot be named.
    """

    code, name, level = "FXA112", "opaque-region", "warning"
    fix = (
        "Audit the eager model to see the line: set `TORCH_COMPILE_DISABLE=1`, or `PYTORCH_JIT=0` for "
        "`torch.jit.script`, for one run."
    )

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line at which a value from such code is first used."""
        record = audit.record
        foreign = {value.index for value in record.values if value.foreign and value.index in audit.graph.reaching}
        users = [op for op in audit.graph.ops if foreign.intersection(op.inputs)]
        lines = [op.stack for op in users] or audit.recording.compiled_calls
        if not lines:
            return
        running = {record.calls[op.module].module for op in users if op.module >= 0}
        states = [
            state
            for state in audit.unexplained("unreachable")
            if not audit.graph.is_read(state.index)
            and (audit.recording.compiled_calls or _is_used_unseen(audit, state, running))
        ]
        if states:
            yield self.finding(
                audit,
                states,
                f"what happens to {audit.names(states)} is inside code that cannot be recorded",
                audit.source(lines[0]),
                level="warning" if audit.is_held(states) else "note",
            )

    @staticmethod
    def bad() -> Example:
        """A scripted function in which the shift is detached."""
        import torch
        from torch import nn

        @torch.jit.script
        def affine(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
            return x * scale + shift.detach()

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.scale = nn.Parameter(torch.ones(4))
                self.shift = nn.Parameter(torch.zeros(4))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.tanh(affine(x, self.scale, self.shift))  # FXA112

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """Without the script the detach is found at its own line, and is gone."""
        import torch
        from torch import nn

        def affine(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
            return x * scale + shift

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.scale = nn.Parameter(torch.ones(4))
                self.shift = nn.Parameter(torch.zeros(4))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.tanh(affine(x, self.scale, self.shift))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _is_used_unseen(audit: Audit, state: ParameterState, running: set[int]) -> bool:
    """Whether the parameter's own module uses values from opaque code, or is itself scripted or compiled."""
    if state.root is None:
        return False
    parts = state.local_name.split(".")[:-1]
    way = audit.recording.way(state.root, ".".join(parts))
    if any(module.type in SCRIPTED for module in way):
        return True
    return len(way) == len(parts) + 1 and way[-1].index in running
