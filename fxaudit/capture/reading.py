"""Reading a user's tensor: attributes that raise for some tensors, and what they mean then.

A chunk or another view out of many whose base was written in place since raises at `is_leaf` and `grad_fn`; sparse
tensors, functorch wrappers and lazy parameters have no storage.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
from torch import nn

__all__ = [
    "grad_fn_of",
    "is_leaf",
    "is_module",
    "pointer_of",
    "shape_of",
    "storage_of",
    "torch_version",
]

_PLAIN = (torch.Tensor, nn.Parameter)
_NO_STORAGE = (RuntimeError, NotImplementedError, AttributeError, TypeError, ValueError)


def shape_of(tensor: torch.Tensor) -> tuple[int, ...]:
    """The shape; `()` of a nested or lazy tensor, which cannot say."""
    try:
        return tuple(tensor.shape)
    except RuntimeError:
        return ()


def is_leaf(tensor: torch.Tensor) -> bool:
    """`tensor.is_leaf`; False of a view that can no longer say, because only the result of an operation can be one."""
    try:
        return tensor.is_leaf
    except RuntimeError:
        return False


def grad_fn_of(tensor: torch.Tensor) -> Any:
    """`tensor.grad_fn`; None of a view that can no longer say."""
    try:
        return tensor.grad_fn
    except RuntimeError:
        return None


def is_module(value: object) -> TypeGuard[nn.Module]:
    """Whether the value is an `nn.Module`."""
    return isinstance(value, nn.Module)


def torch_version() -> str:
    """The version of the torch that runs."""
    return str(torch.__version__)


def storage_of(tensor: torch.Tensor) -> int | None:
    """What identifies the memory that `tensor` shares with its views; None where it has none."""
    try:
        return int(torch._C._storage_address(tensor))  # type: ignore[attr-defined]
    except _NO_STORAGE:
        return None


def pointer_of(tensor: torch.Tensor) -> int | None:
    """`tensor.data_ptr()`; None where it has no memory of its own."""
    if type(tensor) not in _PLAIN and hasattr(tensor, "fake_mode"):
        return None  # torch would warn
    try:
        return tensor.data_ptr()
    except _NO_STORAGE:
        return None
