"""Trials of an audit: it is made again in a forked copy, in which live functions have the code of an edited text."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping

from fxaudit.answer.answer import Answer
from fxaudit.answer.document import from_text, to_text
from fxaudit.capture.session import active_session
from fxaudit.program.source import actual_path, forget_texts
from fxaudit.run.copy import can_fork, in_copy
from fxaudit.run.mending import Ran, Texts
from fxaudit.run.overlay import lay_over
from fxaudit.run.recompiled import Exchange, Untriable, is_what_runs

__all__ = ["AuditTrials", "LiveTexts", "NoTrials"]

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
    """An audit made again, with other texts in the place of its files.

    Args:
        audit: What makes it.
        texts: The texts of the files now.
        alone: How many seconds it took.
    """

    subject = "audit"

    def __init__(self, audit: Callable[[], Answer], texts: Texts, alone: float, steps: int) -> None:
        self.audit, self.texts = audit, texts
        self.steps: int | None = steps
        self.limit = max(AT_LEAST, TIMES * alone)
        self.count = 0

    def run(self, texts: Mapping[str, str], *, steps: int | None = None) -> Ran:
        """The audit with `texts` (real path → text)."""
        if not can_fork():
            return Ran(None, "this process cannot be forked to run anything with it", possible=False)
        self.count += 1
        begun = time.monotonic()
        said, why = in_copy(lambda: self._made_again(texts), self.limit)
        if said is None:
            late = time.monotonic() - begun > self.limit - 0.5
            return Ran(None, f"it did not end within {self.limit:.0f} seconds" if late else why)
        found = json.loads(said)
        if found["untriable"]:
            return Ran(None, found["untriable"], possible=False)
        return Ran(from_text(found["report"]), "")

    def _made_again(self, texts: Mapping[str, str]) -> str:
        """In the copy: the report, or why the edit cannot be tried."""
        known = {os.path.realpath(actual_path(file)): text for file, text in self.texts.known.items()}
        exchange = Exchange()
        try:
            for path, text in texts.items():
                old = known.get(path)
                if old is not None and text != old:
                    exchange.put(path, old, text)
        except Untriable as error:
            return json.dumps({"untriable": str(error), "report": None})
        session = active_session()
        if session is not None:  # an outer `watch` goes on recording in this copy
            session.recorder.process = os.getpid()
        lay_over({**texts, **exchange.spelled})
        forget_texts()
        with exchange:
            report = self.audit()
        if exchange.missing:
            names = ", ".join(exchange.missing.values())
            return json.dumps({"untriable": f"{names} ran before the audit, and does not run in it", "report": None})
        return json.dumps({"untriable": "", "report": to_text(report)})
