"""From a session to the report on it: the recording is frozen, and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import nn

from fxaudit.answer.answer import Answer
from fxaudit.attempts import attempt
from fxaudit.capture.freeze import environment, freeze
from fxaudit.capture.frozen import Mode, Recording
from fxaudit.capture.naming import ModelName
from fxaudit.capture.session import Session
from fxaudit.judge.write_up import Options, judged, unjudged_report

__all__ = ["examine", "unjudged"]


def examine(
    session: Session,
    models: Sequence[ModelName],
    mode: Mode,
    options: Options,
    title: str,
    notes: Sequence[str] = (),
    keep: Callable[[Recording], None] | None = None,
) -> Answer:
    """The report on what `session` has seen of `models` so far; `keep` gets the recording, too."""
    failures: list[str] = []
    recording: Recording | None = attempt(
        "the recording", lambda: freeze(session, models, mode, title, notes), None, failures
    )
    if recording is None:
        named = [(model.prefix, model.module) for model in models]
        return unjudged(named, title, (*notes, *session.notes, *failures))
    answer = judged(recording, options)
    if keep is not None:
        unkept: list[str] = []
        attempt("writing the recording", lambda: keep(recording), None, unkept)
        answer = replace(answer, notes=(*answer.notes, *unkept))
    return answer


def unjudged(named: Sequence[tuple[str, nn.Module]], title: str, notes: Sequence[str]) -> Answer:
    """The report where not even a recording could be made; `named` are the models with the prefixes of their names."""

    def listed() -> list[tuple[str, bool]]:
        return [
            (prefix + name, parameter.requires_grad)
            for prefix, module in named
            for name, parameter in module.named_parameters()
        ]

    none: list[tuple[str, bool]] = []
    failures: list[str] = []
    found = attempt("the names of the parameters", listed, none, failures)
    return unjudged_report(found, title, environment(), (*notes, *failures))
