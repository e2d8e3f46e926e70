"""What torch's functions are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from fxaudit.capture import operations

__all__ = ["printable", "short_name"]

_names: dict[object, str] = {}


def short_name(function: object) -> str:
    """The bare name of a torch function, `data` for the getter of `Tensor.data`."""
    name = getattr(function, "__name__", None)
    if name is None:
        return type(function).__name__
    if isinstance(function, torch._ops.OpOverload):
        return str(function._schema.name.rpartition("::")[2])
    return str(name)


def printable(function: Callable[..., Any]) -> str:
    """The name under which users know `function`: `torch.relu`, `torch.nn.functional.linear`, `Tensor.view`, `add`."""
    try:
        known = _names.get(function)
    except TypeError:
        return _printable(function)
    if known is None:
        known = _names[function] = _printable(function)
    return known


def _printable(function: Callable[..., Any]) -> str:
    name = short_name(function)
    if isinstance(function, torch._ops.OpOverload | torch._ops.OpOverloadPacket):
        return f"torch.ops.{function}"
    owner = getattr(function, "__objclass__", None)
    qualified = getattr(function, "__qualname__", name)
    if owner is not None or qualified.startswith(("Tensor.", "TensorBase.", "_TensorBase.")):
        if name.startswith("__") and name.endswith("__"):
            return name.strip("_")
        return name if _is_operator(name) else f"Tensor.{name}"
    for namespace, prefix in (
        (torch.nn.functional, "torch.nn.functional"),
        (torch, "torch"),
        (torch.nn.init, "torch.nn.init"),
    ):
        if getattr(namespace, name, None) is function:
            return f"{prefix}.{name}"
    module = getattr(function, "__module__", None) or "torch"
    return f"{module}.{qualified.replace('<locals>.', '')}"


def _is_operator(name: str) -> bool:
    """Whether an operator such as `x + y` arrives as the method `name`."""
    return name == operations.of(name).name and bool(operations.of(name).operator)
