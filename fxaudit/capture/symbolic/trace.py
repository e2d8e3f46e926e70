"""The symbolic trace of a model: what its forward would do, found without executing anything.

The forward runs on symbols, tensors without data. Unlike `torch.fx.symbolic_trace` this survives tensors assigned to
Parameter slots, sees `detach`, no-grad mode and escapes to Python, and puts one opaque operation in place of a module
that it cannot follow instead of giving up.
"""

from __future__ import annotations

import inspect
import sys
import threading
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Literal

import torch

from fxaudit.capture.symbolic.failures import unwrapped
from fxaudit.capture.symbolic.flow import TraceFlow
from fxaudit.capture.symbolic.fx_graph import fx_graph, not_written
from fxaudit.capture.symbolic.journal import lost_in
from fxaudit.capture.symbolic.modules import ModuleCalls
from fxaudit.capture.symbolic.recorder import Recorder, RecordingMode
from fxaudit.capture.symbolic.rules import tensors_in
from fxaudit.capture.symbolic.untouched import unchanged
from fxaudit.capture.symbolic.values import OpKind, TraceStopped
from fxaudit.program.source import SourceLine, StackTable

__all__ = ["SymbolicOp", "SymbolicTrace", "trace"]

MAX_ATTEMPTS = 7
EXTRA_FRAMES = 3000


@dataclass(frozen=True, slots=True)
class SymbolicOp:
    """One operation of a symbolic trace.

    `inputs` are the indices of the operations whose data it reads, `carries` those of them to which gradient flows
    back, and `cut` says why it does not flow to the others: detach, no-grad, escape (the value left torch), rewrap (a
    new leaf), not-differentiable, reentrant-checkpoint, or leaf (a parameter whose value was overwritten). `source`
    is the user's line, for an opaque operation the line at which tracing failed. `slot` is the Parameter slot that is
    read or assigned.
    """

    index: int
    kind: OpKind
    target: str
    module: str
    source: SourceLine | None
    grad_enabled: bool
    grad_source: SourceLine | None
    inputs: tuple[int, ...]
    slot: str | None = None
    reason: str = ""
    carries: tuple[int, ...] = ()
    cut: str = ""
    hides_gradient: bool = False
    """Nobody can tell without a run whether gradient passes back through it: it could not be followed."""


@dataclass(frozen=True, slots=True)
class SymbolicTrace:
    """What the forward of a model does, operation by operation.

    `stopped` means that the model's own forward could not be followed to its end: `reason` and `source` say why and
    where, and `ops` end there. `assumed` are the lines whose conditions or loops depend on a size that nobody knows
    without data, where the trace took one way; `drawn` are those of them that depend on a random draw.
    """

    status: Literal["traced", "stopped"]
    reason: str
    source: SourceLine | None
    graph: torch.fx.Graph | None
    ops: tuple[SymbolicOp, ...]
    assigned_slots: dict[str, SourceLine]
    overwritten: dict[str, SourceLine]
    called_modules: frozenset[str]
    read_parameters: frozenset[str]
    assumed: tuple[SourceLine, ...] = ()
    drawn: tuple[SourceLine, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    """Why `graph` does not compute what the model computes, in sentences; nothing where it does."""
    given: bool = False
    """Whether the caller gave the arguments: what is not among them has its default."""
    returned_inside: frozenset[int] = frozenset()
    """The operations whose results the model returns only inside an object, such as a cache, beside its outputs."""
    turned: tuple[SourceLine, ...] = ()
    """Those of the assumed lines of which the other way was followed, too."""
    hinges: dict[str, SourceLine] = field(default_factory=dict)
    """Parameter slot → the one of them that decides whether gradient comes to it."""

    @property
    def opaque(self) -> tuple[SymbolicOp, ...]:
        """The regions that could not be followed."""
        return tuple(op for op in self.ops if op.kind == "opaque")

    def flow(self, closed: Collection[int] = (), *, is_sure: bool = False) -> TraceFlow:
        """What the operations read and what reads them; no gradient passes those that are `closed`.

        A flow that `is_sure` has no gradient from what could not be followed, and from what no loss may look at.
        """
        if not is_sure:
            return TraceFlow(self.ops, closed)
        hiding = {op.index for op in self.ops if op.hides_gradient}
        return TraceFlow(self.ops, hiding.union(closed), self.returned_inside)

    def reaches_output(self, parameter_name: str) -> bool:
        """Whether the value of the parameter flows into an output of the model."""
        return not self.flow().reaching.isdisjoint(self.reads(parameter_name))

    def carries_gradient(self, parameter_name: str) -> bool:
        """Whether some path from the parameter to an output lets gradient flow back."""
        return not self.flow().carrying.isdisjoint(self.reads(parameter_name))

    def first_cut(self, parameter_name: str) -> SymbolicOp | None:
        """The first operation on the way to an output at which the gradient to the parameter ends.

        None when gradient flows on some path, and when the value reaches no output.
        """
        found = self.flow().first_cut(self.reads(parameter_name))
        return self.ops[found] if found is not None else None

    def reads(self, parameter_name: str) -> list[int]:
        """The operations that stand for the value of the parameter."""
        slot = self.aliases.get(parameter_name, parameter_name)
        return [op.index for op in self.ops if op.kind == "parameter" and op.slot == slot]


def trace(
    model: torch.nn.Module,
    inputs: tuple[Any, ...] | dict[str, Any] | None = None,
    concrete: Mapping[str, Any] | None = None,
    turned: tuple[str, int] | None = None,
) -> SymbolicTrace:
    """Follow the forward of `model` without executing it.

    Required arguments of the forward are symbols, the others have their defaults; a forward whose arguments are all
    optional gets its first, and those that its own error messages ask for. Nothing is computed and nothing of the
    model changes: parameters, buffers, attributes, flags, hooks, classes and random generators are as before, also
    when the forward raises. Python side effects outside the model, such as printing, are the forward's own.

    Args:
        model: the module whose forward is followed.
        inputs: positional arguments of the forward, or named ones in a dict. Only the shapes and types of their tensors
            are used, which settle what would otherwise be assumed.
        concrete: arguments that are given to the forward as they are.
        turned: file and line of an assumed condition that is to come out the other way.

    Returns:
        The trace; its status is `stopped` when the model's own forward could not be followed. Never raises for what the
        model's code does, `KeyboardInterrupt` excepted.
    """
    promoted: tuple[str, ...] = ()
    extra = 1
    best: SymbolicTrace | None = None
    for _ in range(MAX_ATTEMPTS):
        found, wanted, variadic = _attempt(model, inputs, concrete or {}, promoted, extra, turned)
        if best is None or _quality(found) > _quality(best):
            best = found
        missing = [name for name in wanted if name not in promoted]
        if missing and inputs is None:
            promoted = (*promoted, missing[0])
        elif variadic and found.status == "stopped" and extra < 3:
            extra += 1
        else:
            break
    assert best is not None
    return best


def _quality(found: SymbolicTrace) -> tuple[bool, int]:
    """A better trace ends, and reads more parameters outside opaque regions."""
    direct = {source for op in found.ops if op.kind != "opaque" for source in op.inputs}
    return found.status == "traced", sum(op.kind == "parameter" and op.index in direct for op in found.ops)


def _attempt(
    model: torch.nn.Module,
    inputs: tuple[Any, ...] | dict[str, Any] | None,
    concrete: Mapping[str, Any],
    promoted: tuple[str, ...],
    extra: int,
    turned: tuple[str, int] | None,
) -> tuple[SymbolicTrace, list[str], bool]:
    stacks = StackTable()
    limit = sys.getrecursionlimit()
    grad_enabled = torch.is_grad_enabled()
    aliases: dict[str, str] = {}
    first_names: dict[int, str] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        aliases[name] = first_names.setdefault(id(parameter), name)
    with warnings.catch_warnings(), unchanged(model):
        warnings.simplefilter("ignore")
        recorder = Recorder(model, stacks, _attempt.__code__, exact=inputs is not None)
        recorder.turned = turned
        required, named, absent, variadic = _arguments(model, promoted)
        calls = ModuleCalls(model, recorder, absent)
        failure: tuple[str, SourceLine | None] | None = None
        try:
            if threading.current_thread() is threading.main_thread():
                # A module call takes half a dozen frames, and models nest deeper than the default limit allows.
                sys.setrecursionlimit(max(limit, EXTRA_FRAMES + _depth()))
            with torch.inference_mode(False), torch.enable_grad(), calls.patched(), RecordingMode(recorder):
                args, kwargs = _placeholders(recorder, required, named, inputs, concrete, extra if variadic else 0)
                result = calls.call_module(model, args, kwargs)
                outputs = recorder.origins(tensors_in(result, deep=True))
                plain = recorder.origins(tensors_in(result))
                recorder.returned_inside = tuple(op for op in outputs if op not in plain) if plain else ()
                recorder.record("output", "output", outputs, carries=outputs, module="")
                recorder.ops[-1].args = (recorder.written_output(result),)
                recorder.ops[-1].lost = lost_in(recorder.ops[-1].args)
        except TraceStopped as error:
            failure = calls.failure if calls.failure[0] else (str(error), None)
        except (Exception, SystemExit) as error:
            failure = (f"{type(error).__name__}: {error}", None)
        finally:
            sys.setrecursionlimit(limit)
            torch.set_grad_enabled(grad_enabled)
    if turned is not None and not recorder.has_turned and failure is None:
        failure = ("the condition that was to be turned was never asked", None)
    classes = {name: type(module) for name, module in model.named_modules(remove_duplicate=False)}
    return _frozen(recorder, stacks, failure, aliases, classes), calls.wanted, variadic


def _depth() -> int:
    frame: FrameType | None = sys._getframe()
    count = 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


def _arguments(model: torch.nn.Module, promoted: tuple[str, ...]) -> tuple[list[str], list[str], frozenset[str], bool]:
    """The positional and the keyword arguments to pass, those left out, and whether only `*args` is known."""
    try:
        signature = inspect.signature(unwrapped(model.forward))
    except (TypeError, ValueError):
        return ["input"], [], frozenset(), False
    parameters = list(signature.parameters.values())
    if inspect.ismethod(model.forward) or (parameters and parameters[0].name == "self"):
        parameters = parameters[1:]
    required: list[str] = []
    named: list[str] = []
    absent: list[str] = []
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is not parameter.empty:
            if parameter.default is None:
                absent.append(parameter.name)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            named.append(parameter.name)
        else:
            required.append(parameter.name)
    if not required and not named and absent:
        named.append(absent[0])
    named.extend(name for name in promoted if name in absent and name not in named)
    variadic = not required and not named and any(item.kind is item.VAR_POSITIONAL for item in parameters)
    return required, named, frozenset(absent) - set(named), variadic


def _placeholders(
    recorder: Recorder,
    required: list[str],
    named: list[str],
    inputs: tuple[Any, ...] | dict[str, Any] | None,
    concrete: Mapping[str, Any],
    extra: int,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    def placeholder(name: str, given: torch.Tensor | None = None) -> Any:
        op = recorder.record("input", name, module="")
        if given is None:
            return recorder.symbol(op, "any", torch.get_default_dtype())
        known = torch.empty(tuple(given.shape), dtype=given.dtype, device="meta")
        return recorder.symbol(op, "tensor", given.dtype, known)

    def replaced(name: str, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return placeholder(name, value)
        if isinstance(value, dict):
            return {key: replaced(f"{name}.{key}", item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(replaced(f"{name}.{index}", item) for index, item in enumerate(value))
        return value

    with torch._C.DisableTorchFunction():
        if isinstance(inputs, dict):
            given = {name: replaced(name, value) for name, value in inputs.items()}
            return (), {**given, **concrete}
        if inputs is not None:
            labels = [*required, *named, *(f"input_{index}" for index in range(len(inputs)))]
            return tuple(replaced(label, value) for label, value in zip(labels, inputs, strict=False)), dict(concrete)
        fixed = [name for name in required if name in concrete]
        wanted = (*required, *(f"args_{index}" for index in range(extra)))
        positional = tuple(concrete[name] if name in fixed else placeholder(name) for name in wanted)
        others = {name: value for name, value in concrete.items() if name not in fixed}
        return positional, {**{name: placeholder(name) for name in named if name not in others}, **others}


def _frozen(
    recorder: Recorder,
    stacks: StackTable,
    failure: tuple[str, SourceLine | None] | None,
    aliases: dict[str, str],
    classes: dict[str, type],
) -> SymbolicTrace:
    index = {id(op): position for position, op in enumerate(recorder.ops)}
    ops = tuple(
        SymbolicOp(
            position,
            op.kind,
            op.target,
            op.module,
            op.source or stacks.source(op.stack),
            op.grad_enabled,
            op.grad_source,
            tuple(index[id(source)] for source in op.inputs if id(source) in index),
            op.slot,
            op.reason,
            tuple(index[id(source)] for source in op.carries if id(source) in index),
            op.cut,
            op.hides_gradient or op.kind == "opaque",
        )
        for position, op in enumerate(recorder.ops)
    )
    read = {op.slot for op in ops if op.kind == "parameter" and op.slot is not None}
    return SymbolicTrace(
        status="traced" if failure is None else "stopped",
        reason=failure[0] if failure is not None else "",
        source=failure[1] if failure is not None else None,
        graph=fx_graph(recorder.ops, [op.source for op in ops], classes),
        ops=ops,
        assigned_slots=_lines(recorder.assigned, stacks),
        overwritten=_lines(recorder.overwritten, stacks),
        called_modules=frozenset(recorder.called),
        read_parameters=frozenset(name for name, first in aliases.items() if first in read),
        assumed=tuple(line for stack in recorder.assumed if (line := stacks.source(stack)) is not None),
        drawn=tuple(line for stack in recorder.drawn if (line := stacks.source(stack)) is not None),
        aliases={name: first for name, first in aliases.items() if name != first},
        obstacles=_obstacles(recorder, failure),
        returned_inside=frozenset(index[id(op)] for op in recorder.returned_inside if id(op) in index),
        given=recorder.exact,
    )


def _obstacles(recorder: Recorder, failure: tuple[str, SourceLine | None] | None) -> tuple[str, ...]:
    """Why the graph of the trace does not compute what the model computes."""
    found: dict[str, None] = {}
    if failure is not None:
        found[f"the trace stopped: {failure[0]}"] = None
    for stack in recorder.assumed:
        line = recorder.stacks.source(stack)
        is_check = stack in recorder.checked
        what = (
            "a check of the data is taken as passed" if is_check else "a size that nobody knows without inputs decides"
        )
        found[f"{what}{f' at {line}' if line is not None else ''}"] = None
    found.update((f"{guess} was asked for, which nobody knows without inputs", None) for guess in recorder.guesses)
    return tuple(found | not_written(recorder.ops))


def _lines(found: dict[str, int], stacks: StackTable) -> dict[str, SourceLine]:
    lines = {name: stacks.source(stack) for name, stack in found.items()}
    return {name: line for name, line in lines.items() if line is not None}
