"""FXA112."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.finding import Finding
from fxaudit.rule import Audit, Example, Rule

__all__ = ["OpaqueRegion"]


class OpaqueRegion(Rule):
    """Part of the forward runs where nothing can be recorded.

    Scripted and compiled code and C++ extensions are one opaque step. Gradients through them are followed by the
    autograd graph, but a line inside cannot be named.
    """

    code, name, level = "FXA112", "opaque-region", "note"
    fix = "Audit the eager model to see the line: leave out `torch.jit.script` or `torch.compile` for one run."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding if an unreachable parameter remains and values of unknown origin reach the loss."""
        states = [s for s in audit.unexplained("unreachable") if not audit.graph.reaches_by_data(s.index)]
        foreign = [v for v in audit.record.values if v.foreign and v.index in audit.graph.reaching]
        if states and foreign:
            user = next((op for op in audit.graph.ops if foreign[0].index in op.inputs), None)
            yield self.finding(
                audit,
                states,
                f"what happens to {audit.names(states)} is inside code that cannot be recorded",
                audit.source(user.stack) if user is not None else None,
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
                h = affine(x, self.scale, self.shift)  # FXA112
                return torch.tanh(h)

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The same without the script: the detach is found at its own line."""
        import torch
        from torch import nn

        def affine(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
            return x * scale + shift.detach()

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.scale = nn.Parameter(torch.ones(4))
                self.shift = nn.Parameter(torch.zeros(4))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = affine(x, self.scale, self.shift)
                return torch.tanh(h)

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
