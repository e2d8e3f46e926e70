"""What the trainers have in common: the first steps of a loop are watched from its own hooks, and the verdict is told.

No batch is taken from anybody, and nothing that the loop computes is changed.
"""

from __future__ import annotations

import atexit
import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxaudit.answer.finding import LEVELS, Level
from fxaudit.errors import InvalidOptionError

if TYPE_CHECKING:
    from fxaudit.api import Expect, watch
    from fxaudit.report import Report

__all__ = ["SAVED", "LoopAudit", "figures"]

SAVED = ("fxaudit.html", "fxaudit.json")

_log = logging.getLogger("fxaudit")


class LoopAudit:
    """The audit of one trainer: begun and ended by its hooks, asked after every step.

    Args:
        expect: Name patterns and the verdicts expected of them, as for `fxaudit.audit`; or `fxaudit.peft()`.
        steps: Record this many steps instead of as many as are needed.
        stop_on: The quietest level of a finding that ends the training; None: it goes on whatever is found.
        save: The files to write, relative ones in the trainer's own folder; the suffix picks the format.
    """

    def __init__(
        self, *, expect: Expect | None, steps: int | None, stop_on: Level | None, save: Sequence[str | Path]
    ) -> None:
        from fxaudit.renderers import format_of

        if stop_on is not None and stop_on not in LEVELS:
            raise InvalidOptionError(f"`stop_on` is {stop_on!r}. Expected: None or one of {', '.join(LEVELS)}.")
        for name in save:
            format_of(name)
        self.report: Report | None = None
        """What was found so far; None until enough was seen."""
        self._expect, self._steps, self._stop_on = expect, steps, stop_on
        self._save = tuple(save)
        self._watch: watch | None = None

    def begin(
        self, model: Any, optimizers: Mapping[str, Any] | None = None, *, own_loop: bool = False, processes: int = 1
    ) -> None:
        """Watch from here on.

        Args:
            model: The module that is trained.
            optimizers: What is built already, by the names that the trainer has for it.
            own_loop: Whether the user wrote the loop.
            processes: How many train together.

        Raises:
            InvalidOptionError: `stop_on` is given, and there are several processes: one cannot stop alone.
        """
        from fxaudit.api import watch

        if self._stop_on is not None and processes > 1:
            raise InvalidOptionError(
                f"`stop_on` cannot end the training of {processes} processes: what they found is put together at its "
                "end. Leave `stop_on` out, or train with one process first."
            )
        self.end()
        self.report = None
        self._watch = watch(model, *(optimizers or {}).values(), expect=self._expect, steps=self._steps)
        self._watch.__enter__()
        if not own_loop:
            self._watch.in_trainer(optimizers or {})
        _end_with_the_process(self)

    def name(self, optimizers: Sequence[Any]) -> None:
        """These are the trainer's optimizers, built since: `optimizer`, or `optimizers[0]` and so on."""
        if self._watch is not None:
            alone = len(optimizers) == 1
            names = ["optimizer"] if alone else [f"optimizers[{n}]" for n in range(len(optimizers))]
            self._watch.in_trainer(dict(zip(names, optimizers, strict=True)))

    def when_enough(self, call: Callable[[], None]) -> None:
        """Call `call` within the step after which enough was seen."""
        if self._watch is not None:
            self._watch.when_settled(call)

    def look(self) -> Report | None:
        """The report, once: after the step at which enough was seen."""
        if self._watch is None or self.report is not None or not self._watch.settled:
            return None
        self.report = self._watch.report
        return self.report

    def end(self) -> Report | None:
        """Watch no more. The report where it is new, or says more than it did when enough was seen."""
        if self._watch is None:
            return None
        ended, told, self._watch = self._watch, self.report, None
        ended.__exit__(None, None, None)
        self.report = ended.report
        return self.report if told is None or told.findings != self.report.findings else None

    def wants_to_stop(self, report: Report) -> bool:
        """Whether a finding is loud enough to end the training."""
        return self._stop_on is not None and report.failing_on(self._stop_on).exit_code == 1

    def say(self, report: Report) -> None:
        """Tell Python's logger `fxaudit`: the causes as a warning, or that all is well as an information."""
        from fxaudit.renderers.text.terminal import render_causes

        if any(finding.level != "note" for finding in report.findings):
            _log.warning("%s", render_causes(report, width=100).rstrip("\n"))
        else:
            _log.info("%s", report.summary)

    def write(self, report: Report, folder: str | Path | None) -> list[Path]:
        """Write the files; those with a relative name only where there is a folder for them."""
        written = []
        for name in self._save:
            path = Path(name) if folder is None else Path(folder) / name
            if folder is None and not path.is_absolute():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(report.save(path))
        return written


def figures(report: Report) -> dict[str, float]:
    """The verdict as numbers for a logger of metrics: how many parameters have each verdict, and how many findings."""
    counts = {f"fxaudit/{verdict}": float(count) for verdict, count in report.verdicts().items()}
    for level in LEVELS:
        counts[f"fxaudit/{level}s"] = float(sum(finding.level == level for finding in report.findings))
    return counts


_OPEN: weakref.WeakSet[LoopAudit] = weakref.WeakSet()


def _end_with_the_process(audit: LoopAudit) -> None:
    """A trainer that dies calls no hook: take the wrappers off before the interpreter is gone."""
    if not _OPEN:
        atexit.register(_end_all)
    _OPEN.add(audit)


def _end_all() -> None:
    for audit in list(_OPEN):
        audit.end()
