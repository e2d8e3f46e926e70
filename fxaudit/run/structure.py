"""From models to the report on their structure: each is traced, and the trace written down as if it were recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from fxaudit.answer.answer import Answer
from fxaudit.capture.collector import collector_seldom
from fxaudit.capture.freeze import freeze
from fxaudit.capture.frozen import Mode
from fxaudit.capture.naming import ModelName
from fxaudit.capture.recording import HeardLines, LiveRecord
from fxaudit.capture.session import Session, active_session
from fxaudit.capture.symbolic.other_ways import with_hinges
from fxaudit.capture.symbolic.trace import SymbolicTrace, trace
from fxaudit.capture.symbolic.transcript import TraceStacks, written_down
from fxaudit.capture.watch.optimizers import note_construction
from fxaudit.errors import InvalidModelError
from fxaudit.judge.rule import Rule
from fxaudit.judge.structure.audit import judged_structure
from fxaudit.judge.write_up import Options

__all__ = ["symbolic_report", "without_recording"]


def symbolic_report(
    named: Sequence[tuple[str, nn.Module]],
    optimizers: Sequence[Any],
    expect: Mapping[str, str],
    rules: Sequence[type[Rule]],
    inputs: tuple[Any, ...] | dict[str, Any] | None = None,
) -> Answer:
    """The report of `audit(model)`: what the structure of the models says, with their outputs in place of a loss.

    Nothing is executed, so that data, devices and sizes do not matter, and nothing of the models changes.

    Args:
        named: The models with their names; one model alone needs none.
        optimizers: The optimizers, or nothing; then every parameter that requires grad is taken as meant to train.
        expect: Name patterns and the verdicts expected of what they match.
        rules: The rules to ask. Those about the loop and about gradient values have nothing to say.
        inputs: Arguments of the one model, of whose tensors only the shapes and types are used.

    Returns:
        The report. What the trace could not settle is `unknown`, with the reason.

    Raises:
        InvalidModelError: There is no parameter, registered or not.
    """
    with without_recording(), collector_seldom():
        session = _session()
        models = _models(session, named, optimizers)
        traces = [_traced(module, inputs) for _, module in named]
        written = written_down(session, models, traces)
        mode = Mode("structure", optimizers_known=bool(optimizers))
        recording = freeze(session, models, mode, type(named[0][1]).__name__)
        ended = all(found.status == "traced" for found in traces)
        recording.record.lines = HeardLines({}, is_whole=False, nothing_raised=ended)
        report = judged_structure(recording, written, Options(expect=expect, rules=rules))
        if not report.parameters:
            raise InvalidModelError(
                f"`model` is {_described(named)} without any parameter. Expected: a module with parameters to train."
            )
        return report


def _traced(module: nn.Module, inputs: tuple[Any, ...] | dict[str, Any] | None) -> SymbolicTrace:
    """The trace of the model, which knows what hinges on the conditions that it had to assume."""
    found = trace(module, inputs)
    return with_hinges(found, lambda place: trace(module, inputs, turned=place))


@contextlib.contextmanager
def without_recording() -> Iterator[None]:
    """A watch that is going on does not see the trace."""
    active = active_session()
    if active is None:
        yield
        return
    before = active.recorder.paused
    active.recorder.paused = True
    try:
        yield
    finally:
        active.recorder.paused = before


def _session() -> Session:
    """A session for the trace, which knows where things were made if a watch is going on."""
    session = Session()
    active = active_session()
    session.record = LiveRecord(stacks=TraceStacks(active.record.stacks if active is not None else None))
    session.recorder = type(session.recorder)(session.record)
    if active is not None:
        session.record.tracks = [
            replace(track, values=[], facts=[], hand_updates=0, hand_gradient=False) for track in active.record.tracks
        ]
        session.recorder._tracks = dict(active.recorder._tracks)
        session.modules = [replace(info, calls=0) for info in active.modules]
        session._by_id = dict(active._by_id)
        session.names, session.owners = dict(active.names), dict(active.owners)
        session.variables = dict(active.variables)
    return session


def _models(session: Session, named: Sequence[tuple[str, nn.Module]], optimizers: Sequence[Any]) -> list[ModelName]:
    """The models and optimizers, made known to the session."""
    models = []
    for name, module in named:
        info = session.module_info(module)
        models.append(ModelName(info, module, "" if len(named) == 1 else f"{name}."))
        session.note_names(info, module)
    active = active_session()
    for optimizer in optimizers:
        built = active._optimizer_by_id.get(id(optimizer)) if active is not None else None
        if active is None or built is None:
            note_construction(session, optimizer, -1)
            continue
        info_then = active.optimizers[built]
        session.optimizers.append(replace(info_then, index=len(session.optimizers), wrapper_of=-1))
        session._optimizer_by_id[id(optimizer)] = len(session.optimizers) - 1
        session.look_at_groups(session.optimizers[-1], optimizer)
    session.record.events.clear()
    return models


def _described(named: Sequence[tuple[str, nn.Module]]) -> str:
    if len(named) == 1:
        return f"a {type(named[0][1]).__name__}"
    return "a dict of modules"
