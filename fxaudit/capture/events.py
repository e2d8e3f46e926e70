"""What a loop does: one class for each kind of event. All of them say at which stack it happened, and when.

`time` is the index that the next operation had then. Optimizers, modules and tensors are given by their indices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "BackwardEvent",
    "ClearEvent",
    "ClipEvent",
    "FlagEvent",
    "GradFnGraph",
    "GradientEvent",
    "GradientState",
    "GroupEvent",
    "LoopEvent",
    "OptimizerEvent",
    "ScalerEvent",
    "ScalerStepEvent",
    "SchedulerEvent",
    "SchedulerStepEvent",
    "StepBeginsEvent",
    "StepEvent",
]

GradientState = Literal["none", "zero", "finite", "nonfinite"]


@dataclass(slots=True)
class _Event:
    stack: int
    time: int


@dataclass(frozen=True, slots=True)
class GradFnGraph:
    """The `grad_fn` graph behind a backward: name and sequence number of each node, the tracks of its leaves by node,
    and index pairs from the roots' side to the leaves'."""

    nodes: tuple[tuple[str, int], ...]
    leaves: dict[int, int]
    edges: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class BackwardEvent(_Event):
    """A backward: its roots, the leaves the graph reaches, and what arrived at each."""

    roots: tuple[int, ...] = ()
    reached: frozenset[int] = frozenset()
    arrived: dict[int, tuple[GradientState, float]] = field(default_factory=dict)
    restricted: bool = False
    """`inputs=` limited where gradients go."""
    accumulates: bool = True
    """False for `torch.autograd.grad`."""
    anew: frozenset[int] = frozenset()
    """The leaves that got a new gradient tensor: in `.grad`, for they had none, or another, when it began; of
    `torch.autograd.grad` all that it was asked for."""
    asked: dict[int, bool] = field(default_factory=dict)
    """Whether `torch.autograd.grad` returned a gradient, and not None, for each leaf that it was asked for."""
    error: str = ""
    loss: float | None = None
    """The number that it begins at; None where it begins at several, or at none that can be read."""
    grad_fns: GradFnGraph | None = None
    """The graph that it goes through; None where too much of that was kept already."""


@dataclass(slots=True)
class OptimizerEvent(_Event):
    """An optimizer is built."""

    optimizer: int


@dataclass(slots=True)
class GroupEvent(_Event):
    """A param group is added to an optimizer that is there."""

    optimizer: int


@dataclass(slots=True)
class StepBeginsEvent(_Event):
    """An optimizer begins to step."""

    optimizer: int
    ended: bool = False
    """The step ran through."""


@dataclass(slots=True)
class StepEvent(_Event):
    """An optimizer has stepped."""

    optimizer: int
    tracks: frozenset[int] = frozenset()
    """All that it holds."""
    closure: bool = False
    """It was given a closure."""


@dataclass(slots=True)
class ClearEvent(_Event):
    """Gradients are cleared."""

    tracks: frozenset[int]
    """Those that were there."""
    by: str
    """The class of the optimizer or module that clears them; `.grad = None` where the program does it by hand."""
    optimizer: int = -1
    """The optimizer that clears what it holds."""


@dataclass(slots=True)
class GradientEvent(_Event):
    """The program writes a `.grad` itself."""

    track: int


@dataclass(slots=True)
class FlagEvent(_Event):
    """`requires_grad_` of a module is called."""

    module: int
    flag: bool


@dataclass(slots=True)
class SchedulerEvent(_Event):
    """A learning-rate scheduler is built."""

    optimizer: int
    scheduler: str
    """Its class."""


@dataclass(slots=True)
class SchedulerStepEvent(_Event):
    """A learning-rate scheduler steps."""

    optimizer: int
    scheduler: str


@dataclass(slots=True)
class ScalerEvent(_Event):
    """A gradient scaler is made."""


@dataclass(slots=True)
class ScalerStepEvent(_Event):
    """A gradient scaler lets an optimizer step, or skips the step."""

    optimizer: int
    skipped: bool
    tracks: frozenset[int] = frozenset()
    """All that the optimizer holds."""


@dataclass(slots=True)
class ClipEvent(_Event):
    """Gradients are clipped."""

    tracks: frozenset[int]
    function: str
    bound: str
    """The bound that it was given, as it is written."""
    norm: float | None = None
    """The norm by which it clipped."""

    def __str__(self) -> str:
        return f"{self.function}({self.bound})"


LoopEvent = (
    BackwardEvent
    | OptimizerEvent
    | GroupEvent
    | StepBeginsEvent
    | StepEvent
    | ClearEvent
    | GradientEvent
    | FlagEvent
    | SchedulerEvent
    | SchedulerStepEvent
    | ScalerEvent
    | ScalerStepEvent
    | ClipEvent
)
"""Whatever a loop does; nothing else is an event."""
