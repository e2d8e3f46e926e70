"""The parameters in a module's tree, whatever its classes make of `named_parameters` and its kin."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

__all__ = ["LISTING", "every_module", "named_modules", "named_parameters", "passed_over", "still"]

LISTING = ("parameters", "named_parameters", "named_children", "children", "named_modules", "modules")
"""The methods by which programs, and torch itself, go through a module."""
_TORCHS = {name: vars(nn.Module)[name] for name in (*LISTING, "_named_members")}
_KNOWN: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()
_PLAIN: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()

Parts = list[tuple[str, nn.Module]]
"""Modules, each with the prefix of its members' names."""


@dataclass
class _Seen:
    """What was found of a tree; `root` keeps its `id` from being another's."""

    root: nn.Module
    parts: Parts | None
    parameters: list[tuple[str, nn.Parameter]] | None = None


class _Moment(threading.local):
    """What was found of each tree, inside of `still`, by this thread."""

    trees: dict[int, _Seen] | None = None


_MOMENT = _Moment()


def named_parameters(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """What `module.named_parameters()` lists, and in its place in the tree what an overriding method passes over."""
    plain = _plain_tree(module)
    if plain is not None:
        return _own_of(module, plain)
    listed = list(module.named_parameters())
    if not _is_overridden(module):
        return listed
    names = {id(parameter): name for name, parameter in listed}
    found = [(names.pop(id(parameter), path), parameter) for path, parameter in _tree(module)]
    return [*found, *((name, parameter) for name, parameter in listed if id(parameter) in names)]


def _own_of(module: nn.Module, plain: Parts) -> list[tuple[str, nn.Parameter]]:
    known = _MOMENT.trees.get(id(module)) if _MOMENT.trees is not None else None
    if known is None:
        return list(_members(plain))
    if known.parameters is None:
        known.parameters = list(_members(plain))
    return list(known.parameters)


def passed_over(module: nn.Module) -> frozenset[int]:
    """The `id`s of the parameters in the tree of `module` that its `named_parameters()` does not list."""
    if _plain_tree(module) is not None or not _is_overridden(module):
        return frozenset()
    return frozenset(id(p) for _, p in _tree(module)) - frozenset(id(p) for _, p in module.named_parameters())


def named_modules(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """What `module.named_modules()` lists."""
    plain = _plain_tree(module)
    return list(module.named_modules()) if plain is None else [(prefix[:-1], part) for prefix, part in plain]


def every_module(module: nn.Module) -> Iterator[nn.Module]:
    """`module` and everything below it, each once."""
    return (part for _, part in _modules(module, "", set()))


@contextlib.contextmanager
def still() -> Iterator[None]:
    """Inside, no module gets or loses members: each tree is gone through once."""
    outer, _MOMENT.trees = _MOMENT.trees, {}
    try:
        yield
    finally:
        _MOMENT.trees = outer


def _plain_tree(module: nn.Module) -> Parts | None:
    """Every module of a tree in torch's own order; None where a class in it has another way to list its members."""
    trees = _MOMENT.trees
    if trees is None:
        return _look(module)
    known = trees.get(id(module))
    if known is None:
        known = trees[id(module)] = _Seen(module, _look(module))
    return known.parts


def _look(module: nn.Module) -> Parts | None:
    if any(vars(nn.Module)[name] is not own for name, own in _TORCHS.items()):
        return None
    found: Parts = []
    seen: set[int] = set()
    plain: set[type] = set()
    queue = [("", module)]
    while queue:
        path, part = queue.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        kind = type(part)
        if kind not in plain:
            if not _is_plain(kind):
                return None
            plain.add(kind)
        children = part.__dict__.get("_modules")
        if not isinstance(children, dict) or not isinstance(part.__dict__.get("_parameters"), dict):
            return None
        found.append((path, part))
        if children:
            queue.extend((f"{path}{name}.", one) for name, one in reversed(children.items()) if one is not None)
    return found


def _is_plain(kind: type) -> bool:
    """Whether a class lists its members by torch's own methods, and keeps them where these look."""
    known = _PLAIN.get(kind)
    if known is None:
        found = {name: next(vars(owner)[name] for owner in kind.__mro__ if name in vars(owner)) for name in _TORCHS}
        known = _PLAIN[kind] = found == _TORCHS and not issubclass(kind, torch.jit.ScriptModule)
    return known


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
    return _members(_modules(module, "", set()))


def _members(parts: Iterable[tuple[str, nn.Module]]) -> Iterator[tuple[str, nn.Parameter]]:
    seen: set[int] = set()
    for prefix, part in parts:
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
