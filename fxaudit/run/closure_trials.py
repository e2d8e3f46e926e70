"""Trials of an audit: it is made again in a forked copy, in which live functions have the code of an edited text."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping

from fxaudit.answer.answer import Answer
from fxaudit.answer.document import from_text, to_text
from fxaudit.capture.session import active_session
from fxaudit.program.config_files import SUFFIXES
from fxaudit.program.source import actual_path, forget_texts
from fxaudit.run.copy import can_fork, in_copy
from fxaudit.run.mending import Ran, Texts
from fxaudit.run.overlay import lay_over
from fxaudit.run.read_only import write_nothing
from fxaudit.run.recompiled import Exchange, Untriable, is_what_runs

__all__ = ["AuditTrials", "LiveTexts", "NoTrials", "in_place"]

Again = Callable[[Mapping[str, str]], Answer]

AT_LEAST, TIMES = 30.0, 6.0
"""A trial may take so many seconds, or so many times as long as the audit did."""


class LiveTexts(Texts):
    """The texts of files whose functions are there: those that were changed since are not what runs."""

    def __init__(self) -> None:
        super().__init__(float("inf"))

    def _read(self, file: str) -> str | None:
        text = super()._read(file)
        if text is not None and file.endswith(".py") and not is_what_runs(actual_path(file), text):
            self.reasons[file] = f"{file} was changed since it was loaded"
            return None
        return text


class NoTrials:
    """Where nothing can be run again, and why."""

    subject = "audit"

    def __init__(self, why: str) -> None:
        self.why = why
        self.count = 0
        self.steps: int | None = None

    def run(self, texts: Mapping[str, str], *, steps: int | None = None) -> Ran:
        """None."""
        return Ran(None, self.why, possible=False)


class AuditTrials:
    """An audit made again in copies of this process.

    Args:
        again: Makes it with other texts (real path → text); nothing it changes reaches this process.
        alone: How many seconds the audit took.
        steps: How many steps it rehearses at most.

    Raises:
        Untriable: `again` may raise it where the texts cannot be put in the place of what runs.
    """

    subject = "audit"

    def __init__(self, again: Again, alone: float, steps: int) -> None:
        self.again = again
        self.steps: int | None = steps
        self.limit = max(AT_LEAST, TIMES * alone)
        self.count = 0

    def run(self, texts: Mapping[str, str], *, steps: int | None = None) -> Ran:
        """The audit with `texts` (real path → text)."""
        if not can_fork():
            return Ran(None, "this process cannot be forked to run anything with it", possible=False)
        self.count += 1
        begun = time.monotonic()
        said, why = in_copy(lambda: self._said(texts), self.limit)
        if said is None:
            late = time.monotonic() - begun > self.limit - 0.5
            return Ran(None, f"it did not end within {self.limit:.0f} seconds" if late else why)
        report, untriable = json.loads(said)
        return Ran(from_text(report), "") if report else Ran(None, untriable, possible=False)

    def _said(self, texts: Mapping[str, str]) -> str:
        write_nothing()
        try:
            return json.dumps([to_text(self.again(texts)), ""])
        except Untriable as error:
            return json.dumps([None, str(error)])


def in_place(audit: Callable[[], Answer], known: Mapping[str, str | None]) -> Again:
    """The audit made again with what is there: live functions get the code that their text has now.

    Args:
        audit: Makes it.
        known: The texts that run: file, as reports print it → text.
    """

    def again(texts: Mapping[str, str]) -> Answer:
        olds = {os.path.realpath(actual_path(file)): text for file, text in known.items()}
        exchange = Exchange()
        for path, text in texts.items():
            old = olds.get(path)
            if old is not None and text != old and path.endswith(SUFFIXES):
                raise Untriable(f"{os.path.basename(path)} was read before the audit")
            if old is not None and text != old:
                exchange.put(path, old, text)
        session = active_session()
        if session is not None:  # an outer `watch` goes on recording in this copy
            session.recorder.process = os.getpid()
        lay_over({**texts, **exchange.spelled})
        forget_texts()
        with exchange:
            report = audit()
        if exchange.missing:
            raise Untriable(f"{', '.join(exchange.missing.values())} ran before the audit, and does not run in it")
        return report

    return again
