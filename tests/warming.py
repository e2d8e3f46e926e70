"""What is paid once per process, so that forked copies need not pay it each."""

from __future__ import annotations

import torch

__all__ = ["pay_for_the_first_step", "pay_for_the_trace"]


def pay_for_the_first_step() -> None:
    """The first optimizer of a process takes a second for torch's own imports."""
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.ones(1)
    torch.optim.SGD([weight], lr=0.1).step()


def pay_for_the_trace() -> None:
    """Loading what traces a model's structure takes longer than to trace a small model."""
    import fxaudit.capture.symbolic.trace
    import fxaudit.run.structure  # noqa: F401
