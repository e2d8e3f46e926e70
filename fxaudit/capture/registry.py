"""What was seen of a program's modules and optimizers: one plain entry for each.

While the program runs, an entry has a weak reference to its object (`LiveModule`, `LiveOptimizer`).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ClassInfo",
    "FunctionInfo",
    "Kept",
    "LiveModule",
    "LiveOptimizer",
    "ModuleInfo",
    "OptimizerInfo",
    "SlotAssignment",
]

Setting = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A function of the user's: where its text begins, and what it is called."""

    file: str
    line: int
    name: str
    qualified: str


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """The class of a module or an optimizer."""

    name: str
    module: str
    """The name of the Python module that defines it."""
    bases: tuple[tuple[str, str, str], ...]
    """(name, Python module, file) of each class that it is made of, itself first."""
    forward: FunctionInfo | None = None
    arguments: tuple[str, ...] = ()
    """The names of what `forward` takes."""
    defines_forward: bool = False
    """Whether the class itself has a `forward`, not only a class above it."""
    overrides: dict[str, FunctionInfo] = field(default_factory=dict)
    """The methods of torch's in whose place the user's own project has put others."""
    methods: frozenset[tuple[str, int, str]] = frozenset()
    """(file, line, name) of every function of its classes, those of installed packages left out."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that a module keeps without registering it."""

    place: str
    """`attribute`, `buffer` or `class`."""
    container: str = ""
    """list, dict, tuple or set; "" for anything else."""
    derived: bool = False
    """It is a tensor that was computed from others."""


@dataclass(slots=True)
class ModuleInfo:
    """A module that was seen: its class, where it was made, and which attributes were set on which lines."""

    index: int
    type: str
    defined_in: str
    created: int
    created_time: int
    calls: int = 0
    first_called: int = -1
    training: bool = True
    attributes: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    """name → (time, stack, kind) of each assignment; kind: parameter, module, container, tensor, flag, number."""
    modes: list[tuple[int, bool, int]] = field(default_factory=list)
    """(time, training, stack) of each `train()`/`eval()`."""

    # What the module was like when the recording was frozen.
    is_alive: bool = False
    kind: int = -1
    """The index of its class."""
    variable: str = ""
    """The variable that the program keeps it in."""
    children: dict[str, int] = field(default_factory=dict)
    """Name → the index of the sub-module."""
    parameters: dict[str, int] = field(default_factory=dict)
    """Slot → the track of the parameter."""
    buffers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Name → shape."""
    settings: dict[str, Setting] = field(default_factory=dict)
    """Its attributes that are numbers, flags or texts."""
    kept: dict[str, Kept] = field(default_factory=dict)
    length: int | None = None
    """How many members it says that it has, if it says so."""
    listed: dict[str, frozenset[int]] = field(default_factory=dict)
    """A method of the user's that lists members (`parameters`, …) → the tracks that it hands out."""


@dataclass(slots=True)
class LiveModule(ModuleInfo):
    """An entry with a weak reference to its module."""

    ref: weakref.ref[nn.Module] = field(kw_only=True)


@dataclass(slots=True)
class OptimizerInfo:
    """An optimizer that was seen, with its groups as last looked at."""

    index: int
    type: str
    created: int
    created_time: int
    groups: list[tuple[float | None, tuple[int, ...]]] = field(default_factory=list)
    held_in: dict[int, list[int]] = field(default_factory=dict)
    """Track → the numbers of the groups that hold it."""
    dropped: set[int] = field(default_factory=set)
    """What it held once and holds no more: its groups were changed behind its back."""
    names_then: dict[int, str] = field(default_factory=dict)
    """Track → fully-qualified name when the optimizer was built."""
    modules_then: int = 0
    """How many modules were known when it was built."""
    frozen_then: frozenset[int] = frozenset()
    """The known parameters that did not require grad when it was built."""
    steps: int = 0
    refused: str = ""
    """What PyTorch said when it refused to build it."""
    died: int = -1
    """The time at which it was gone; -1 while it lives."""
    is_library: bool = False
    """Its class comes from an installed package other than torch, and computes steps by rules of its own."""
    settings: frozenset[str] = frozenset()
    """The keys of its param groups beside `params`, as they were first seen."""
    group_ids: frozenset[int] = frozenset()
    """The `id` of each group as last looked at: optimizers that step through each other share them."""
    is_part: bool = False
    """Another optimizer built it for its own use: for a schedule, or to step with."""
    wrapper_of: int = -1
    """The optimizer whose very `param_groups` it shows (a Lookahead around an Adam, say)."""
    name: str = ""
    schedulers: list[tuple[int, str]] = field(default_factory=list)
    """(stack, class) of each learning-rate scheduler built for it."""
    factors: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    """Position among `schedulers` → (file, first line) of the functions that give its factors."""
    scheduler_steps: int = 0
    zeroed_by: int = -1
    """The position among `schedulers` of the one that made a learning rate 0; -1 where none did."""
    zeroed_on_load: int = -1
    """The stack of the `load_state_dict` that made a learning rate 0; -1 where none did."""

    # What the optimizer was like when the recording was frozen.
    is_alive: bool = False
    kind: int = -1
    """The index of its class."""
    variable: str = ""
    """The variable that the program keeps it in."""
    is_asked_about: bool = True
    """Where an audit was given optimizers: whether it is one of them."""
    is_abandoned: bool = False
    """It was dropped without ever having stepped, before the training that was seen."""
    attributes: frozenset[str] = frozenset()
    """The names of its own attributes."""
    defaults: frozenset[str] = frozenset()
    """The settings that its class knows."""
    keys: frozenset[str] = frozenset()
    """The keys of its param groups."""


@dataclass(slots=True)
class LiveOptimizer(OptimizerInfo):
    """An entry with a reference to its optimizer, a weak one where its class allows it."""

    ref: Callable[[], Any] = field(kw_only=True)


@dataclass(slots=True)
class SlotAssignment:
    """Forward assigned a plain tensor to a Parameter slot."""

    module: int
    slot: str
    stack: int
    track: int
    time: int
    value: int
    refused: bool
