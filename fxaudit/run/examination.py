"""From a session to the report on it: the recording is frozen, and judged."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from fxaudit.answer.answer import Answer
from fxaudit.attempts import attempt
from fxaudit.capture.freeze import freeze
from fxaudit.capture.frozen import Mode, Recording
from fxaudit.capture.naming import ModelName
from fxaudit.capture.session import Session
from fxaudit.judge.write_up import Options, judged, unjudged_report

__all__ = ["examine", "unjudged"]


def examine(session: Session, models: Sequence[ModelName], mode: Mode, options: Options) -> Answer:
    """The report on what `session` has seen of `models` so far."""
    failures: list[str] = []
    found: Recording | None = attempt("the recording", lambda: freeze(session, models, mode), None, failures)
    if found is None:
        return unjudged(
            [(model.prefix, model.module) for model in models],
            options.title,
            (*options.notes, *session.notes),
            failures,
        )
    return judged(found, options)


def unjudged(named: Sequence[tuple[str, nn.Module]], title: str, notes: Sequence[str], failures: list[str]) -> Answer:
    """The report where not even a recording could be made; `named` are the models with the prefixes of their names."""

    def listed() -> list[tuple[str, bool]]:
        return [
            (prefix + name, parameter.requires_grad)
            for prefix, module in named
            for name, parameter in module.named_parameters()
        ]

    none: list[tuple[str, bool]] = []
    return unjudged_report(attempt("the names of the parameters", listed, none, failures), title, notes, failures)
