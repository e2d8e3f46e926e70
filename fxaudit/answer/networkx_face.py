"""`report.graph`: the graph of an answer as a `networkx` multigraph of typed nodes, and simpler graphs made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Finding
from fxaudit.answer.graph_nodes import (
    BufferNode,
    FxNode,
    GradFnNode,
    GroupNode,
    InputNode,
    LossNode,
    Node,
    OpNode,
    ParameterNode,
)
from fxaudit.answer.picture_data import GraphData, GraphEdge, GraphNode
from fxaudit.program.flow import beyond

if TYPE_CHECKING:
    import networkx

__all__ = ["Faces", "cut_findings", "data_flow", "gradient_flow", "networkx_graph", "plain", "reached"]


class Faces:
    """The typed nodes of an answer's graph, in the order of its plain data."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._groups = {
            f"{optimizer.name}[{index}]": (optimizer.name, index, rate)
            for optimizer in answer.optimizers
            for index, (rate, _) in enumerate(optimizer.groups)
        }
        data = answer.graph_data
        self.nodes = [self._face(index, node) for index, node in enumerate(data.nodes)]
        self.grad_fns = [self._grad_fn(data, index) for index in range(len(data.autograd_nodes))]

    def _face(self, index: int, node: GraphNode) -> Node:
        data = self._answer.graph_data
        match node.kind:
            case "parameter":
                known = self._answer.parameters.get(node.label)
                if known is None:
                    return ParameterNode(node.label)
                return ParameterNode(node.label, known.shape, known.dtype, known.verdict)
            case "buffer":
                return BufferNode(node.label)
            case "input":
                return InputNode(index, node.label)
            case "op":
                module = data.modules[node.module].name if node.module >= 0 else ""
                return OpNode(index, node.label, module, data.sources[node.source] if node.source >= 0 else None)
            case "loss":
                return LossNode(index, node.label)
            case "group":
                return GroupNode(node.label, *self._groups.get(node.label, ()))

    def _grad_fn(self, data: GraphData, index: int) -> GradFnNode:
        name, made = data.autograd_nodes[index]
        sequence = data.autograd_sequences[index] if index < len(data.autograd_sequences) else -1
        leaf = data.nodes[made].label if made >= 0 and data.nodes[made].kind == "parameter" else ""
        return GradFnNode(index, name, sequence, leaf)


def networkx_graph(answer: Answer) -> networkx.MultiDiGraph:
    """The graph of `answer` as a multigraph of typed nodes, edges from parameter to loss, keyed by their kind.

    Nodes carry `carries_gradient` and `receives_gradient`; edges carry `cut` and, where they are known, its `finding`
    and the `norm` of the gradient that comes back.
    """
    import networkx

    data = answer.graph_data
    faces = Faces(answer)
    graph: networkx.MultiDiGraph = networkx.MultiDiGraph(title=answer.title, left_out=data.left_out)
    receiving = _receiving(answer)
    for index, (face, node) in enumerate(zip(faces.nodes, data.nodes, strict=True)):
        graph.add_node(face, carries_gradient=node.carries_gradient, receives_gradient=index in receiving)
    for grad_fn in faces.grad_fns:
        graph.add_node(grad_fn, carries_gradient=True, receives_gradient=True)
    findings = cut_findings(answer)
    for edge in data.edges:
        known = findings.get((edge.source, edge.target)) if edge.cut or edge.kind == "python" else None
        ends = faces.nodes[edge.source], faces.nodes[edge.target]
        graph.add_edge(*ends, key=edge.kind, cut=edge.cut, finding=known, norm=edge.norm)
    _join_grad_fns(graph, faces, data)
    for index, (name, target, op) in enumerate(data.traced):
        fx = FxNode(index, name, target)
        graph.add_node(fx, carries_gradient=data.nodes[op].carries_gradient, receives_gradient=op in receiving)
        graph.add_edge(fx, faces.nodes[op], key="traced", cut=False, finding=None, norm=None)
    return graph


def _join_grad_fns(graph: networkx.MultiDiGraph, faces: Faces, data: GraphData) -> None:
    plain_edge = {"cut": False, "finding": None, "norm": None}
    for below, above in data.autograd_edges:
        graph.add_edge(faces.grad_fns[below], faces.grad_fns[above], key="grad", **plain_edge)
    for index, (_, made) in enumerate(data.autograd_nodes):
        if made >= 0:
            graph.add_edge(faces.nodes[made], faces.grad_fns[index], key="made", **plain_edge)
            if data.nodes[made].kind == "parameter":
                graph.add_edge(faces.nodes[made], faces.grad_fns[index], key="grad", **plain_edge)
    for index, loss in data.autograd_roots:
        if loss >= 0:
            graph.add_edge(faces.grad_fns[index], faces.nodes[loss], key="grad", **plain_edge)


def reached(edges: Iterable[tuple[int, int]], start: Iterable[int]) -> set[int]:
    """All nodes to which `edges` lead from `start`, these included."""
    following: dict[int, list[int]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
    return beyond(start, lambda node: following.get(node, ()))


def _receiving(answer: Answer) -> set[int]:
    """The nodes to which a loss sends gradient; of a parameter what arrived counts, where that was seen."""
    data = answer.graph_data
    losses = [index for index, node in enumerate(data.nodes) if node.kind == "loss" and node.carries_gradient]
    found = reached(((edge.target, edge.source) for edge in data.edges if edge.kind == "grad"), losses)
    for index, node in enumerate(data.nodes):
        known = answer.parameters.get(node.label) if node.kind == "parameter" else None
        if known is not None and known.gradient.state != "unknown":
            (found.discard if known.gradient.state == "none" else found.add)(index)
    found.update(edge.source for edge in data.edges if edge.kind == "holds" and edge.target in found)
    return found


def cut_findings(answer: Answer) -> dict[tuple[int, int], Finding]:
    """(source, target) of each edge at which gradient ends → the finding that tells of it, where one does."""
    data = answer.graph_data
    cuts = [edge for edge in data.edges if edge.cut or edge.kind == "python"]
    flowing = [(edge.source, edge.target) for edge in data.edges if edge.kind in ("data", "python")] if cuts else []
    number = {node.label: index for index, node in enumerate(data.nodes) if node.kind == "parameter"}
    found: dict[tuple[int, int], Finding] = {}
    for finding in answer.findings if cuts else ():
        own = [edge for edge in cuts if _tells_of(finding, data, edge)]
        if own:
            behind = reached(flowing, (number[name] for name in finding.parameters if name in number))
            for edge in own:
                if edge.source in behind:
                    found.setdefault((edge.source, edge.target), finding)
    return found


def _tells_of(finding: Finding, data: GraphData, edge: GraphEdge) -> bool:
    """Whether `finding` names the line at which `edge` ends: as its culprit, beside it, or as a cut on its path."""
    where = data.nodes[edge.target].source
    if where < 0 or not finding.code.startswith("FXA1"):
        return False
    line = data.sources[where]
    named = [finding.culprit, *(related.source for related in finding.related)]
    named += [step.source for step in finding.path if step.kind in ("cut", "python")]
    return any(source is not None and (source.file, source.line) == (line.file, line.line) for source in named)


# -- simpler graphs ----------------------------------------------------------------------------------------------


def gradient_flow(graph: networkx.MultiDiGraph, *, grad_fns: bool = False) -> networkx.DiGraph:
    """The ways that gradient takes, drawn from the parameters to the losses, as a simple graph.

    Args:
        graph: What `report.graph` gives.
        grad_fns: Whether the ways lead through the autograd nodes, which is exact, instead of through the operations.
    """
    kinds = (ParameterNode, LossNode, *((GradFnNode,) if grad_fns else (OpNode, InputNode, BufferNode)))
    return _only(graph, kinds, ("grad",))


def data_flow(graph: networkx.MultiDiGraph) -> networkx.DiGraph:
    """The ways that values take from parameters, buffers and inputs to the losses, as a simple graph."""
    return _only(graph, (ParameterNode, LossNode, OpNode, InputNode, BufferNode), ("data", "python"))


def _only(graph: networkx.MultiDiGraph, kinds: tuple[type, ...], keys: Sequence[str]) -> networkx.DiGraph:
    import networkx

    simple = networkx.DiGraph()
    simple.add_nodes_from((node, values) for node, values in graph.nodes(data=True) if isinstance(node, kinds))
    for source, target, key, values in graph.edges(keys=True, data=True):
        if key in keys and source in simple and target in simple:
            simple.add_edge(source, target, **values)
    return simple


def plain(graph: networkx.Graph) -> networkx.Graph:
    """`graph` with numbers for nodes and text for what is said of them, as GraphML, JSON and `pydot` need it.

    A node's name is its `label`, as Graphviz calls it; `pydot` takes no other attribute called `name`.
    """
    number = {node: index for index, node in enumerate(graph)}
    simple = graph.__class__()
    for node, values in graph.nodes(data=True):
        own = {"label" if one.name == "name" else one.name: getattr(node, one.name) for one in fields(node)}
        said = {"kind": type(node).__name__, **own}
        simple.add_node(number[node], **{name: _text(value) for name, value in (said | values).items()})
    edges = graph.edges(keys=True, data=True) if graph.is_multigraph() else _keyless(graph)
    for source, target, key, values in edges:
        said = {name: _text(value) for name, value in values.items() if value is not None}
        if graph.is_multigraph():
            simple.add_edge(number[source], number[target], key=key, kind=key, **said)
        else:
            simple.add_edge(number[source], number[target], **said)
    return simple


def _keyless(graph: networkx.Graph) -> Iterable[tuple[Any, Any, str, dict[str, Any]]]:
    return ((source, target, "", values) for source, target, values in graph.edges(data=True))


def _text(value: object) -> str | int | float | bool:
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Finding):
        return f"{value.code} {value.message}"
    return "" if value is None else str(value)
