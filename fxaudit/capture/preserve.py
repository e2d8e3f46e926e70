"""Leaving no trace: everything an observed forward and backward may change is put back bit for bit."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy

from fxaudit.capture.members import named_modules
from fxaudit.capture.reading import is_leaf, pointer_of, shape_of
from fxaudit.capture.values import same_numbers

if TYPE_CHECKING:
    from fxaudit.capture.session import Session

__all__ = ["preserved"]

_HOOK_DICTIONARIES = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_forward_hooks_with_kwargs",
    "_forward_pre_hooks_with_kwargs", "_forward_hooks_always_called", "_state_dict_hooks", "_load_state_dict_pre_hooks",
)  # fmt: skip


_ATOMS = frozenset({int, float, bool, str, type(None)})


@contextlib.contextmanager
def preserved(session: Session, modules: Sequence[nn.Module], optimizers: Sequence[Any]) -> Iterator[None]:
    """Run the block, then put back parameters, `.grad`, buffers, random states, flags, hooks and optimizer state.

    `.grad` is put aside, so that the block starts without any. What a backward reaches beyond the given modules is
    learned when it happens, and an optimizer's state is copied only if the block steps it.
    """
    state = _State(session, modules, optimizers)
    try:
        yield
    finally:
        state.restore()


class _State:
    def __init__(self, session: Session, modules: Sequence[nn.Module], optimizers: Sequence[Any]) -> None:
        self.session = session
        self.grad_enabled = torch.is_grad_enabled()
        self.modules = _all_modules(modules)
        self.flags = [(module, module.training) for module in self.modules]
        self.slots = [
            (module, name, dict(slots))
            for module in self.modules
            for name in ("_parameters", "_buffers", "_modules")
            if isinstance(slots := vars(module).get(name), dict)  # scripted modules keep them in C++
        ]
        self.hooks = {id(hooks): (hooks, list(hooks.items())) for hooks in _hooks_of(self.modules)}
        self.lazy_modules = [
            (module, type(module), dict(vars(module)))
            for module in self.modules
            if isinstance(module, LazyModuleMixin) and module.has_uninitialized_params()
        ]
        self.lazy_tensors: list[tuple[torch.Tensor, type[torch.Tensor], torch.Tensor]] = []
        self.optimizers = list(optimizers)
        self.optimizer_states: list[tuple[Any, dict[Any, Any]]] = []
        self.groups: list[_Groups] = []
        self.plain: dict[int, tuple[Any, dict[str, Any]]] = {}
        """`id` of a module, optimizer or scheduler → it, and its attributes that are plain values."""
        for optimizer in self.optimizers:
            self._save_groups(optimizer)
        for module in self.modules:
            self._save_plain(module)
        self.tensor_hooks: list[tuple[torch.Tensor, str, Any, list[Any]]] = []
        self.tensors: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, bool]] = []
        self.gradients: dict[int, tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]] = {}
        self.random = _random_states()
        self.autocast = [(d, torch.is_autocast_enabled(d), torch.get_autocast_dtype(d)) for d in ("cpu", "cuda")]
        with session.quietly(), torch.no_grad():
            self._save_tensors()
        session.on_leaves = self._put_aside
        session.on_before_step = self._save_optimizer
        session.on_before_schedule = self._save_plain

    def _save_tensors(self) -> None:
        seen: set[int] = set()
        held = [p for o in self.optimizers for group in o.param_groups for p in group["params"]]
        own = [
            t
            for module in self.modules
            for t in (*vars(module).get("_parameters", {}).values(), *vars(module).get("_buffers", {}).values())
        ]
        for tensor in (*own, *held):
            if not isinstance(tensor, torch.Tensor) or id(tensor) in seen:
                continue
            seen.add(id(tensor))
            for name in ("_backward_hooks", "_post_accumulate_grad_hooks"):
                hooks = getattr(tensor, name)
                self.tensor_hooks.append((tensor, name, hooks, list(hooks.items()) if hooks else []))
            if is_lazy(tensor):
                self.lazy_tensors.append((tensor, type(tensor), tensor.data))
                continue
            alias = tensor.detach()
            self.tensors.append((tensor, alias, alias.clone(), tensor.requires_grad))
        self._put_aside([t for t, _, _, _ in self.tensors if is_leaf(t) and t.requires_grad])

    def _put_aside(self, leaves: Sequence[torch.Tensor]) -> None:
        for leaf in leaves:
            if id(leaf) not in self.gradients:
                gradient = leaf.grad
                # What shares its memory with another tensor may be written through that one.
                shared = gradient is not None and gradient.layout is torch.strided and gradient._is_view()
                self.gradients[id(leaf)] = (
                    leaf,
                    gradient,
                    gradient.clone() if gradient is not None and shared else None,
                )
                if gradient is not None:
                    leaf.grad = None

    def _save_optimizer(self, optimizer: Any) -> None:
        if any(known is optimizer for known, _ in self.optimizer_states):
            return
        self._save_groups(optimizer)
        state = {
            key: (entry, dict(entry), _cloned(entry)) if isinstance(entry, dict) else (entry, None, None)
            for key, entry in getattr(optimizer, "state", {}).items()
        }
        self.optimizer_states.append((optimizer, state))

    def _save_groups(self, optimizer: Any) -> None:
        if all(known.optimizer is not optimizer for known in self.groups):
            self.groups.append(_Groups(optimizer))
            self._save_plain(optimizer)

    def _save_plain(self, thing: Any) -> None:
        if id(thing) not in self.plain:
            attributes = vars(thing)
            kept = {key: value for key, value in attributes.items() if type(value) in _ATOMS}
            kept |= {key: list(value) for key, value in attributes.items() if type(value) is list and _is_plain(value)}
            self.plain[id(thing)] = (thing, kept)

    def restore(self) -> None:
        """Put everything back."""
        self.session.on_leaves = None
        self.session.on_before_step = None
        self.session.on_before_schedule = None
        with self.session.quietly():
            torch._C._set_grad_enabled(False)
            try:
                self._restore_tensors()
            finally:
                torch._C._set_grad_enabled(self.grad_enabled)
            for module, training in self.flags:
                if module.training != training:
                    module.training = training
        for module, name, slots in self.slots:
            current = vars(module)[name]
            if not _same_objects(current, slots):
                current.clear()
                current.update(slots)
            for slot in slots:
                if name == "_parameters" and slot in vars(module) and slot not in ("training",):
                    del vars(module)[slot]
        for hooks in [hooks for hooks in _hooks_of(self.modules) if id(hooks) not in self.hooks]:
            hooks.clear()
        for hooks, items in self.hooks.values():
            if list(hooks) != [key for key, _ in items]:
                hooks.clear()
                hooks.update(items)
        for module, kind, attributes in self.lazy_modules:
            module.__class__ = kind
            vars(module).clear()
            vars(module).update(attributes)
        for groups in self.groups:
            groups.restore()
        for optimizer, state in self.optimizer_states:
            _restore_optimizer(optimizer, state)
        for thing, kept in self.plain.values():
            _restore_plain(thing, kept)
        for device, enabled, dtype in self.autocast:
            torch.set_autocast_enabled(device, enabled)
            torch.set_autocast_dtype(device, dtype)
        if any(enabled for _, enabled, _ in self.autocast):
            torch.clear_autocast_cache()  # it would keep the graph of the casts
        _restore_random(self.random)

    def _restore_tensors(self) -> None:
        for tensor, alias, saved, requires_grad in self.tensors:
            if (
                pointer_of(tensor) != pointer_of(alias)
                or tensor.dtype != alias.dtype
                or shape_of(tensor) != shape_of(alias)
            ):
                tensor.data = alias
            if saved is not None and not same_numbers(alias, saved):
                alias.copy_(saved)
            if tensor.requires_grad != requires_grad and is_leaf(tensor):
                tensor.requires_grad_(requires_grad)
        for leaf, gradient, numbers in self.gradients.values():
            if leaf.grad is not gradient:
                leaf.grad = gradient
            if gradient is not None and numbers is not None and not same_numbers(gradient, numbers):
                gradient.copy_(numbers)
        for tensor, kind, data in self.lazy_tensors:
            tensor.data = data
            tensor.__class__ = kind
        for tensor, name, hooks, items in self.tensor_hooks:
            if hooks is not None and list(hooks.items()) != items:
                hooks.clear()
                hooks.update(items)
            if getattr(tensor, name) is not hooks:
                setattr(tensor, name, hooks)


def _hooks_of(modules: Iterable[nn.Module]) -> Iterator[dict[Any, Any]]:
    """The dictionaries of hooks in which there are some."""
    for own in map(vars, modules):
        for name in _HOOK_DICTIONARIES:
            hooks = own.get(name)
            if hooks and isinstance(hooks, dict):
                yield hooks


class _Groups:
    """An optimizer's param groups: which there are, what they hold, and their settings."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.listed = list(optimizer.param_groups)
        self.entries = [
            {key: list(value) if isinstance(value, list) else value for key, value in group.items()}
            for group in self.listed
        ]

    def restore(self) -> None:
        """The same groups with the same lists in them; what has not changed is left alone."""
        if [id(group) for group in self.optimizer.param_groups] != [id(group) for group in self.listed]:
            self.optimizer.param_groups[:] = self.listed
        for group, saved in zip(self.listed, self.entries, strict=True):
            for key in [key for key in group if key not in saved]:
                del group[key]
            for key, value in saved.items():
                current = group.get(key)
                if isinstance(value, list) and isinstance(current, list):
                    if [id(one) for one in current] != [id(one) for one in value]:
                        current[:] = value
                elif current is not value:
                    group[key] = value


def _is_plain(value: object) -> bool:
    """Whether the value is a number, a flag, a text, nothing, or a list of such."""
    return type(value) in _ATOMS or (type(value) is list and all(type(part) in _ATOMS for part in value))


def _restore_plain(thing: Any, kept: dict[str, Any]) -> None:
    """Attributes that were plain values are what they were; plain ones that were added are gone."""
    attributes = vars(thing)
    for key in [key for key in attributes.keys() - kept.keys() if _is_plain(attributes[key])]:
        del attributes[key]
    for key, value in kept.items():
        current = attributes.get(key)
        if type(value) is list and type(current) is list:
            if current != value:
                current[:] = value
        elif key not in attributes or (current is not value and current != value) or type(current) is not type(value):
            attributes[key] = value


def _same_objects(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return list(one) == list(other) and all(one[key] is other[key] for key in one)


def _all_modules(modules: Sequence[nn.Module]) -> list[nn.Module]:
    found: list[nn.Module] = []
    seen: set[int] = set()
    for root in modules:
        for _, module in named_modules(root):
            if id(module) not in seen:
                seen.add(id(module))
                found.append(module)
    return found


def _cloned(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _cloned(part) for key, part in value.items()}
    return [_cloned(part) for part in value] if isinstance(value, list) else value


def _restore_optimizer(optimizer: Any, state: dict[Any, Any]) -> None:
    """The same entries with the same tensors, which hold the old numbers again."""
    optimizer.state.clear()
    for key, (entry, values, clones) in state.items():
        if values is not None:
            entry.clear()
            for name, value in values.items():
                if isinstance(value, torch.Tensor):
                    value.detach().copy_(clones[name])
                    entry[name] = value
                else:
                    entry[name] = clones[name]
        optimizer.state[key] = entry


def _random_states() -> dict[str, Any]:
    states: dict[str, Any] = {"torch": torch.get_rng_state(), "python": random.getstate()}
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "random"):
        states["numpy"] = numpy.random.get_state()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def _restore_random(states: dict[str, Any]) -> None:
    torch.set_rng_state(states["torch"])
    random.setstate(states["python"])
    if "numpy" in states:
        sys.modules["numpy"].random.set_state(states["numpy"])
    if "cuda" in states:
        torch.cuda.set_rng_state_all(states["cuda"])
