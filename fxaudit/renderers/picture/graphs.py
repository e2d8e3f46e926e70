"""The **operations** and **autograd** views: every recorded operation, every `grad_fn`, up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fxaudit.answer.answer import Answer, ParameterReport
from fxaudit.answer.picture_data import GraphData, GraphNode
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.engine import Picture
from fxaudit.renderers.picture.flow import BoxEdge, arrows, receiving
from fxaudit.renderers.picture.labels import Line, folded, muted, shortened, where
from fxaudit.renderers.picture.palette import HAPPY, SEVERITY
from fxaudit.renderers.picture.scene import Beside, Item, Scene
from fxaudit.renderers.text.operation_names import operation

__all__ = ["draw_autograd", "draw_operations"]

PATTERNS = 6
"""Patterns of names in one box."""


def draw_operations(
    report: Answer, *, parameter: str | None = None, depth: int | None = None, root: str | None = None
) -> Picture:
    """Every recorded operation; `root` leaves only one module's, `parameter` only what that parameter flows into."""
    data = report.graph_data
    flow = arrows(data)
    alive = receiving(data, flow)
    edges = [
        BoxEdge(arrow.source, arrow.target, arrow.state if arrow.state != "grad" or arrow.target in alive else "idle")
        for arrow in flow
    ]
    cuts = {edge.target for edge in edges if edge.state in ("cut", "python")}
    home = _homes(report)
    items = []
    for number, node in enumerate(data.nodes):
        known = node.label if node.kind == "parameter" and node.label in report.parameters else ""
        unwell = bool(known) and report.parameters[known].verdict not in HAPPY
        source = _source(report, node)
        kind = "cut" if number in cuts else node.kind if node.kind in ("parameter", "buffer", "input", "loss") else "op"
        items.append(
            Item(
                (Line(shortened(_shown(node)), "title"), *([muted(where(source))] if source else [])),
                kind,
                _tip(_shown(node), source),
                home(known) if known else node.module,
                known,
                unwell or number in cuts or node.kind == "loss",
                # Which group holds a parameter is a band in its box: an arrow to each would hide all others.
                hidden=node.kind == "group",
            )
        )
    return Scene(report, "operations", "operation", items, edges).draw(parameter, depth, root)


def draw_autograd(
    report: Answer, *, parameter: str | None = None, depth: int | None = None, root: str | None = None
) -> Picture:
    """The `grad_fn` graph, from the AccumulateGrad leaves, with their parameters and param groups, to the loss.

    Parameters that have no leaf in it stand beside it, a box for each verdict.
    """
    recorded = bool(report.graph_data.autograd_nodes)
    data = report.graph_data if recorded else _as_autograd(report.graph_data)
    home = _homes(report)
    items = []
    for label, made in data.autograd_nodes:
        node = data.nodes[made] if 0 <= made < len(data.nodes) else None
        known = node.label if node is not None and node.kind == "parameter" and node.label in report.parameters else ""
        source = _source(report, node) if node is not None else None
        lines = [Line(shortened(label), "title")]
        if known:
            lines = [Line(shortened(known), "title"), muted(label)]
        elif node is not None and node.kind == "op":
            lines.append(muted("  ".join(filter(None, [shortened(operation(node.label), 24), where(source)]))))
        module = home(known) if known else node.module if node is not None else -1
        items.append(Item(tuple(lines), "parameter" if known else "op", _tip(label, source), module, known))
    edges = [BoxEdge(source, target, "grad") for source, target in data.autograd_edges]
    edges += _to_losses(data, items)
    meant = (
        [report[parameter]] if parameter is not None else [p for p in report if not root or _is_inside(p.name, root)]
    )
    leaves = {item.parameter for item in items}
    beside = _without_leaf(report, [p for p in meant if p.name not in leaves]) if items else []
    remark = "" if recorded else "No backward was recorded: one node stands for each operation."
    scene = Scene(report, "autograd", "autograd node", items, edges, leaves=True, beside=beside, remark=remark)
    return scene.draw(parameter, depth, root)


def _to_losses(data: GraphData, items: list[Item]) -> list[BoxEdge]:
    """Arrows from the last `grad_fn`s to the losses, whose boxes are appended to `items`."""
    made_by = {e.source: e.target for e in data.edges if e.kind == "grad" and data.nodes[e.target].kind == "loss"}
    inner = {below for below, _ in data.autograd_edges}
    box: dict[int, int] = {}
    edges = []
    for number, (_, made) in enumerate(data.autograd_nodes):
        if made in made_by and number not in inner:
            loss = made_by[made]
            if loss not in box:
                box[loss] = len(items)
                label = data.nodes[loss].label
                shown = label if label.startswith("loss") else f"loss: {label}"
                items.append(Item((Line(shortened(shown), "title"),), "loss", label, urgent=True))
            edges.append(BoxEdge(number, box[loss], "grad"))
    return edges


def _is_inside(parameter: str, module: str) -> bool:
    return parameter.startswith(f"{module}.")


def _without_leaf(report: Answer, missing: list[ParameterReport]) -> list[Beside]:
    """What to say of the parameters that have no leaf: the loudest verdict first."""
    found = []
    for verdict in SEVERITY:
        names = tuple(p.name for p in missing if p.verdict == verdict)
        if names:
            patterns = folded(names, report.parameters)
            lines = [Line(shortened(pattern), "title") for pattern in patterns[:PATTERNS]]
            if len(patterns) > PATTERNS:
                lines.append(muted(f"… {len(patterns) - PATTERNS} more patterns"))
            said = (
                "has no leaf in this graph" if len(names) == 1 else f"{len(names):,} parameters, no leaf in this graph"
            )
            found.append(Beside((*lines, muted(said)), verdict, names))
    return found


def _as_autograd(data: GraphData) -> GraphData:
    """`data` with the autograd nodes that its operations have made: those through which gradient flows back."""
    edges = [(a.source, a.target) for a in arrows(data) if a.state == "grad"]
    number: dict[int, int] = {}
    nodes: list[tuple[str, int]] = []
    for index in sorted({end for edge in edges for end in edge}):
        node = data.nodes[index]
        if node.kind == "loss":
            continue
        number[index] = len(nodes)
        nodes.append((f"backward of {operation(node.label)}" if node.kind == "op" else "AccumulateGrad", index))
    kept = tuple((number[a], number[b]) for a, b in edges if a in number and b in number)
    return replace(data, autograd_nodes=tuple(nodes), autograd_edges=kept)


def _shown(node: GraphNode) -> str:
    return operation(node.label) if node.kind == "op" else node.label


def _homes(report: Answer) -> Callable[[str], int]:
    index = {module.name: number for number, module in enumerate(report.graph_data.modules)}
    return lambda parameter: index.get(parameter.rpartition(".")[0], -1)


def _source(report: Answer, node: GraphNode) -> SourceLine | None:
    return report.graph_data.sources[node.source] if node.source >= 0 else None


def _tip(label: str, source: SourceLine | None) -> str:
    return " · ".join(filter(None, [label, str(source), source.code])) if source else label
