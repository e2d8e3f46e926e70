"""What a target makes, made again with edited files in a copy of the process: how `check --fix` tries an edit."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer
    from fxaudit.run.mending import Mended

__all__ = ["Making"]


class Making:
    """The making of an audit's arguments. Where it is made before `make` is called, that can be done again.

    Args:
        make: Loads the target, calls it, and returns the arguments.
    """

    def __init__(self, make: Callable[[], dict[str, object]]) -> None:
        import torch

        self.make = make
        self._known = set(sys.modules)
        self._random = random.getstate(), torch.get_rng_state()
        self._started = time.time()

    def mended(self, arguments: dict[str, object]) -> Mended:
        """The audit of `arguments`, with a patch for what is found."""
        from fxaudit.api import audit
        from fxaudit.run.closure_trials import AuditTrials
        from fxaudit.run.mending import Texts, mend

        arguments.pop("fix", None)  # everything is made again, which tries more than what is there
        begun = time.monotonic()
        given = cast("dict[str, Any]", arguments)
        report = audit(**given)
        trials = AuditTrials(self._again, time.monotonic() - begun, given.get("steps", 5))
        return mend(report, trials, Texts(self._started))

    def _again(self, texts: Mapping[str, str]) -> Answer:
        from fxaudit.api import audit
        from fxaudit.run.overlay import lay_over

        lay_over(texts)
        self._forget()
        return audit(**cast("dict[str, Any]", {**self.make(), "prove": False, "fix": False}))

    def _forget(self) -> None:
        """The project's modules are loaded anew, and draw what they drew."""
        import torch

        from fxaudit.program.source import forget_texts, is_library

        for name in set(sys.modules) - self._known:
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and file.endswith(".py") and not is_library(file):
                del sys.modules[name]
        forget_texts()
        random.setstate(self._random[0])
        torch.set_rng_state(self._random[1])
