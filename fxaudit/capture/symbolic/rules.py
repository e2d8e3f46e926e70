"""What can be said of a torch call without running it: its tensors, the type of its result, whether gradient passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from fxaudit.capture import operations
from fxaudit.capture.symbolic.values import Symbol

__all__ = [
    "UNKNOWN",
    "cut_by",
    "dtype_of",
    "known_count",
    "likely_rank",
    "on_meta",
    "pointwise",
    "result_type",
    "tensors_in",
]

UNKNOWN = object()
"""Stands for a result that cannot be known, where None would be one."""


def tensors_in(value: object, deep: bool = False) -> Iterable[torch.Tensor]:
    """The tensors in `value`: in lists, tuples, dicts and dataclasses, and when `deep` in plain objects."""
    seen: set[int] = set()
    stack = [value]
    while stack and len(seen) < 20_000:
        item = stack.pop()
        if isinstance(item, torch.Tensor):
            yield item
        elif isinstance(item, list | tuple | set | frozenset):
            stack.extend(reversed(list(item)))
        elif isinstance(item, dict):
            stack.extend(reversed(list(item.values())))
        elif isinstance(item, slice):
            stack.extend((item.start, item.stop, item.step))
        elif dataclasses.is_dataclass(item) and not isinstance(item, type):
            if id(item) not in seen:
                seen.add(id(item))
                stack.extend(getattr(item, part.name, None) for part in dataclasses.fields(item))
        elif deep and _is_plain_object(item) and id(item) not in seen:
            seen.add(id(item))
            stack.extend(vars(item).values())


def _is_plain_object(item: object) -> bool:
    return hasattr(item, "__dict__") and not isinstance(item, type | torch.nn.Module) and not callable(item)


def on_meta(twin: Callable[[torch.Tensor], torch.Tensor | None], value: Any) -> Any:
    """`value` with meta tensors for its tensors, `UNKNOWN` when one of them has no known shape."""
    if isinstance(value, torch.Tensor):
        known = twin(value)
        return UNKNOWN if known is None else known
    if isinstance(value, list | tuple):
        parts = [on_meta(twin, item) for item in value]
        if any(part is UNKNOWN for part in parts):
            return UNKNOWN
        if isinstance(value, list):
            return parts
        return (
            value
            if not parts or (type(value) is not tuple and not hasattr(value, "_make"))
            else (value._make(parts) if hasattr(value, "_make") else tuple(parts))
        )
    if isinstance(value, dict):
        pairs = {key: on_meta(twin, item) for key, item in value.items()}
        return UNKNOWN if any(item is UNKNOWN for item in pairs.values()) else pairs
    if isinstance(value, slice):
        ends = [on_meta(twin, item) for item in (value.start, value.stop, value.step)]
        return UNKNOWN if any(end is UNKNOWN for end in ends) else slice(*ends)
    if isinstance(value, torch.device):
        return torch.device("meta")
    return value


def pointwise(tensors: list[torch.Tensor], dtype: torch.dtype) -> torch.Tensor:
    """A meta tensor of the shape to which `tensors` broadcast."""
    rank = max(tensor.dim() for tensor in tensors)
    shapes = [(1,) * (rank - tensor.dim()) + tuple(tensor.shape) for tensor in tensors]
    shape = [max(sizes) if min(sizes) else 0 for sizes in zip(*shapes, strict=True)]
    return torch.empty(shape, dtype=dtype, device="meta")


def dtype_of(tensor: torch.Tensor) -> torch.dtype:
    """The type of `tensor`; a symbol's is a guess where its shape is not known."""
    return tensor._fxaudit.dtype if isinstance(tensor, Symbol) else tensor.dtype


def result_type(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], data: list[torch.Tensor]) -> torch.dtype:
    """The type of the result of the function called `name`."""
    operation = operations.of(name)
    if operation.dtype == "bool":
        return torch.bool
    given = kwargs.get("dtype")
    for argument in (given, *args):
        if isinstance(argument, torch.dtype):
            return argument
    if operation.dtype:
        return getattr(torch, operation.dtype)  # type: ignore[no-any-return]
    types = [dtype_of(tensor) for tensor in data]
    if name == "to" and types:
        return types[1] if len(types) > 1 else types[0]
    floating = next((found for found in types if found.is_floating_point or found.is_complex), None)
    return floating or (types[0] if types else torch.get_default_dtype())


def cut_by(name: str, dtype: torch.dtype, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """Why gradient stops at the function called `name`, "" when it passes."""
    operation = operations.of(name)
    if operation.detaches:
        return "detach"
    if operation.escapes:
        return "escape"
    if operation.rewraps == "always" or (operation.rewraps and args and isinstance(args[0], list | tuple)):
        return "rewrap"
    if (operation.gradient == "none" or operation.draws) and not operation.in_place:
        return "not-differentiable"
    if name in ("to", "type") and not (dtype.is_floating_point or dtype.is_complex):
        return "not-differentiable"
    if name == "grad" and not kwargs.get("create_graph"):
        return "detach"
    return ""


def known_count(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    """How many tensors the function called `name` returns, where its arguments tell."""
    parts = operations.of(name).parts
    second = args[1] if len(args) > 1 else next((kwargs[key] for key in _COUNTS if key in kwargs), None)
    if parts.startswith("counted") and type(second) is int:
        return second
    if parts.endswith("listed") and isinstance(second, list | tuple):
        return len(second) + (parts != "listed")
    if parts == "given" and args:
        given = args[0] if isinstance(args[0], list | tuple) else args
        return len(given) if isinstance(args[0], list | tuple) or len(args) > 1 else None
    return 2 if parts == "two" else None


_COUNTS = ("chunks", "split_size_or_sections", "split_sizes", "split_size", "indices_or_sections", "sections")


def likely_rank(model: torch.nn.Module) -> int:
    """The number of dimensions that the inputs of `model` most likely have."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv3d):
            return 5
        if isinstance(module, torch.nn.Conv2d):
            return 4
    return 3
