"""Lightning: a callback that audits the first steps of `Trainer.fit`.

    trainer = Trainer(callbacks=[AuditCallback()])

Works with `lightning` and with `pytorch_lightning`, whichever the program imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxaudit.integrations.hosts import host
from fxaudit.integrations.loggers import hand_over
from fxaudit.integrations.watching import SAVED, LoopAudit, figures

if TYPE_CHECKING:
    from fxaudit.answer.finding import Level
    from fxaudit.api import Expect
    from fxaudit.report import Report

__all__ = ["AuditCallback"]

_lightning: Any = host("fxaudit.integrations.lightning", "lightning.pytorch", "pytorch_lightning")


class AuditCallback(_lightning.Callback):  # type: ignore[misc]
    """Audits the first steps of a fit as they happen: no batch is taken, and what is trained stays the same.

    When enough was seen, mostly after three steps, the verdict goes to Python's logger `fxaudit`, to the trainer's
    loggers (figures to all, the text to TensorBoard, the files to Weights & Biases), and into files beside the logs.
    With several processes that happens at the end of the fit, put together, on rank 0.

    Args:
        expect: Name patterns and the verdicts expected of them, as for `fxaudit.audit`; or `fxaudit.peft()`.
        steps: Record this many steps instead of as many as are needed.
        stop_on: The quietest level of a finding ("error", "warning", "note") at which the trainer is asked to stop.
        save: The files to write; relative ones go to the logger's folder, else to `default_root_dir`.
    """

    def __init__(
        self,
        *,
        expect: Expect | None = None,
        steps: int | None = None,
        stop_on: Level | None = None,
        save: Sequence[str | Path] = SAVED,
    ) -> None:
        super().__init__()
        self._audit = LoopAudit(expect=expect, steps=steps, stop_on=stop_on, save=save)

    @property
    def report(self) -> Report | None:
        """What was found; None until enough was seen."""
        return self._audit.report

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Begin before `configure_optimizers`, to see where optimizers are built."""
        if stage == "fit":
            self._audit.begin(pl_module, processes=trainer.world_size)

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """The optimizers are built."""
        self._audit.name(trainer.optimizers)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *args: Any, **kwargs: Any) -> None:
        """Tell the verdict as soon as enough was seen."""
        if trainer.world_size == 1 and (report := self._audit.look()) is not None:
            self._tell(trainer, report)
            trainer.should_stop = trainer.should_stop or self._audit.wants_to_stop(report)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Tell it at the end, where enough was never seen."""
        report = self._audit.end()
        if report is not None:
            self._tell(trainer, report)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """A fit that dies has its verdict, too."""
        self.on_train_end(trainer, pl_module)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Nothing is watched any more, whatever happened."""
        self._audit.end()

    def _tell(self, trainer: Any, report: Report) -> None:
        if not trainer.is_global_zero:
            return
        self._audit.say(report)
        loggers = trainer.loggers
        folder = next((kept.log_dir or kept.save_dir for kept in loggers if kept.log_dir or kept.save_dir), None)
        files = self._audit.write(report, folder or trainer.default_root_dir)
        for kept in loggers:
            kept.log_metrics(figures(report), step=trainer.global_step)
            hand_over(kept.experiment, report, files, trainer.global_step)
