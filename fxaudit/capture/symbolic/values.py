"""The values that flow through a symbolic trace.

A `Symbol` is a tensor subclass without data. Every torch call on it goes to the recorder, it passes `isinstance(x,
Tensor)` and the argument checks of torch's C++ functions, and being a 0-dimensional integer on the meta device it
passes as a size too.
"""

from __future__ import annotations

import dis
import functools
import itertools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import torch

from fxaudit.capture import operations
from fxaudit.capture.symbolic.branches import only_checks
from fxaudit.program.source import SourceLine

if TYPE_CHECKING:
    from fxaudit.capture.symbolic.recorder import Recorder

__all__ = ["Computed", "Op", "OpKind", "Symbol", "TraceStopped", "Value", "ValueKind", "new_symbol"]

OpKind = Literal["input", "parameter", "buffer", "call", "opaque", "output"]
ValueKind = Literal["tensor", "size", "any"]
STAND_IN_SIZE = 2


class TraceStopped(Exception):
    """The trace cannot go on past the line that raises this."""


@dataclass(slots=True, eq=False)
class Computed:
    """Something that is no tensor, and how it is computed: a size from shapes, or a container of several values."""

    function: Any
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Op:
    """An operation while the trace is being made.

    `carries` are the inputs along which gradient flows back. A `free` operation depends on no parameter, buffer or
    input: it is a constant or a random draw. `stands_for` is the operation that made the value which this one only
    writes or passes on; `lost` says what of its arguments, or of itself, cannot be written in a program.
    """

    kind: OpKind
    target: str
    module: str
    stack: int
    grad_enabled: bool
    grad_source: SourceLine | None = None
    inputs: tuple[Op, ...] = ()
    carries: tuple[Op, ...] = ()
    cut: str = ""
    slot: str | None = None
    reason: str = ""
    source: SourceLine | None = None
    function: Any = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    receives_gradient: bool = False
    free: bool = False
    successor: Op | None = None
    dropped: bool = False
    stands_for: Op | None = None
    lost: str = ""
    hides_gradient: bool = False
    """Nobody can tell whether gradient passes back through it without a run."""


@dataclass(slots=True, eq=False)
class Value:
    """What a symbol stands for.

    A `size` was computed from shapes alone: no data flows through it, and it has no `op`. `known` is a meta tensor of
    the same shape, where the shape is known. `shares` is the value or the real tensor with which memory is shared.
    `made` says how a size is computed, None where that cannot be written. `shape_of` is the tensor whose whole shape a
    size is; of a tensor of unknown shape, `rank` is how many sizes the program was seen to take that apart into, and
    `sizes` are those.
    """

    recorder: Recorder
    op: Op | None
    kind: ValueKind
    dtype: torch.dtype
    known: torch.Tensor | None = None
    shares: object = None
    detached: bool = False
    made: Computed | None = None
    shape_of: Symbol | None = None
    rank: int | None = None
    sizes: dict[int, Symbol] = field(default_factory=dict)


class Symbol(torch.Tensor):
    """A tensor that stands for a value of the model without having one."""

    _fxaudit: Value

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for value in args:
            if isinstance(value, Symbol):
                return value._fxaudit.recorder.call(func, args, kwargs or {})
        found = next((value for value in _nested([args, kwargs]) if isinstance(value, Symbol)), None)
        if found is None:
            raise TraceStopped(f"a call of {func} could not be followed")
        return found._fxaudit.recorder.call(func, args, kwargs or {})

    def __getattr__(self, name: str) -> Any:
        value = self._fxaudit
        if value.kind != "any" or (name.startswith("_") and name != "_asdict"):
            raise AttributeError(f"'Tensor' object has no attribute '{name}'")
        return value.recorder.attribute(self, name)

    def __bool__(self) -> bool:
        value = self._fxaudit
        if _depends_on_no_data(value):
            return value.recorder.assume_condition(sys._getframe(1), is_drawn=_is_drawn(value.op))
        if only_checks(sys._getframe(1)):
            return value.recorder.assume_condition(sys._getframe(1), is_check=True)
        raise TraceStopped(f"control flow depends on the value of a tensor{_made_by(value)}")

    def __len__(self) -> int:
        value = self._fxaudit
        if value.known is not None and value.known.dim():
            return len(value.known)
        if value.shape_of is not None and value.shape_of._fxaudit.rank is not None:
            return value.shape_of._fxaudit.rank
        if value.kind == "size":
            # `(*shape, 1)` asks for the length as a hint; only `len(shape)` makes use of it.
            return value.recorder.assume_rank(noted=_running(sys._getframe(1)) in _CALLS)
        raise TraceStopped(f"`len` of a value of unknown length{_made_by(value)}")

    def __iter__(self) -> Iterator[Any]:
        value = self._fxaudit
        count, is_certain = _unpacked(sys._getframe(1))
        if value.known is not None and value.known.dim():
            count = len(value.known)
        if value.kind == "size":
            tensor = value.shape_of._fxaudit if value.shape_of is not None else value
            if count is None:
                count = tensor.rank
            elif is_certain:
                tensor.rank = count
            # The elements of a shape of unknown rank serve only as sizes again, where one stands for all.
            return iter([self._size_at(tensor, index) for index in range(count or 0)] or [value.recorder.size()])
        if count is None:
            raise TraceStopped(f"iteration over a value of unknown length{_made_by(value)}")
        return iter([value.recorder.element(self, index) for index in range(count)])

    def _size_at(self, tensor: Value, index: int) -> Symbol:
        """The same symbol each time, so that shapes taken apart twice are equal."""
        return tensor.sizes.setdefault(index, self._fxaudit.recorder.element_of_size(self, index))

    def _number(self, how: str) -> int:
        value = self._fxaudit
        if _depends_on_no_data(value):
            value.recorder.assume()
            return STAND_IN_SIZE
        raise TraceStopped(f"the value leaves torch by `{how}`{_made_by(value)}")

    def __index__(self) -> int:
        return self._number("int()")

    def __int__(self) -> int:
        return self._number("int()")

    def __float__(self) -> float:
        return float(self._number("float()"))

    def __complex__(self) -> complex:
        return complex(self._number("complex()"))

    def __round__(self, digits: int | None = None) -> Any:
        value = self._fxaudit
        return value.recorder.size_by(round, (self,)) if value.kind == "size" else torch.round(self)

    def __ceil__(self) -> Any:
        return self._rounded(math.ceil)

    def __floor__(self) -> Any:
        return self._rounded(math.floor)

    def __trunc__(self) -> Any:
        return self._rounded(math.trunc)

    def _rounded(self, how: Any) -> Any:
        value = self._fxaudit
        if value.kind != "size":
            return self._number(f"math.{how.__name__}()")
        return value.recorder.size_by(how, (self,))

    # A tuple of unknown length, such as part of a shape, joins another as one element that stands for all.
    def __add__(self, other: Any) -> Any:
        if self._fxaudit.kind != "tensor" and isinstance(other, tuple | list):
            return (self, *other)
        return super().__add__(other)

    def __radd__(self, other: Any) -> Any:
        if self._fxaudit.kind != "tensor" and isinstance(other, tuple | list):
            return (*other, self)
        return super().__radd__(other)

    # PyTorch compares a tensor with a tuple by identity; a shape is compared with one by its sizes.
    def __eq__(self, other: object) -> Any:
        if self._fxaudit.kind == "size" and isinstance(other, tuple | list):
            return self._fxaudit.recorder.assume_condition(sys._getframe(1))
        return super().__eq__(other)

    def __ne__(self, other: object) -> Any:
        if self._fxaudit.kind == "size" and isinstance(other, tuple | list):
            return self._fxaudit.recorder.assume_condition(sys._getframe(1))
        return super().__ne__(other)

    __hash__ = torch.Tensor.__hash__

    def __repr__(self, **_: object) -> str:  # type: ignore[override]
        return f"<symbolic {self._fxaudit.kind}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __deepcopy__(self, memo: object) -> Symbol:
        return self

    def __copy__(self) -> Symbol:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TraceStopped("a symbolic value cannot be pickled")

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._fxaudit.recorder.left_torch(f"numpy.{func.__name__}", args, kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._fxaudit.recorder.left_torch(f"numpy.{ufunc.__name__}", args, kwargs)


class UnknownSymbol(Symbol):
    """A symbol of which nobody knows whether it is a tensor: it may be a method, and `callable` says so."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._fxaudit.recorder.unknown_call(self, args, kwargs)

    def __contains__(self, key: object) -> bool:
        """A text is in a mapping, and of which keys an input has nobody knows."""
        if isinstance(key, str):
            return self._fxaudit.recorder.assume_condition(sys._getframe(1))
        return bool(super().__contains__(key))


_EMPTY = torch.empty((), dtype=torch.int64, device="meta")


def new_symbol(value: Value) -> Symbol:
    """A symbol that stands for `value`."""
    symbol: Symbol = torch.Tensor._make_subclass(UnknownSymbol if value.kind == "any" else Symbol, _EMPTY)
    symbol._fxaudit = value
    return symbol


def _depends_on_no_data(value: Value) -> bool:
    return value.kind == "size" or (value.op is not None and value.op.free)


def _is_drawn(op: Op | None) -> bool:
    """Whether a value that depends on no data comes from a random draw: another step may draw otherwise."""
    stack = [op] if op is not None else []
    seen: set[int] = set()
    while stack:
        here = stack.pop()
        if operations.of(here.target.rpartition(".")[2]).draws:
            return True
        fresh = [each for each in here.inputs if id(each) not in seen]
        seen.update(map(id, fresh))
        stack.extend(fresh)
    return False


def _made_by(value: Value) -> str:
    op = value.op
    return f" made by `{op.target}`" if op is not None else ""


def _nested(values: object) -> Iterator[object]:
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, list | tuple):
            stack.extend(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
        else:
            yield value


_CALLS = ("CALL", "CALL_KW", "CALL_FUNCTION", "CALL_FUNCTION_KW")


@functools.lru_cache(maxsize=1024)
def _instruction(code: CodeType, offset: int) -> tuple[str, int]:
    for instruction in dis.get_instructions(code):
        if instruction.offset == offset:
            return instruction.opname, instruction.arg or 0
    return "", 0


def _running(frame: FrameType) -> str:
    """The name of the running instruction of `frame`."""
    return _instruction(frame.f_code, frame.f_lasti)[0]


def _unpacked(frame: FrameType) -> tuple[int | None, bool]:
    """How many values the running instruction of `frame` unpacks, and whether there can be no more; None when it is no
    unpacking."""
    name, count = _instruction(frame.f_code, frame.f_lasti)
    if name == "UNPACK_SEQUENCE":
        return count, True
    if name == "UNPACK_EX":
        # `first, *rest, last`: the star gets one element.
        return (count & 0xFF) + (count >> 8) + 1, False
    return _starred(frame.f_code, frame.f_lasti) if name == "LIST_EXTEND" else (None, False)


@functools.lru_cache(maxsize=1024)
def _starred(code: CodeType, offset: int) -> tuple[int | None, bool]:
    """How many values the star at `offset` brings: in `b, n, h = *x.shape, heads` two; None where that is open."""
    instructions = [each for each in dis.get_instructions(code) if each.opname != "EXTENDED_ARG"]
    here = next((number for number, each in enumerate(instructions) if each.offset == offset), None)
    if here is None:
        return None, False
    # The list is begun with what stands before the star, and what stands behind it is appended one by one.
    begun = next((each for each in reversed(instructions[:here]) if each.opname == "BUILD_LIST"), None)
    others = (begun.arg or 0) if begun is not None else 0
    for each, following in itertools.pairwise(instructions[here + 1 :]):
        if each.opname == "LIST_APPEND" and each.arg == 1:
            others += 1
        elif each.opname in ("LIST_TO_TUPLE", "CALL_INTRINSIC_1"):
            taken = following.arg or 0
            if following.opname == "UNPACK_SEQUENCE":
                return (taken - others, True) if taken >= others else (None, False)
            if following.opname == "UNPACK_EX":
                return max((taken & 0xFF) + (taken >> 8) - others, 0) + 1, False
            return None, False
        elif each.opname in ("LIST_EXTEND", "BUILD_LIST") or "JUMP" in each.opname:
            return None, False
    return None, False
