"""The journal of a symbolic trace: its operations in order, where each happened, and how to take them back."""

from __future__ import annotations

import dataclasses
import operator
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.capture.symbolic.branches import assumed_truth
from fxaudit.capture.symbolic.rules import likely_rank
from fxaudit.capture.symbolic.values import (
    Computed,
    Op,
    OpKind,
    Symbol,
    TraceStopped,
    Value,
    ValueKind,
    new_symbol,
)
from fxaudit.program.source import SourceLine, StackTable, qualified_name

if TYPE_CHECKING:
    from fxaudit.capture.symbolic.recorder import Recorder

__all__ = ["Journal", "Lost", "Mark", "lost_in"]

MAX_OPS = 500_000
MAX_CONDITIONS = 100_000

Mark = tuple[int, int, SourceLine | None, dict[str, int], dict[str, int], bool]


_WRITTEN = (bool, int, float, complex, str, torch.dtype, torch.device, torch.memory_format, torch.layout)
"""What stands in an fx graph as itself."""


class Lost(str):
    """What an argument was, where it cannot be written in an fx graph."""

    __slots__ = ()


def lost_in(value: object) -> str:
    """What cannot be written of the arguments `value`; "" where everything can."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Lost):
            return str(item)
        if isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, slice):
            stack.extend((item.start, item.stop, item.step))
        elif isinstance(item, Computed):
            stack.extend((item.args, item.kwargs))
    return ""


def _autocasts(device: torch.device) -> bool:
    return torch.is_autocast_enabled("cpu" if device.type == "meta" else device.type)


class Journal:
    """The operations of a trace so far.

    `exact` says that the shapes of the inputs are known, so that it is worth computing all others. Changes that a
    failed attempt must take back are kept in `undo`.
    """

    def __init__(self, model: torch.nn.Module, stacks: StackTable, below: CodeType, exact: bool) -> None:
        self.stacks = stacks
        self.below = below
        self.exact = exact
        self.ops: list[Op] = []
        self.modules: list[str] = []
        self.undo: list[Callable[[], None]] = []
        self.assumed: dict[int, None] = {}
        self.checked: dict[int, None] = {}
        """Lines whose check of the data was taken as passed."""
        self.drawn: dict[int, None] = {}
        """Those of the assumed lines that ask for a random draw."""
        self.returned_inside: tuple[Op, ...] = ()
        """What the model returns only inside an object, beside its outputs."""
        self.assigned: dict[str, int] = {}
        self.overwritten: dict[str, int] = {}
        self.called: set[str] = set()
        self.turned: tuple[str, int] | None = None
        """File and line of a condition that comes out other than assumed."""
        self.has_turned = False
        self.grad_source: SourceLine | None = None
        self.guesses: dict[str, None] = {}
        """What the program got an answer to that nobody knows without data, beside sizes."""
        self.parameters: dict[int, str] = {}
        self.buffers: dict[int, str] = {}
        self._read: dict[int, Op] = {}
        self._twins: dict[int, torch.Tensor] = {}
        self._kept: list[torch.Tensor] = []
        self._conditions = 0
        for name, parameter in model.named_parameters(remove_duplicate=False):
            self.parameters.setdefault(id(parameter), name)
        for name, buffer in model.named_buffers(remove_duplicate=False):
            self.buffers.setdefault(id(buffer), name)
        for prefix, module in model.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, torch.Tensor):
                    self.buffers.setdefault(id(value), f"{prefix}.{name}" if prefix else name)
        first = next(iter(model.parameters()), None)
        self.device = first.device if first is not None else torch.device("cpu")
        self._autocast = _autocasts(self.device)
        self.rank = likely_rank(model)
        self.ranks_asked = 0

    def _recorder(self) -> Recorder:
        raise NotImplementedError

    # Where and when.

    def here(self) -> int:
        """The stack of the user's line that is running."""
        return self.stacks.from_frame(sys._getframe(1), below=self.below)

    def note_grad_mode(self, enabled: bool) -> None:
        """Remember the line that is turning gradients off, or forget it when they come back."""
        if enabled:
            self.grad_source = None
        elif torch.is_grad_enabled():
            self.grad_source = self._opening_line()

    def _opening_line(self) -> SourceLine | None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and self.stacks.skips(frame.f_code):
            if frame.f_code.co_name in ("decorate_context", "generator_context"):
                code = getattr(frame.f_locals.get("func"), "__code__", None)
                if code is not None:
                    name = qualified_name(code)
                    return SourceLine.at(code.co_filename, code.co_firstlineno, name.replace("<locals>.", ""))
            frame = frame.f_back
        return self.stacks.source(self.here())

    def assume(self) -> None:
        """Note that the running line depends on a size that nobody knows."""
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise TraceStopped("a loop over a size that nobody knows does not end")
        self.assumed.setdefault(self.here())

    def assume_condition(self, frame: FrameType, *, is_drawn: bool = False, is_check: bool = False) -> bool:
        """The truth assumed for a condition on a size or a random draw, or in a check of the data, which passes."""
        self.assume()
        if is_check:
            self.checked.setdefault(self.here())
        if is_drawn:
            self.drawn.setdefault(self.here())
        return assumed_truth(frame) != self._is_turned()

    def _is_turned(self) -> bool:
        if self.turned is None:
            return False
        stack = self.here()
        is_turned = self.turned == (self.stacks.file(stack), self.stacks.line(stack))
        self.has_turned |= is_turned
        return is_turned

    def assume_rank(self, noted: bool) -> int:
        """The number of dimensions assumed for a tensor of unknown shape."""
        if noted:
            self.assume()
            self.ranks_asked += 1
        return self.rank

    # Values.

    def size(self, made: Computed | None = None) -> Symbol:
        """A size, or something else computed from shapes alone."""
        return new_symbol(Value(self._recorder(), None, "size", torch.int64, made=made))

    def size_by(self, function: Any, args: Iterable[Any], kwargs: dict[str, Any] | None = None) -> Symbol:
        """The size that `function` computes."""
        given = tuple(self._plain(value) for value in args)
        named = {key: self._plain(value) for key, value in (kwargs or {}).items()}
        return self.size(None if lost_in((given, named)) else Computed(function, given, named))

    def element_of_size(self, symbol: Symbol, index: int) -> Symbol:
        """One of the sizes that a shape is unpacked into."""
        return self.size_by(operator.getitem, (symbol, index))

    def symbol(
        self,
        op: Op,
        kind: ValueKind,
        dtype: torch.dtype,
        known: torch.Tensor | None = None,
        shares: object = None,
    ) -> Symbol:
        """The result of `op`."""
        if known is not None:
            dtype = known.dtype
        return new_symbol(
            Value(self._recorder(), op, kind, dtype, known, shares, detached=shares is not None and not op.carries)
        )

    def origin(self, tensor: torch.Tensor) -> Op | None:
        """The operation whose result `tensor` is now; None for a size."""
        if isinstance(tensor, Symbol):
            op = tensor._fxaudit.op
            while op is not None and op.successor is not None:
                op = op.successor
            return None if op is not None and op.dropped else op
        op = self._read.get(id(tensor))
        if op is None or op.dropped:
            name = self.parameters.get(id(tensor))
            if name is None and isinstance(tensor, torch.nn.Parameter):
                name = self.parameters[id(tensor)] = f"<Parameter {tuple(tensor.shape)}>"
            kind: OpKind = "parameter" if name is not None else "buffer"
            if name is None:
                name = self.buffers.get(id(tensor), f"<Tensor {tuple(tensor.shape)}>")
            op = self.record(kind, name, slot=name if kind == "parameter" else None)
            op.receives_gradient = kind == "parameter" and bool(tensor.requires_grad)
            self._read[id(tensor)] = op
            self._kept.append(tensor)
        return op

    def origins(self, tensors: Iterable[torch.Tensor]) -> tuple[Op, ...]:
        """The operations that made `tensors`, each once."""
        found: dict[int, Op] = {}
        for tensor in tensors:
            op = self.origin(tensor)
            if op is not None:
                found.setdefault(id(op), op)
        return tuple(found.values())

    def twin(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """A meta tensor of the shape of `tensor`, None where its shape is not known."""
        if isinstance(tensor, Symbol):
            return tensor._fxaudit.known
        known = self._twins.get(id(tensor))
        if known is None:
            with torch._C.DisableTorchFunction():
                known = torch.empty(tuple(tensor.shape), dtype=tensor.dtype, device="meta")
            self._twins[id(tensor)] = known
            self._kept.append(tensor)
        return known

    # Operations.

    def record(
        self,
        kind: OpKind,
        target: str,
        inputs: tuple[Op, ...] = (),
        *,
        cut: str = "",
        carries: tuple[Op, ...] | None = None,
        function: Any = None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        slot: str | None = None,
        reason: str = "",
        source: SourceLine | None = None,
        module: str | None = None,
    ) -> Op:
        """Append an operation. Gradient flows back to all `inputs`, unless `cut` or `carries` says otherwise."""
        if len(self.ops) >= MAX_OPS:
            raise TraceStopped(f"the trace is longer than {MAX_OPS} operations")
        enabled = torch.is_grad_enabled()
        if kind == "call" and _autocasts(self.device) is not self._autocast:
            self.guesses.setdefault("the precision of an autocast region")
        if not enabled and kind in ("call", "opaque") and not cut:
            cut = "no-grad"
        if carries is None:
            carries = () if cut else inputs
        op = Op(
            kind,
            target,
            module if module is not None else (self.modules[-1] if self.modules else ""),
            self.here(),
            enabled,
            None if enabled else self.grad_source,
            inputs,
            carries,
            cut,
            slot,
            reason,
            source,
            function,
            tuple(self._plain(value) for value in args),
            {key: self._plain(value) for key, value in (kwargs or {}).items()},
            any(origin.receives_gradient for origin in carries),
            kind == "call" and all(origin.free for origin in inputs),
        )
        op.lost = lost_in((op.args, op.kwargs))
        self.ops.append(op)
        return op

    def _plain(self, value: Any) -> Any:
        """`value` as an argument of an fx node: operations for tensors, and nothing of the user's kept alive."""
        if isinstance(value, torch.Tensor):
            made = value._fxaudit.made if isinstance(value, Symbol) else None
            return self.origin(value) or made or Lost("a size that nobody knows")
        if isinstance(value, Op):
            return value
        if isinstance(value, tuple) and type(value) not in (tuple, torch.Size):
            return self._made(value)
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value] if isinstance(value, list) else tuple(map(self._plain, value))
        if isinstance(value, dict):
            return {str(key): self._plain(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(self._plain(value.start), self._plain(value.stop), self._plain(value.step))
        if value is None or value is ... or isinstance(value, _WRITTEN):
            return value
        return Lost(f"a value of type {type(value).__name__}")

    def _made(self, value: tuple[Any, ...]) -> Computed:
        """A named tuple, as the call that makes it."""
        items = tuple(self._plain(item) for item in value)
        named = hasattr(type(value), "_fields")
        return Computed(type(value), items if named else (items,))

    def written_output(self, value: Any) -> Any:
        """`value`, which the forward returns, as an argument of an fx node."""
        kind = type(value)
        if dataclasses.is_dataclass(kind) and not isinstance(value, torch.Tensor):
            items = {one.name: getattr(value, one.name) for one in dataclasses.fields(kind) if one.init}
            return Computed(kind, (), {name: self.written_output(item) for name, item in items.items()})
        if kind in (list, tuple):
            return kind(self.written_output(item) for item in value)
        if isinstance(value, dict):
            items = {key: self.written_output(item) for key, item in value.items()}
            if not all(isinstance(key, str) for key in items):
                return Lost("a dict whose keys are no strings")
            return items if kind is dict else Computed(kind, (items,))
        return self._plain(value)

    def mark(self) -> Mark:
        """A point to which `rewind` can return."""
        enabled = torch.is_grad_enabled()
        return len(self.ops), len(self.undo), self.grad_source, dict(self.assigned), dict(self.overwritten), enabled

    def rewind(self, mark: Mark) -> list[Op]:
        """Take back everything since `mark`; returns the operations dropped."""
        length, undone, self.grad_source, self.assigned, self.overwritten, enabled = mark
        while len(self.undo) > undone:
            self.undo.pop()()
        dropped = self.ops[length:]
        del self.ops[length:]
        for op in dropped:
            op.dropped = True
        torch._C._set_grad_enabled(enabled)
        return dropped
