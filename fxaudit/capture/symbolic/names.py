"""What torch's functions are called, and what each does to a gradient, as far as the name tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = [
    "ALIASES",
    "BOOLEAN",
    "COMPARISONS",
    "DETACHING",
    "ESCAPES",
    "FACTORIES",
    "FIRST_ONLY",
    "IGNORED",
    "INTEGER",
    "METADATA",
    "NOT_DIFFERENTIABLE",
    "POINTWISE",
    "REWRAPS",
    "SEVERAL",
    "SHAPE_ONLY",
    "VALUES_AND_INDICES",
    "printable",
    "short_name",
    "writes_in_place",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FACTORIES = _words(
    "arange asarray as_tensor bartlett_window blackman_window cartesian_prod complex empty empty_strided eye "
    "frombuffer from_numpy full hamming_window hann_window kaiser_window linspace logspace normal ones polar "
    "rand randint randn randperm range scalar_tensor tensor tril_indices triu_indices zeros"
)
"""Functions that make a tensor from plain numbers."""

SHAPE_ONLY = _words(
    "empty_like full_like new_empty new_empty_strided new_full new_ones new_zeros ones_like rand_like "
    "randint_like randn_like zeros_like"
)
"""Functions that read nothing of their tensor but its shape and type, so that no data flows."""

FIRST_ONLY = _words("expand_as reshape_as to type_as view_as")
"""Functions that read the data of their first tensor, and of the others only shape and type."""

DETACHING = _words("detach detach_ data detach_copy")
ESCAPES = _words("__array__ item numpy tolist __dlpack__ untyped_storage storage data_ptr")
REWRAPS = _words("tensor Parameter Buffer new_tensor scalar_tensor from_numpy")

BOOLEAN = _words(
    "__contains__ __eq__ __ge__ __gt__ __le__ __lt__ __ne__ all allclose any eq equal ge greater greater_equal "
    "gt isclose isfinite isin isinf isnan isneginf isposinf isreal le less less_equal logical_and logical_not "
    "logical_or logical_xor lt ne not_equal signbit bool"
)
COMPARISONS = _words(
    "__eq__ __ge__ __gt__ __le__ __lt__ __ne__ eq equal ge greater greater_equal gt le less less_equal lt ne not_equal"
)
INTEGER = _words(
    "argmax argmin argsort argwhere bincount bucketize byte char count_nonzero int long multinomial nonzero "
    "one_hot randint randperm searchsorted short tril_indices triu_indices arange"
)
NOT_DIFFERENTIABLE = (
    BOOLEAN
    | INTEGER
    | _words(
        "__and__ __or__ __xor__ __invert__ __lshift__ __rshift__ bernoulli bitwise_and bitwise_left_shift "
        "bitwise_not bitwise_or bitwise_right_shift bitwise_xor histc histogram poisson result_type unique "
        "unique_consecutive"
    )
)

VALUES_AND_INDICES = _words("cummax cummin kthvalue max median min mode nanmedian sort topk")
"""Functions that return `(values, indices)`: `max`, `median`, `min` and `nanmedian` only when given a dimension."""

SEVERAL = _words("chunk split split_with_sizes tensor_split unbind")
"""Functions that return several tensors, how many depending on shapes."""

ALIASES = _words(
    "H T __getitem__ adjoint as_strided chunk data detach diagonal expand expand_as flatten hsplit imag mH mT "
    "movedim moveaxis narrow permute real requires_grad_ reshape reshape_as select split squeeze swapaxes "
    "swapdims t tensor_split transpose unbind unflatten unfold unsqueeze view view_as vsplit"
)
"""Functions whose result shares memory with their first tensor, so that writing to it writes to both."""

POINTWISE = _words(
    "__add__ __mul__ __neg__ __pow__ __radd__ __rmul__ __rpow__ __rsub__ __rtruediv__ __sub__ __truediv__ abs "
    "add clamp clone contiguous cos detach div dropout exp float gelu leaky_relu log log_softmax mul neg "
    "normalize pow reciprocal relu rsqrt rsub sigmoid silu sin softmax softplus sqrt square sub tanh to "
    "true_divide type_as"
)
"""Common functions whose result has the shape of their arguments, broadcast."""

METADATA = _words(
    "__len__ _is_view data_ptr dense_dim dim element_size get_device has_names is_complex is_conj "
    "is_contiguous is_distributed is_floating_point is_inference is_neg is_nonzero is_pinned is_same_size "
    "is_shared is_signed is_tensor ndimension nelement numel size storage_offset stride"
)
"""Methods that tell about a tensor without reading its data."""

IGNORED = _words(
    "_assert _assert_async _assert_tensor_metadata backward retain_grad register_post_accumulate_grad_hook "
    "share_memory_ record_stream __delitem__"
)
"""Calls that give no value back to the model."""

_NOT_WRITING = _words("requires_grad_ detach_ share_memory_ rename_ retain_grad_ __init_subclass__")
_AUGMENTED = _words(
    "__iadd__ __iand__ __idiv__ __ifloordiv__ __ilshift__ __imod__ __imul__ __ior__ __ipow__ __irshift__ "
    "__isub__ __itruediv__ __ixor__ __setitem__"
)

_names: dict[object, str] = {}


def short_name(function: object) -> str:
    """The bare name of a torch function, `data` for the getter of `Tensor.data`."""
    name = getattr(function, "__name__", None)
    if name is None:
        return type(function).__name__
    if isinstance(function, torch._ops.OpOverload):
        return str(function._schema.name.rpartition("::")[2])
    return str(name)


def writes_in_place(name: str) -> bool:
    """Whether the function called `name` writes to its first argument."""
    if name in _AUGMENTED:
        return True
    return name.endswith("_") and not name.endswith("__") and name not in _NOT_WRITING


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
        return name if name in _OPERATORS else f"Tensor.{name}"
    for namespace, prefix in (
        (torch.nn.functional, "torch.nn.functional"),
        (torch, "torch"),
        (torch.nn.init, "torch.nn.init"),
    ):
        if getattr(namespace, name, None) is function:
            return f"{prefix}.{name}"
    module = getattr(function, "__module__", None) or "torch"
    return f"{module}.{qualified.replace('<locals>.', '')}"


# An operator such as `x + y` arrives as the method of the same meaning.
_OPERATORS = _words("add sub mul div matmul neg pow eq ne lt le gt ge")
