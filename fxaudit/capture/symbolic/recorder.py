"""The recorder of a symbolic trace: every torch call becomes an operation, and nothing is computed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from fxaudit.capture import operations
from fxaudit.capture.symbolic import names
from fxaudit.capture.symbolic.journal import Journal
from fxaudit.capture.symbolic.rules import (
    UNKNOWN,
    cut_by,
    dtype_of,
    known_count,
    on_meta,
    pointwise,
    result_type,
    tensors_in,
)
from fxaudit.capture.symbolic.sizes import ON_SIZES
from fxaudit.capture.symbolic.values import Op, Symbol, TraceStopped, Value

__all__ = ["Recorder", "RecordingMode"]


class RecordingMode(TorchFunctionMode):
    """Hands every torch call on this thread to a recorder instead of running it."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.recorder.call(func, args, kwargs or {})


class Recorder(Journal):
    """What torch calls return while the trace is made."""

    def _recorder(self) -> Recorder:
        return self

    # Torch calls.

    def call(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """What `func(*args, **kwargs)` is while the trace is made."""
        args = tuple(args)
        name = names.short_name(func)
        if name == "__get__":
            return self.read_attribute(func, args[0])
        if name == "__set__":
            return self.write_attribute(func.__self__.__name__, args[0], args[1])
        operation = operations.of(name)
        tensors = list(tensors_in((args, kwargs)))
        if not tensors and not operation.factory:
            if name == "_set_grad_enabled":
                self.note_grad_mode(bool(args[0]))
            return func(*args, **kwargs)
        if operation.about and args and isinstance(args[0], torch.Tensor):
            return self.metadata(name, func, args, kwargs)
        if name == "__bool__" or (operation.escapes == "number" and name.startswith("__")):
            origin = self.origin(tensors[0])
            of = f" of `{origin.target}`" if origin is not None else ""
            what = "control flow depends on the value" if name == "__bool__" else f"`{name.strip('_')}()` of the value"
            raise TraceStopped(f"{what}{of}")
        if name == "register_hook":
            return RemovableHandle({})
        if operation.silent:
            return None
        data = [tensor for tensor in tensors if not (isinstance(tensor, Symbol) and tensor._fxaudit.op is None)]
        if not data and not operation.factory:
            if operation.compares and operation.dtype == "bool":
                return self.assume_condition(_comparing_frame())
            return None if operation.writes else self._size(name, func, args, kwargs)
        if operation.rewraps == "lists" and not kwargs and len(args) == 1 and isinstance(args[0], torch.Tensor):
            return args[0]
        known = self._known_result(name, func, args, kwargs, data)
        if known is not UNKNOWN and not any(True for _ in tensors_in(known)):
            return known
        return self._operation(name, func, args, kwargs, data, known)

    def _operation(
        self,
        name: str,
        func: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        data: list[torch.Tensor],
        known: object,
    ) -> Any:
        origins = self.origins(data)
        operation = operations.of(name)
        if operation.takes == "shape":
            inputs: tuple[Op, ...] = ()
        elif operation.takes == "first":
            inputs = self.origins(data[:1])
        else:
            inputs = origins
        dtype = result_type(name, args, kwargs, data)
        cut = cut_by(name, dtype, args, kwargs)
        written: list[torch.Tensor] = []
        if operation.writes and data:
            first = args[0] if args else kwargs.get("input", kwargs.get("tensor", data[0]))
            written = list(tensors_in(first))
        elif kwargs.get("out") is not None:
            written = list(tensors_in(kwargs["out"]))
        carries: tuple[Op, ...] | None = None
        if written and not torch.is_grad_enabled():
            # Writing without gradients leaves the autograd history of the tensor written to as it was.
            cut, carries = "no-grad", self.origins(written)
        op = self.record(
            "call", names.printable(func), inputs, cut=cut, carries=carries, function=func, args=args, kwargs=kwargs
        )
        if written:
            op.stands_for = self.origin(written[0])
            if len(written) > 1:
                op.lost = op.lost or "a write to several tensors at once"
        for tensor in written:
            self._write(tensor, op)
        if name in ("__setitem__",):
            return None
        if written:
            return args[0] if args and not kwargs.get("out") is not None else kwargs.get("out", written[0])
        shares = data[0] if operation.view and data else None
        if known is not UNKNOWN:
            return self._wrapped(op, known, shares)
        return self._guessed(name, op, args, kwargs, dtype, shares)

    def _guessed(
        self, name: str, op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], dtype: torch.dtype, shares: object
    ) -> Any:
        """The result of `op` where shapes are not known."""
        operation = operations.of(name)
        if operation.parts.startswith("choice"):
            dimension = "dim" in kwargs or (len(args) > 1 and isinstance(args[1], int))
            if dimension or operation.parts == "choice":
                pair = (self._part(op, 0, dtype), self._part(op, 1, torch.int64))
                made = getattr(torch.return_types, name, None)
                return made(pair) if made is not None else pair
        count = known_count(name, args, kwargs)
        if count is not None:
            return tuple(self._part(op, index, dtype, shares) for index in range(count))
        if name == "grad" and len(args) > 1:
            inputs = args[1] if isinstance(args[1], list | tuple) else (args[1],)
            return tuple(self._part(op, index, dtype) for index in range(len(inputs)))
        if name == "__getitem__" and isinstance(args[0], Symbol) and args[0]._fxaudit.kind == "any":
            return self.symbol(op, "any", dtype, shares=shares)
        several = bool(operation.escapes) or operation.parts in ("counted", "listed", "counted or listed", "unbound")
        return self.symbol(op, "any" if several else "tensor", dtype, shares=shares)

    def _part(self, op: Op, index: int, dtype: torch.dtype, shares: object = None) -> Symbol:
        cut = "" if dtype.is_floating_point or dtype.is_complex else "not-differentiable"
        part = self.record("call", "getitem", (op,), cut=cut, args=(op, index))
        part.args = (op, index)
        return self.symbol(part, "tensor", dtype, shares=shares)

    def _wrapped(self, op: Op, known: Any, shares: object) -> Any:
        """`known`, a result of meta tensors, with symbols in place of its tensors."""
        if isinstance(known, torch.Tensor):
            return self.symbol(op, "tensor", known.dtype, known, shares)
        if isinstance(known, list | tuple):
            parts = []
            for index, item in enumerate(known):
                if isinstance(item, torch.Tensor):
                    cut = "" if item.dtype.is_floating_point or item.dtype.is_complex else "not-differentiable"
                    part = self.record("call", "getitem", (op,), cut=cut)
                    part.args = (op, index)
                    parts.append(self.symbol(part, "tensor", item.dtype, item, shares))
                else:
                    parts.append(self._wrapped(op, item, shares))
            if isinstance(known, list):
                return parts
            return known._make(parts) if hasattr(known, "_make") else type(known)(parts)
        return known

    def _known_result(
        self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], data: list[torch.Tensor]
    ) -> object:
        """The result on meta tensors, or `UNKNOWN` when some shape is not known."""
        if operations.of(name).escapes or name == "__setitem__" or name in ("grad", "bernoulli_"):
            return UNKNOWN
        try:
            replaced = on_meta(self.twin, list(args))
            named = on_meta(self.twin, {key: value for key, value in kwargs.items() if key not in ("device", "out")})
            if replaced is UNKNOWN or named is UNKNOWN or kwargs.get("out") is not None:
                return UNKNOWN
            operation = operations.of(name)
            if operation.factory:
                if name in ("from_numpy", "frombuffer") or any(tensors_in((args, kwargs))):
                    return UNKNOWN
                named = {**named, "device": "meta"}
                named.pop("generator", None)
                named.pop("pin_memory", None)
            if operation.sized:
                func = torch.empty
            elif operation.takes == "shape" and name.endswith("_like"):
                return torch.empty(tuple(replaced[0].shape), dtype=result_type(name, args, kwargs, data), device="meta")
            elif operation.pointwise and not operation.in_place:
                read = list(tensors_in((replaced, named)))
                read = read[:1] if operation.takes == "first" else read
                return pointwise(read, result_type(name, args, kwargs, data))
            elif not operation.view and not self.exact:
                # Other functions on the meta device make torch import its compiler, which takes seconds.
                return UNKNOWN
            return func(*replaced, **named)
        except Exception:
            # Whatever torch cannot do without data is of unknown shape.
            return UNKNOWN

    # Attributes and methods that read no data.

    def read_attribute(self, func: Any, tensor: torch.Tensor) -> Any:
        """`tensor.name`, for a property of torch tensors."""
        name = func.__self__.__name__
        symbol = tensor if isinstance(tensor, Symbol) else None
        if operations.of(name).view:
            if symbol is not None and symbol._fxaudit.kind == "size":
                return symbol
            known: object = UNKNOWN
            twin = self.twin(tensor)
            if twin is not None:
                known = getattr(twin, name)
            return self._attribute_of(tensor, name, known)
        if symbol is None:
            return func(tensor)
        value = symbol._fxaudit
        match name:
            case "device":
                return self.device
            case "dtype":
                self._guess("the dtype of a tensor")
                return value.dtype
            case "layout":
                return torch.strided
            case "requires_grad":
                origin = self.origin(symbol)
                return origin is not None and origin.receives_gradient
            case "is_leaf":
                origin = self.origin(symbol)
                return origin is None or not origin.receives_gradient
            case "grad_fn" | "grad" | "_base" | "names" | "name" | "_backward_hooks" | "_post_accumulate_grad_hooks":
                return None
            case "_version" | "output_nr":
                return 0
        if name.startswith("is_") or name == "retains_grad":
            return False
        if value.known is not None:
            return func(value.known)
        if value.kind == "any" and name not in ("shape", "ndim"):
            return self.attribute(symbol, name)
        return self._asked_of_shape(name, symbol, self.size_by(getattr, (symbol, name)))

    def _guess(self, what: str) -> None:
        """Note that the program was told something that nobody knows without data."""
        if not self.exact:
            self.guesses.setdefault(what)

    def _size(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Symbol:
        """A size computed from sizes by a function that was written for tensors."""
        if name in ON_SIZES and not kwargs:
            function, is_swapped = ON_SIZES[name]
            return self.size_by(function, args[::-1] if is_swapped else args)
        return self.size()

    def _attribute_of(self, tensor: torch.Tensor, name: str, known: object) -> Symbol:
        origin = self.origin(tensor)
        inputs = (origin,) if origin is not None else ()
        op = self.record(
            "call", f"Tensor.{name}", inputs, cut="detach" if name == "data" else "", args=(tensor,), kwargs={}
        )
        twin = known if isinstance(known, torch.Tensor) else None
        return self.symbol(op, "tensor", dtype_of(tensor), twin, shares=tensor)

    def write_attribute(self, name: str, tensor: torch.Tensor, value: object) -> None:
        """`tensor.name = value`: nothing is written, but `data` changes what the tensor is from here on."""
        if name == "data":
            given = list(tensors_in(value))
            op = self.record("call", "Tensor.data", self.origins(given), cut="detach", args=(tensor, value))
            before = self.origin(tensor)
            if before is not None and isinstance(tensor, Symbol):
                op.inputs, op.carries = (before, *op.inputs), (before,)
                op.receives_gradient = before.receives_gradient
            op.stands_for = before
            self._write(tensor, op)

    def metadata(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A method that tells about its tensor without reading data."""
        tensor = args[0]
        if not isinstance(tensor, Symbol) and not any(isinstance(item, Symbol) for item in args[1:]):
            return func(*args, **kwargs)
        if name in ("is_floating_point", "is_complex", "is_signed"):
            self._guess("the dtype of a tensor")
            return bool(getattr(dtype_of(tensor), name))
        twin = self.twin(tensor)
        if twin is not None and name not in ("data_ptr", "get_device"):
            try:
                return func(twin, *args[1:], **kwargs)
            except Exception:
                return self.size()
        if name == "is_nonzero":
            raise TraceStopped("control flow depends on the value of a tensor")
        if name.startswith(("is_", "_is")) or name == "has_names":
            return name == "is_contiguous"
        if name in ("data_ptr", "get_device"):
            return 0 if name == "data_ptr" else -1
        size = self.size_by(len if name == "__len__" else func, args, kwargs)
        return self._asked_of_shape(name, tensor, size) if len(args) == 1 and not kwargs else size

    def _asked_of_shape(self, name: str, tensor: torch.Tensor, size: Symbol) -> Symbol | int:
        """The whole shape knows whose it is, and the rank is known once a shape was taken apart."""
        if isinstance(tensor, Symbol):
            if name in ("shape", "size"):
                size._fxaudit.shape_of = tensor
            elif name in ("dim", "ndim", "ndimension") and tensor._fxaudit.rank is not None:
                return tensor._fxaudit.rank
        return size

    # Values of unknown type.

    def attribute(self, symbol: Symbol, name: str) -> Symbol:
        """`symbol.name`, where nobody knows what `symbol` is."""
        return self._derived(symbol, "getattr", (symbol, name))

    def element(self, symbol: Symbol, index: int) -> Symbol:
        """`symbol[index]`, one of the values that are being unpacked."""
        return self._derived(symbol, "getitem", (symbol, index))

    def unknown_call(self, symbol: Symbol, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`symbol(*args, **kwargs)`, where nobody knows what `symbol` is."""
        if symbol._fxaudit.kind != "any":
            raise TypeError("'Tensor' object is not callable")
        inputs = self.origins([symbol, *tensors_in((args, kwargs))])
        op = self.record("call", "call", inputs, args=(symbol, *args), kwargs=kwargs)
        return self.symbol(op, "any", symbol._fxaudit.dtype)

    def _derived(self, symbol: Symbol, target: str, args: tuple[Any, ...]) -> Symbol:
        value = symbol._fxaudit
        origin = self.origin(symbol)
        op = self.record("call", target, (origin,) if origin is not None else (), args=args)
        known = None
        if value.known is not None and target == "getitem":
            with torch._C.DisableTorchFunction():
                known = value.known[args[1]]
        return self.symbol(op, value.kind, value.dtype, known, shares=symbol)

    def left_torch(self, target: str, args: Any, kwargs: Any) -> Symbol:
        """A call of another library on values of the model: the value left torch."""
        inputs = self.origins(tensors_in((args, kwargs)))
        op = self.record("call", target, inputs, cut="escape", args=tuple(args), kwargs=kwargs)
        return self.symbol(op, "any", torch.get_default_dtype())

    # Writing.

    def _write(self, tensor: torch.Tensor, op: Op) -> None:
        """Make `op` the latest writer of `tensor` and of everything that shares memory with it."""
        current: object = tensor
        linked = True
        while current is not None:
            if isinstance(current, Symbol):
                value = current._fxaudit
                if value.op is None:
                    return
                if current is not tensor:
                    before = self.origin(current)
                    inputs = (before, op) if before is not None else (op,)
                    carried = inputs if linked and torch.is_grad_enabled() else inputs[:1] if before is not None else ()
                    op = self.record(
                        "call", op.target, inputs, cut="" if carried == inputs else "detach", carries=carried
                    )
                    op.stands_for, op.lost = before, "" if before is not None else "a write to what nothing made"
                self._replace(value, op)
                linked = linked and not value.detached
                current = value.shares
            else:
                assert isinstance(current, torch.Tensor)
                self._overwrite(current, op)
                return

    def _replace(self, value: Value, op: Op) -> None:
        before = value.op

        def restore() -> None:
            value.op = before

        value.op = op
        self.undo.append(restore)

    def _overwrite(self, tensor: torch.Tensor, writer: Op) -> None:
        """A parameter or buffer was written to: reads from here on see the new value."""
        key = id(tensor)
        before = self._read.get(key)
        name = self.parameters.get(key)

        def restore() -> None:
            if before is None:
                self._read.pop(key, None)
            else:
                self._read[key] = before

        self.undo.append(restore)
        if name is None:
            self._read[key] = writer
            return
        self.overwritten.setdefault(name, writer.stack)
        # The parameter stays the leaf that receives the gradient; only its value comes from the writer.
        fresh = self.record("parameter", name, (writer,), cut="leaf", slot=name)
        fresh.receives_gradient = bool(tensor.requires_grad)
        self._read[key] = fresh


def _comparing_frame() -> FrameType:
    """The frame whose code compares two sizes."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.endswith(_FORWARDING):
        frame = frame.f_back
    return frame


_FORWARDING = (
    *(os.path.join("capture", "symbolic", name) for name in ("recorder.py", "values.py")),
    "_tensor.py",
    "overrides.py",
)
