"""What was seen of a program's modules and optimizers: one plain entry for each."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

from torch import nn

__all__ = ["ModuleInfo", "OptimizerInfo", "SlotAssignment"]


@dataclass(slots=True)
class ModuleInfo:
    """A module that was seen: its class, where it was made, and which attributes were set on which lines."""

    index: int
    ref: weakref.ref[nn.Module]
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


@dataclass(slots=True)
class OptimizerInfo:
    """An optimizer that was seen, with its groups as last looked at."""

    index: int
    ref: weakref.ref[Any]
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
