"""Accelerate: the first steps of a loop that is your own, between `prepare` and the end of training.

with audited(accelerator) as audit:
    for batch in loader: ...
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fxaudit.errors import InvalidModelError
from fxaudit.integrations.hosts import host
from fxaudit.integrations.loggers import hand_over
from fxaudit.integrations.watching import SAVED, LoopAudit, figures

if TYPE_CHECKING:
    from fxaudit.answer.finding import Level
    from fxaudit.api import Expect
    from fxaudit.report import Report

__all__ = ["audited"]

host("fxaudit.integrations.accelerate", "accelerate")


class audited:
    """Audits the first steps of the block as they happen: no batch is taken, and what is trained stays the same.

    It knows the models and optimizers that the accelerator has prepared. The verdict goes to Python's logger `fxaudit`,
    to the accelerator's trackers (figures to all, the text to TensorBoard, the files to Weights & Biases), and into
    files: as soon as enough was seen, at the latest at the end of the block; with several processes always there.

    Args:
        accelerator: The `accelerate.Accelerator` of the loop.
        expect: Name patterns and the verdicts expected of them, as for `fxaudit.audit`; or `fxaudit.peft()`.
        steps: Record this many steps instead of as many as are needed.
        stop_on: The quietest level of a finding ("error", "warning", "note") at which the block is left: the program
            goes on behind it.
        save: The files to write; relative ones go to the accelerator's `logging_dir`, or nowhere if it has none.
    """

    def __init__(
        self,
        accelerator: Any,
        *,
        expect: Expect | None = None,
        steps: int | None = None,
        stop_on: Level | None = None,
        save: Sequence[str | Path] = SAVED,
    ) -> None:
        self._accelerator = accelerator
        self._audit = LoopAudit(expect=expect, steps=steps, stop_on=stop_on, save=save)

    @property
    def report(self) -> Report | None:
        """What was found; None until enough was seen."""
        return self._audit.report

    def __enter__(self) -> audited:
        """Begin with what was prepared so far."""
        accelerator = self._accelerator
        models = [accelerator.unwrap_model(model) for model in accelerator._models]
        if not models:
            raise InvalidModelError(
                "The accelerator has prepared no model yet. Expected: `accelerator.prepare(model, …)` before the block."
            )
        model = models[0] if len(models) == 1 else {f"model{n}": model for n, model in enumerate(models, 1)}
        optimizers = {f"optimizer{n}": held for n, held in enumerate(accelerator._optimizers, 1)}
        self._audit.begin(model, optimizers, own_loop=True, processes=accelerator.num_processes)
        self._audit.when_enough(self._enough)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        """Tell the verdict, where it was not told; what ended the block because of `stop_on` ends here."""
        report = self._audit.end()
        if report is not None:
            self._tell(report)
        return isinstance(error, _Stop) and error.args[0] is self

    def _enough(self) -> None:
        if self._accelerator.num_processes == 1 and (report := self._audit.look()) is not None:
            self._tell(report)
            if self._audit.wants_to_stop(report):
                raise _Stop(self)

    def _tell(self, report: Report) -> None:
        accelerator = self._accelerator
        if not accelerator.is_main_process:
            return
        self._audit.say(report)
        files = self._audit.write(report, accelerator.logging_dir)
        for tracker in accelerator.trackers:
            tracker.log(figures(report), step=None)
            hand_over(tracker.tracker, report, files, 0)


class _Stop(BaseException):
    """Leaves the block; no `except Exception` of a loop catches it."""
