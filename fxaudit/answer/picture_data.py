"""The graph of one recorded step as plain data; `report.graph` is its `networkx` face.

Nothing here needs torch: a saved report draws every view from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fxaudit.program.source import SourceLine

__all__ = ["GraphData", "GraphEdge", "GraphModule", "GraphNode", "Listing"]


@dataclass(frozen=True, slots=True)
class GraphModule:
    """A module of the picture: fully-qualified name ("" for the root), class, index of its parent (-1 for a root)."""

    name: str
    type: str
    parent: int = -1
    called: bool = True


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A box of the picture.

    `kind`: parameter, buffer, input, op, loss, group (a param group). `label` is the parameter's name, the operation's
    name or the group's. `module` and `source` index `GraphData.modules` and `.sources`, -1 for none. `shape` is that of
    the tensor that comes out of it, None where it is not known or there is none; `floating` is whether that one could
    carry a gradient at all; `size` are its smallest number, the mean and the largest when its line ran first, None for
    one that is not finite, and for all where nobody looked.
    """

    kind: Literal["parameter", "buffer", "input", "op", "loss", "group"]
    label: str
    module: int = -1
    source: int = -1
    carries_gradient: bool = False
    shape: tuple[int, ...] | None = None
    floating: bool = True
    size: tuple[float | None, float | None, float | None] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The text of one of the user's functions ("" for a module's own lines) as (line, text); what is long has gaps."""

    file: str
    function: str
    rows: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """An arrow from a value towards the loss: `data`, `grad` (gradient flows back along it), `python` (the value left
    torch and came back) or `holds` (param group → parameter). `cut` marks a data edge at which gradient ends. `norm` is
    the 2-norm of the gradient that was seen to flow back along a `grad` edge, None where nobody measured it."""

    source: int
    target: int
    kind: Literal["data", "grad", "python", "holds"]
    cut: bool = False
    norm: float | None = None


@dataclass(frozen=True, slots=True)
class GraphData:
    """The compact graph of one recorded step: enough to draw every view without torch.

    `autograd_nodes` and `autograd_edges` are the `grad_fn` graph: the node's name and the index of the operation that
    made it (-1: unknown), and pairs of node indices from a parameter's side towards the loss. For each of the nodes
    `autograd_sequences` has its sequence number (-1 for a leaf); `autograd_roots` pairs those at which a backward began
    with the loss (-1: unknown). `traced` has the nodes of the symbolic trace: name, target, and the operation that
    stands for it. `left_out` says in a sentence what is missing because it was too much, `unmeasured` why the gradients
    between operations were not measured, though some are missing or zero.

    `callers` has for each of the sources the index of the line that called its function, -1 where none is known;
    `listings` are the user's functions in which the operations ran, in the order of forward.
    """

    modules: tuple[GraphModule, ...] = ()
    sources: tuple[SourceLine, ...] = ()
    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()
    autograd_nodes: tuple[tuple[str, int], ...] = ()
    autograd_edges: tuple[tuple[int, int], ...] = ()
    autograd_sequences: tuple[int, ...] = ()
    autograd_roots: tuple[tuple[int, int], ...] = ()
    traced: tuple[tuple[str, str, int], ...] = ()
    left_out: str = ""
    callers: tuple[int, ...] = ()
    listings: tuple[Listing, ...] = ()
    unmeasured: str = ""
