"""What the report would say without the line to blame: only where that was tried, and only what was seen there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from fxaudit.answer.answer import Answer, Verdict
from fxaudit.answer.finding import Finding
from fxaudit.answer.picture_data import GraphData

__all__ = ["afterwards", "revived"]


def revived(answer: Answer, finding: Finding) -> tuple[str, ...]:
    """The parameters that were seen to come alive when the finding's line was taken out, or its fix was made."""
    if finding.patch is not None and finding.patch.state == "tried":
        names: Iterable[str] = finding.parameters
    else:
        names = finding.restored if finding.proved else ()
    known = answer.parameters
    return tuple(name for name in names if name in known and known[name].verdict not in ("trained", "frozen"))


def afterwards(answer: Answer, finding: Finding) -> Answer | None:
    """`answer` with what was seen to come alive drawn alive; None where nothing was tried, or nothing came of it.

    Whom no optimizer holds stays as it is unless a whole fix was tried: a proof shows that gradient arrives, no more.
    """
    alive = set(revived(answer, finding))
    if not alive:
        return None
    trains = finding.patch is not None and finding.patch.state == "tried"
    parameters = dict(answer.parameters)
    for name in alive:
        old = parameters[name]
        left = tuple(f for f in old.findings if f is not finding)
        verdict: Verdict = "trained" if trains or old.held_by else "excluded"
        parameters[name] = replace(old, verdict=verdict, findings=left, culprit=None)
    others = {(f.culprit.file, f.culprit.line) for f in answer.findings if f is not finding and f.culprit is not None}
    own = {(finding.culprit.file, finding.culprit.line)} if finding.culprit is not None else set()
    graph = _joined(answer.graph_data, alive, others - own)
    return replace(answer, parameters=parameters, graph_data=graph)


def _joined(data: GraphData, alive: Collection[str], blamed: Collection[tuple[str, int]]) -> GraphData:
    """`data` with gradient on the ways from what is alive to a loss, through no line that another finding blames."""
    after: dict[int, list[int]] = {}
    before: dict[int, list[int]] = {}
    for edge in data.edges:
        if edge.kind in ("data", "grad"):
            after.setdefault(edge.source, []).append(edge.target)
            before.setdefault(edge.target, []).append(edge.source)
    closed = {number for number, node in enumerate(data.nodes) if not node.floating or _line(data, number) in blamed}
    starts = {n for n, node in enumerate(data.nodes) if node.kind == "parameter" and node.label in alive}
    ends = {n for n, node in enumerate(data.nodes) if node.kind == "loss"}
    way = _reached(starts, after, closed) & _reached(ends, before, closed)
    if not way & ends:
        return data  # what lies between is not known: only the boxes turn
    nodes = tuple(replace(node, carries_gradient=True) if n in way else node for n, node in enumerate(data.nodes))
    edges = tuple(
        replace(edge, cut=False) if edge.cut and edge.source in way and edge.target in way else edge
        for edge in data.edges
    )
    return replace(data, nodes=nodes, edges=edges)


def _line(data: GraphData, number: int) -> tuple[str, int] | None:
    source = data.nodes[number].source
    return (data.sources[source].file, data.sources[source].line) if source >= 0 else None


def _reached(starts: Collection[int], steps: dict[int, list[int]], closed: Collection[int]) -> set[int]:
    seen = set(starts)
    stack = list(starts)
    while stack:
        for node in steps.get(stack.pop(), ()):
            if node not in seen and node not in closed:
                seen.add(node)
                stack.append(node)
    return seen
