"""The typed nodes of `report.graph`. They are plain values: two of one report are equal if they stand for one thing.

What tells a node apart comes first; what is only said of it takes no part in comparisons, so that
`ParameterNode("encoder.weight")` finds the parameter in the graph.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fxaudit.program.source import SourceLine

__all__ = [
    "BufferNode",
    "FxNode",
    "GradFnNode",
    "GroupNode",
    "InputNode",
    "LossNode",
    "Node",
    "OpNode",
    "ParameterNode",
]


@dataclass(frozen=True, slots=True)
class ParameterNode:
    """A parameter, by its fully-qualified name."""

    name: str
    shape: tuple[int, ...] = field(default=(), compare=False)
    dtype: str = field(default="", compare=False)
    verdict: str = field(default="unknown", compare=False)


@dataclass(frozen=True, slots=True)
class BufferNode:
    """A buffer or other tensor kept between steps, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class InputNode:
    """A tensor that came into the step from outside; `index` tells several apart."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class OpNode:
    """A recorded torch call; `index` is its position in the step."""

    index: int
    name: str
    module: str
    source: SourceLine | None


@dataclass(frozen=True, slots=True)
class GradFnNode:
    """A node of the autograd graph, such as `AddmmBackward0`; `AccumulateGrad` of a leaf names its parameter.

    `sequence_nr` is torch's own number of it, -1 for a leaf; `index` tells nodes of one name apart.
    """

    index: int
    name: str
    sequence_nr: int = -1
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class LossNode:
    """A loss of the step; `index` tells several apart."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class GroupNode:
    """A param group of an optimizer: `name` is the optimizer's name in the report with the group's index."""

    name: str
    optimizer: str = field(default="", compare=False)
    group: int = field(default=0, compare=False)
    lr: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FxNode:
    """A node of the symbolic trace, by its name there."""

    index: int
    name: str
    target: str


Node = ParameterNode | BufferNode | InputNode | OpNode | GradFnNode | LossNode | GroupNode | FxNode
