"""Hugging Face transformers: a callback that audits the first steps of `Trainer.train`.

    trainer = Trainer(model, args, train_dataset=data, callbacks=[AuditCallback()])

TRL's trainers and sentence-transformers' take the same callback.
"""

from __future__ import annotations

import copy
import sys
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

_transformers: Any = host("fxaudit.integrations.transformers", "transformers")


class AuditCallback(_transformers.TrainerCallback):  # type: ignore[misc]
    """Audits the first steps of a training as they happen: no batch is taken, and what is trained stays the same.

    When enough was seen, mostly after three steps, the verdict goes to Python's logger `fxaudit`, to whatever the
    trainer reports to (figures to all, the text to TensorBoard, the files to Weights & Biases), and into files in the
    output directory. With several processes that happens at the end of the training, put together, on rank 0.

    A training that dies calls no callback: its verdict is told at the next training, at `close()`, or when Python ends.

    Args:
        expect: Name patterns and the verdicts expected of them, as for `fxaudit.audit`; or `fxaudit.peft()`.
        steps: Record this many steps instead of as many as are needed.
        stop_on: The quietest level of a finding ("error", "warning", "note") at which the training stops.
        save: The files to write; relative ones go to the output directory.
    """

    def __init__(
        self,
        *,
        expect: Expect | None = None,
        steps: int | None = None,
        stop_on: Level | None = None,
        save: Sequence[str | Path] = SAVED,
    ) -> None:
        self._audit = LoopAudit(expect=expect, steps=steps, stop_on=stop_on, save=save)
        self._reporters: list[Any] = []

    @property
    def report(self) -> Report | None:
        """What was found; None until enough was seen."""
        return self._audit.report

    def close(self) -> None:
        """Watch no more, where a training died."""
        self._audit.end()

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Begin, as the model and its optimizer are ready."""
        optimizer = kwargs.get("optimizer")
        self._reporters = _reporters(self)
        self._audit.begin(model, {"optimizer": optimizer} if optimizer is not None else {}, processes=args.world_size)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """Tell the verdict as soon as enough was seen."""
        if args.world_size == 1 and (report := self._audit.look()) is not None:
            self._tell(args, state, control, report)
            control.should_training_stop = control.should_training_stop or self._audit.wants_to_stop(report)
        return control

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell it at the end, where enough was never seen."""
        report = self._audit.end()
        if report is not None:
            self._tell(args, state, control, report)

    def _tell(self, args: Any, state: Any, control: Any, report: Report) -> None:
        if not state.is_world_process_zero:
            return
        self._audit.say(report)
        files = self._audit.write(report, args.output_dir)
        for reporter in self._reporters:
            reporter.on_log(args, state, copy.copy(control), logs=figures(report))
            for attribute in ("tb_writer", "_wandb"):
                kept = getattr(reporter, attribute, None)
                experiment = getattr(kept, "run", kept)
                if experiment is not None:
                    hand_over(experiment, report, files, state.global_step)


def _reporters(callback: AuditCallback) -> list[Any]:
    """The callbacks beside this one that carry logs elsewhere; the trainer hands no list of them to anybody."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        others = getattr(frame.f_locals.get("self"), "callbacks", None)
        if isinstance(others, list) and any(one is callback for one in others):
            return [one for one in others if type(one).__module__.startswith("transformers.integrations")]
        frame = frame.f_back
    return []
