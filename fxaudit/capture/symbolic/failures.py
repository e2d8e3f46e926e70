"""What becomes of a forward that cannot be traced: why and where it failed, and what is made opaque instead."""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any

import torch

from fxaudit.capture.symbolic.recorder import Recorder
from fxaudit.capture.symbolic.rules import tensors_in
from fxaudit.capture.symbolic.values import Symbol, TraceStopped
from fxaudit.program.source import Frame, SourceLine, displayed_path, qualified_name, running_text

__all__ = ["OpaqueFunctions", "describe", "parameters_of", "unwrapped", "wanted_inputs"]

MAX_OPAQUE_FUNCTIONS = 40
MAX_SHARE_OF_PARAMETERS = 0.5


class OpaqueFunctions:
    """Helper functions that cannot be followed, each replaced by one that records an opaque call."""

    def __init__(
        self,
        model: torch.nn.Module,
        recorder: Recorder,
        replace: Callable[[Any, str, object], None],
        foreign: Callable[[], bool],
    ) -> None:
        self.recorder = recorder
        self._replace = replace
        self._foreign = foreign
        self._codes: set[CodeType] = set()
        self._total = sum(1 for _ in model.parameters())

    def add(self, error: BaseException, module: torch.nn.Module, reason: str, source: SourceLine | None) -> bool:
        """Make the innermost helper function in which the forward failed opaque; False if there is none."""
        if len(self._codes) >= MAX_OPAQUE_FUNCTIONS:
            return False
        entries = _user_entries(error, self.recorder)
        forward = getattr(unwrapped(getattr(module, "forward", None)), "__code__", None)
        first = max((index for index, entry in enumerate(entries) if entry.tb_frame.f_code is forward), default=0)
        for index in range(len(entries) - 1, first, -1):
            code = entries[index].tb_frame.f_code
            if code in self._codes or code.co_name in ("<module>", "forward", "__call__", "__init__"):
                continue
            spaces = [entries[index].tb_frame.f_globals, entries[index - 1].tb_frame.f_globals]
            if self._patch_function(code, spaces, reason, source) or self._patch_method(
                code, entries[index], reason, source
            ):
                self._codes.add(code)
                return True
        return False

    def _patch_function(
        self, code: CodeType, spaces: list[dict[str, Any]], reason: str, source: SourceLine | None
    ) -> bool:
        found = False
        for space in {id(space): space for space in spaces}.values():
            for name, value in list(space.items()):
                if callable(value) and not isinstance(value, type) and _code_of(value) is code:
                    self._replace(space, name, self._opaque_function(value, None, reason, source))
                    found = True
        return found

    def _patch_method(self, code: CodeType, entry: TracebackType, reason: str, source: SourceLine | None) -> bool:
        if not code.co_varnames or code.co_argcount == 0:
            return False
        owner = entry.tb_frame.f_locals.get(code.co_varnames[0])
        if owner is None or isinstance(owner, type | Symbol):
            return False
        if isinstance(owner, torch.nn.Module):
            covered = sum(1 for _ in _parameters_named(owner, code))
            if covered > MAX_SHARE_OF_PARAMETERS * self._total:
                return False
        for cls in type(owner).__mro__:
            value = vars(cls).get(code.co_name)
            if isinstance(value, FunctionType) and _code_of(value) is code:
                self._replace(cls, code.co_name, self._opaque_function(value, code, reason, source))
                return True
        return False

    def _opaque_function(
        self, function: Callable[..., Any], method: CodeType | None, reason: str, source: SourceLine | None
    ) -> Callable[..., Any]:
        foreign = self._foreign
        recorder = self.recorder

        @functools.wraps(function)
        def opaque(*args: Any, **kwargs: Any) -> Any:
            given = list(tensors_in((args, kwargs), deep=True))
            if method is not None and isinstance(args[0], torch.nn.Module):
                given.extend(_parameters_named(args[0], method))
            if foreign() or not given:
                return function(*args, **kwargs)
            name = f"{function.__module__}.{function.__qualname__}".replace("<locals>.", "")
            inputs = recorder.origins(given)
            op = recorder.record("opaque", name, inputs, reason=reason, source=source, args=args, kwargs=kwargs)
            return recorder.symbol(op, "any", torch.get_default_dtype())

        return opaque


def describe(error: BaseException, recorder: Recorder) -> tuple[str, SourceLine | None]:
    """Why a forward failed, and the innermost line outside torch at which it did."""
    entries = _user_entries(error, recorder)
    message = str(error).strip().splitlines()
    text = message[0] if message else ""
    reason = (
        text if isinstance(error, TraceStopped) else f"{type(error).__name__}: {text}" if text else type(error).__name__
    )
    outer = recorder.stacks.source(recorder.here())
    if not entries:
        return reason, outer
    frames = [
        Frame(displayed_path(entry.tb_frame.f_code.co_filename), entry.tb_lineno, _qualified(entry))
        for entry in entries[-2::-1]
    ]
    if outer is not None:
        frames = [*frames, Frame(outer.file, outer.line, outer.function), *outer.frames]
    last = entries[-1]
    where = SourceLine.at(last.tb_frame.f_code.co_filename, last.tb_lineno, _qualified(last), tuple(frames))
    return reason, where


def wanted_inputs(error: BaseException, recorder: Recorder, module: str, absent: frozenset[str]) -> list[str]:
    """Which of the `absent` inputs the failing line or the message of `error` names."""
    entries = _user_entries(error, recorder)
    if isinstance(error, TraceStopped) or not absent:
        return []
    words = set(_words(str(error)))
    if isinstance(error, AttributeError | TypeError) and "NoneType" in str(error):
        failed = ((e.tb_frame, SourceLine.at(e.tb_frame.f_code.co_filename, e.tb_lineno).code) for e in entries)
        calling = ((frame, running_text(frame.f_code, frame.f_lasti)) for frame in _callers(recorder))
        for frame, code in itertools.chain(failed, calling):
            missing = {name for name, value in frame.f_locals.items() if value is None}
            words |= missing & set(_words(code))
    # The decoder asks for its `input_ids`, which the model calls `decoder_input_ids`.
    words |= {f"{part}_{word}" for part in module.split(".") for word in words}
    return sorted(words & absent, key=str(error).find)


def _callers(recorder: Recorder) -> Iterator[FrameType]:
    """The frames of the model's own code that are running: one of them handed a None on."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not recorder.below:
        if not recorder.stacks.skips(frame.f_code):
            yield frame
        frame = frame.f_back


def unwrapped(function: Any) -> Any:
    """The function behind decorators: their `__wrapped__` or, without it, the only function in their closure."""
    for _ in range(32):
        function = getattr(function, "__func__", function)
        inner = getattr(function, "__wrapped__", None)
        if inner is None and isinstance(function, FunctionType) and function.__closure__:
            code = function.__code__
            cells = [cell.cell_contents for cell in function.__closure__ if _filled(cell)]
            functions = [cell for cell in cells if isinstance(cell, FunctionType)]
            if code.co_flags & inspect.CO_VARARGS and len(functions) == 1:
                inner = functions[0]
        if inner is None:
            return function
        function = inner
    return function


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _code_of(value: Any) -> CodeType | None:
    code = getattr(value, "__code__", None)
    if isinstance(code, CodeType) and not hasattr(value, "__wrapped__"):
        return code
    try:
        inner = inspect.unwrap(value)
    except ValueError:
        return None
    found = getattr(inner, "__code__", None)
    return found if isinstance(found, CodeType) else None


def _parameters_named(module: torch.nn.Module, code: CodeType) -> Iterator[torch.Tensor]:
    """The parameters under those attributes of `module` that `code` mentions."""
    mentioned = set(code.co_names)
    for name, child in module._modules.items():
        if child is not None and name in mentioned:
            yield from parameters_of(child)
    for name, parameter in module._parameters.items():
        if parameter is not None and name in mentioned:
            yield parameter


def parameters_of(module: torch.nn.Module) -> Iterator[torch.Tensor]:
    """What stands in the Parameter slots of `module` and below, or in attributes that replaced one (weight norm)."""
    for part in module.modules():
        for value in (*vars(part)["_parameters"].values(), *vars(part).values()):
            if isinstance(value, torch.nn.Parameter | Symbol):
                yield value


def _user_entries(error: BaseException, recorder: Recorder) -> list[TracebackType]:
    found = []
    entry = error.__traceback__
    while entry is not None:
        if not recorder.stacks.skips(entry.tb_frame.f_code):
            found.append(entry)
        entry = entry.tb_next
    return found


def _qualified(entry: TracebackType) -> str:
    return qualified_name(entry.tb_frame.f_code).replace("<locals>.", "")


def _words(text: str) -> list[str]:
    return "".join(character if character.isalnum() or character == "_" else " " for character in text).split()
