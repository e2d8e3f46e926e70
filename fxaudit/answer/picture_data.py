"""The graph of one recorded step as plain data, and its `networkx` face.

Nothing here needs torch: a saved report draws every view from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fxaudit.program.source import SourceLine

if TYPE_CHECKING:
    import networkx

__all__ = [
    "BufferNode",
    "GraphData",
    "GraphEdge",
    "GraphModule",
    "GraphNode",
    "GroupNode",
    "InputNode",
    "LossNode",
    "Node",
    "OpNode",
    "ParameterNode",
    "networkx_graph",
]


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
    name or the group's. `module` and `source` index `GraphData.modules` and `.sources`, -1 for none.
    """

    kind: Literal["parameter", "buffer", "input", "op", "loss", "group"]
    label: str
    module: int = -1
    source: int = -1
    carries_gradient: bool = False


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """An arrow from a value towards the loss: `data`, `grad` (gradient flows back along it), `python` (the value left
    torch and came back) or `holds` (param group → parameter). `cut` marks a data edge at which gradient ends."""

    source: int
    target: int
    kind: Literal["data", "grad", "python", "holds"]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class GraphData:
    """The compact graph of one recorded step: enough to draw every view without torch.

    `autograd_nodes` and `autograd_edges` are the `grad_fn` graph: the node's name and the index of the operation that
    made it (-1: unknown), and pairs of node indices from a parameter's side towards the loss.
    """

    modules: tuple[GraphModule, ...] = ()
    sources: tuple[SourceLine, ...] = ()
    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()
    autograd_nodes: tuple[tuple[str, int], ...] = ()
    autograd_edges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ParameterNode:
    """A parameter, by its fully-qualified name."""

    name: str


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
class LossNode:
    """The loss of the step; `index` tells several apart."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class GroupNode:
    """A param group of an optimizer."""

    name: str


Node = ParameterNode | BufferNode | InputNode | OpNode | LossNode | GroupNode


def networkx_graph(data: GraphData) -> networkx.MultiDiGraph:
    """`data` as a multigraph of typed nodes, edges from parameter to loss, keyed by their kind.

    Nodes carry `carries_gradient`; edges carry `cut`.
    """
    import networkx

    graph: networkx.MultiDiGraph = networkx.MultiDiGraph()
    nodes: list[Node] = []
    for index, node in enumerate(data.nodes):
        face: Node
        match node.kind:
            case "parameter":
                face = ParameterNode(node.label)
            case "buffer":
                face = BufferNode(node.label)
            case "input":
                face = InputNode(index, node.label)
            case "op":
                module = data.modules[node.module].name if node.module >= 0 else ""
                face = OpNode(index, node.label, module, data.sources[node.source] if node.source >= 0 else None)
            case "loss":
                face = LossNode(index, node.label)
            case "group":
                face = GroupNode(node.label)
        nodes.append(face)
        graph.add_node(face, carries_gradient=node.carries_gradient)
    for edge in data.edges:
        graph.add_edge(nodes[edge.source], nodes[edge.target], key=edge.kind, cut=edge.cut)
    return graph
