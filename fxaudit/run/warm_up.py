"""Whether a learning rate that waits at 0 will leave it: its scheduler is asked, in a copy of the process."""

from __future__ import annotations

import gc
import warnings
from typing import Any

from torch.optim import lr_scheduler

from fxaudit.capture.values import number_of
from fxaudit.run.copy import can_fork, in_copy

__all__ = ["rises_later"]

STEPS = 1000
"""So many steps of the schedulers are tried."""


def rises_later(optimizer: Any) -> bool:
    """Whether all rates of `optimizer` are 0 now, and its schedulers raise one of them later."""
    if not optimizer.param_groups or _rises(optimizer) or not can_fork():
        return False
    schedulers = [
        thing
        for thing in gc.get_objects()
        if issubclass(type(thing), lr_scheduler.LRScheduler) and getattr(thing, "optimizer", None) is optimizer
    ]
    if not schedulers:
        return False

    def work() -> str:
        warnings.simplefilter("ignore")
        for _ in range(STEPS):
            for scheduler in schedulers:
                scheduler.step()
            if _rises(optimizer):
                return "yes"
        return ""

    answer, _ = in_copy(work)
    return answer == "yes"


def _rises(optimizer: Any) -> bool:
    return any(number_of(group.get("lr")) != 0 for group in optimizer.param_groups)
