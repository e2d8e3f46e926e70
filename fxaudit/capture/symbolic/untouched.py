"""Putting a model back exactly as it was: attributes, containers, classes, and the state of random generators."""

from __future__ import annotations

import collections
import random
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["unchanged"]

MAX_OBJECTS = 100_000
MAX_DEPTH = 4
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_OPAQUE = (torch.Tensor, torch.nn.Module, type, types.ModuleType, *_FUNCTIONS)


@contextmanager
def unchanged(model: torch.nn.Module) -> Iterator[None]:
    """Undo, on leaving, what the model's own code did to its modules, to its classes and to global state."""
    restores = [*_attributes(model), *_classes(model), *_global_state()]
    try:
        yield
    finally:
        for restore in restores:
            restore()


def _attributes(model: torch.nn.Module) -> list[Callable[[], None]]:
    restores: list[Callable[[], None]] = []
    seen: set[int] = set()
    for module in list(model.modules()):
        restores.append(_restore_class(module, type(module)))
        stack: list[tuple[Any, int]] = [(vars(module), 0)]
        while stack and len(seen) < MAX_OBJECTS:
            value, depth = stack.pop()
            if id(value) in seen or depth > MAX_DEPTH or isinstance(value, _OPAQUE):
                continue
            if isinstance(value, dict):
                restores.append(_restore_dict(value, dict(value)))
                items = list(value.values())
            elif isinstance(value, list | collections.deque):
                items = list(value)
                restores.append(_restore_list(value, items))
            elif isinstance(value, set):
                restores.append(_restore_set(value, set(value)))
                continue
            elif isinstance(value, tuple):
                items = list(value)
            elif type(value).__module__ != "builtins" and isinstance(getattr(value, "__dict__", None), dict):
                items = [vars(value)]
            else:
                continue
            seen.add(id(value))
            stack.extend((item, depth + 1) for item in items)
    return restores


def _restore_class(module: torch.nn.Module, cls: type) -> Callable[[], None]:
    def restore() -> None:
        if type(module) is not cls:
            module.__class__ = cls

    return restore


def _restore_dict(value: dict[Any, Any], saved: dict[Any, Any]) -> Callable[[], None]:
    def restore() -> None:
        same = len(value) == len(saved) and all(
            key is other and value[key] is saved[other] for key, other in zip(value, saved, strict=True)
        )
        if not same:
            # Past whatever a subclass makes of writing, yet an OrderedDict keeps its own order beside the dict.
            kind: type[dict[Any, Any]] = collections.OrderedDict if isinstance(value, collections.OrderedDict) else dict
            kind.clear(value)
            for key, item in saved.items():
                kind.__setitem__(value, key, item)

    return restore


def _restore_list(value: Any, saved: list[Any]) -> Callable[[], None]:
    def restore() -> None:
        if len(value) != len(saved) or any(now is not before for now, before in zip(value, saved, strict=True)):
            value.clear()
            value.extend(saved)

    return restore


def _restore_set(value: set[Any], saved: set[Any]) -> Callable[[], None]:
    def restore() -> None:
        if {id(item) for item in value} != {id(item) for item in saved}:
            value.clear()
            value.update(saved)

    return restore


def _classes(model: torch.nn.Module) -> list[Callable[[], None]]:
    classes = {cls for module in model.modules() for cls in type(module).__mro__}
    return [_restore_namespace(cls, dict(vars(cls))) for cls in classes if cls is not object]


def _restore_namespace(cls: type, saved: dict[str, Any]) -> Callable[[], None]:
    def restore() -> None:
        now = vars(cls)
        for name in [name for name in now if name not in saved]:
            delattr(cls, name)
        for name, value in saved.items():
            if now.get(name) is not value:
                setattr(cls, name, value)

    return restore


def _global_state() -> list[Callable[[], None]]:
    generator = torch.get_rng_state()
    python = random.getstate()
    dtype = torch.get_default_dtype()
    restores: list[Callable[[], None]] = [
        lambda: torch.set_rng_state(generator),
        lambda: random.setstate(python),
        lambda: torch.set_default_dtype(dtype),
    ]
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        state = numpy.random.get_state()
        restores.append(lambda: numpy.random.set_state(state))
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states = torch.cuda.get_rng_state_all()
        restores.append(lambda: torch.cuda.set_rng_state_all(states))
    return restores
