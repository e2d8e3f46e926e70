"""Observing a loop from outside: what `run` and `watch` share."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from torch import nn

from fxaudit.assemble import Options, examine
from fxaudit.capture.hooks_autograd import note_hand_updates
from fxaudit.capture.naming import ModelName, models_seen
from fxaudit.capture.session import Session
from fxaudit.report import Report
from fxaudit.rule import Rule
from fxaudit.rules import RULES
from fxaudit.settling import Settling

__all__ = ["Observation"]

PROGRESS_SECONDS = 2.0
"""How long nothing is said of the progress, at first and between two lines."""


class Observation:
    """A session together with the decision when enough was seen."""

    def __init__(
        self,
        *,
        title: str = "",
        steps: int | None = None,
        expect: Mapping[str, str] | None = None,
        rules: Sequence[type[Rule]] = RULES,
        progress: Callable[[str], None] | None = None,
        models: Sequence[tuple[str, nn.Module]] = (),
    ) -> None:
        self.session = Session()
        self.settling = Settling(self.session, steps)
        self.title = title
        self.expect = dict(expect or {})
        self.rules = rules
        self.on_enough: Callable[[], None] | None = None
        self.on_refusal: Callable[[str], None] | None = None
        self._progress = progress
        self._told_at = 0.0
        self._told = ""
        self._given = list(models)
        self._made: Report | None = None
        self._ended = False

    @contextlib.contextmanager
    def watching(self) -> Iterator[Session]:
        """Record what runs inside."""
        self.session.on_progress = self._look
        self._told_at = time.monotonic()
        self.session.on_refusal = self._refused
        raise_stack_limit()
        with self.session.recording():
            for name, model in self._given:
                self.session.module_info(model)
                if name:
                    self.session.variables[id(model)] = name
            yield self.session

    def _refused(self, kind: str) -> None:
        if self.on_refusal is not None:
            self.on_refusal(kind)

    def go_on_leniently(self) -> None:
        """This process is a forked copy now: it goes on where PyTorch would refuse."""
        self.session.lenient = True
        self.session.recorder.process = os.getpid()
        self.on_refusal = None

    def _look(self) -> None:
        self._tell()
        self.settling.look()
        if self.settling.done and self.on_enough is not None:
            if self._progress is not None and self._told:
                self._progress("enough was recorded")
            self._made = self._made or self._examine()
            self.on_enough()

    def _tell(self) -> None:
        """Say how far it is, seldom; nothing at all of a short run."""
        if self._progress is None or time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        steps = max((info.steps for info in self.session.optimizers), default=0)
        backwards = len(self.session.record.backwards())
        if not steps and backwards < 2:
            return  # its step is about to come
        text = f"step {steps} recorded" if steps else f"backward {backwards} recorded"
        if text != self._told:
            self._progress(text)
            self._told, self._told_at = text, time.monotonic()

    def stop_recording(self) -> None:
        """Take the wrappers off and keep nothing; the report made so far stands."""
        self.on_enough = None
        self.session.detach()
        self.session.release()

    def release(self) -> None:
        """Let go of everything of the user's; the report made so far stands."""
        self.session.release()
        self._given.clear()

    def report(self) -> Report:
        """The report on what was seen so far, or when it was enough."""
        return self._made if self._made is not None else self._examine()

    def _examine(self) -> Report:
        note_hand_updates(self.session)
        self.session.look_at_names()
        models = self._models()
        looped = True
        options = Options(
            expect=self.expect,
            rules=self.rules,
            title=self.title,
            looped=looped,
            optimizers_known=True,
        )
        return examine(self.session, models, options)

    def _models(self) -> list[ModelName]:
        if not self._given:
            return models_seen(self.session)
        single = len(self._given) == 1
        return [
            ModelName(self.session.module_info(model), model, "" if single or not name else f"{name}.")
            for name, model in self._given
        ]


def raise_stack_limit() -> None:
    """Let the main thread's stack grow: torch frees a long chain of autograd nodes seen from Python recursively.

    Torch 2.6 to 2.13: a node once seen from Python keeps its Python object for life, and dropping the loss of a graph
    more than some 30,000 nodes deep overflows the usual 8 MB. The soft limit counts when the stack grows, so raising
    it helps the running process (Linux, main thread).
    """
    if sys.platform != "linux":
        return
    import resource

    wanted = 1 << 30
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(
            resource.RLIMIT_STACK, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
