"""The parameters in a module's tree, whatever its classes make of `named_parameters` and its kin."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import torch
from torch import nn

__all__ = ["LISTING", "every_module", "named_parameters", "passed_over"]

LISTING = ("parameters", "named_parameters", "named_children", "children", "named_modules", "modules")
"""The methods by which programs, and torch itself, go through a module."""
_KNOWN: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()


def named_parameters(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """What `module.named_parameters()` lists, and in its place in the tree what an overriding method passes over."""
    listed = list(module.named_parameters())
    if not _is_overridden(module):
        return listed
    names = {id(parameter): name for name, parameter in listed}
    found = [(names.pop(id(parameter), path), parameter) for path, parameter in _tree(module)]
    return [*found, *((name, parameter) for name, parameter in listed if id(parameter) in names)]


def passed_over(module: nn.Module) -> frozenset[int]:
    """The `id`s of the parameters in the tree of `module` that its `named_parameters()` does not list."""
    if not _is_overridden(module):
        return frozenset()
    return frozenset(id(p) for _, p in _tree(module)) - frozenset(id(p) for _, p in module.named_parameters())


def every_module(module: nn.Module) -> Iterator[nn.Module]:
    """`module` and everything below it, each once."""
    return (part for _, part in _modules(module, "", set()))


def _is_overridden(module: nn.Module) -> bool:
    return any(_overrides(type(part)) for _, part in _modules(module, "", set()))


def _overrides(kind: type) -> bool:
    """Whether a class that is not torch's own lists its members by itself."""
    known = _KNOWN.get(kind)
    if known is None:
        owners = (owner for name in LISTING for owner in kind.__mro__ if name in vars(owner))
        own = any(not owner.__module__.startswith("torch.") for owner in owners)
        known = _KNOWN[kind] = own and not issubclass(kind, torch.jit.ScriptModule)
    return known


def _tree(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    seen: set[int] = set()
    for prefix, part in _modules(module, "", set()):
        for slot, parameter in vars(part).get("_parameters", {}).items():
            if parameter is not None and id(parameter) not in seen:
                seen.add(id(parameter))
                yield prefix + slot, parameter


def _modules(module: nn.Module, prefix: str, seen: set[int]) -> Iterator[tuple[str, nn.Module]]:
    """Every module with the prefix of its members' names, in torch's own order; by a list, for trees are deep."""
    queue = [(prefix, module)]
    while queue:
        path, part = queue.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield path, part
        children = vars(part).get("_modules", {}).items()
        queue.extend((f"{path}{name}.", child) for name, child in reversed(list(children)) if child is not None)
