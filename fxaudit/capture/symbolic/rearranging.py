"""`einops` under a symbolic trace: where shapes are unknown, each of its functions and layers is one operation."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any

import torch

from fxaudit.capture.symbolic.recorder import Recorder
from fxaudit.capture.symbolic.rules import dtype_of, tensors_in

__all__ = ["patch_einops"]

_NO_GRADIENT = ("any", "all")


def patch_einops(
    recorder: Recorder,
    replace: Callable[[Any, str, object], None],
    elsewhere: Callable[[], bool],
    spaces: Iterable[dict[str, Any]],
) -> None:
    """Make `rearrange`, `repeat`, `reduce` and their layers operations.

    Args:
        recorder: Records them.
        replace: Puts a value into a namespace or class for as long as the trace is made.
        elsewhere: Whether the running thread is not the one that traces.
        spaces: The namespaces of the program, which may have bound the functions already.
    """
    module, layers = sys.modules.get("einops.einops"), sys.modules.get("einops.layers.torch")
    if module is None:
        return
    patched = {}
    for name in ("rearrange", "repeat", "reduce"):
        function = getattr(module, name, None)
        if function is not None:
            patched[id(function)] = _patched(function, recorder, elsewhere)
    for space in (*spaces, vars(module), vars(sys.modules["einops"])):
        for name, value in list(space.items()):
            if id(value) in patched:
                replace(space, name, patched[id(value)])
    for name in ("Rearrange", "Reduce"):
        kind = getattr(layers, name, None)
        if kind is not None:
            replace(kind, "forward", _patched_layer(vars(kind)["forward"], name.lower(), recorder, elsewhere))


def _is_known(recorder: Recorder, value: Any) -> bool:
    return all(recorder.twin(tensor) is not None for tensor in tensors_in(value))


def _patched(function: Any, recorder: Recorder, elsewhere: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        if elsewhere() or _is_known(recorder, (tensor, kwargs)):
            return function(tensor, *args, **kwargs)
        given = kwargs.get("reduction", args[1] if len(args) > 1 else None)
        cut = "not-differentiable" if given in _NO_GRADIENT else ""
        inputs = recorder.origins(tensors_in(tensor))
        name = f"einops.{function.__name__}"
        op = recorder.record("call", name, inputs, cut=cut, function=function, args=(tensor, *args), kwargs=kwargs)
        return recorder.symbol(op, "tensor", torch.bool if cut else _dtype(tensor))

    return call


def _patched_layer(forward: Any, name: str, recorder: Recorder, elsewhere: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(forward)
    def call(module: Any, given: Any) -> Any:
        if elsewhere() or _is_known(recorder, given):
            return forward(module, given)
        cut = "not-differentiable" if getattr(module, "reduction", None) in _NO_GRADIENT else ""
        inputs = recorder.origins(tensors_in(given))
        op = recorder.record("call", f"torch.nn.einops.{name}", inputs, cut=cut, args=(given,))
        return recorder.symbol(op, "tensor", torch.bool if cut else _dtype(given))

    return call


def _dtype(value: Any) -> torch.dtype:
    first = next(iter(tensors_in(value)), None)
    return dtype_of(first) if first is not None else torch.get_default_dtype()
