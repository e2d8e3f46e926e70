"""What the report would say without the line to blame: only where that was tried, and only what was seen there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from fxaudit.answer.answer import Answer, Verdict
from fxaudit.answer.finding import Finding
from fxaudit.answer.picture_data import GraphData

__all__ = ["afterwards", "fixed_together", "is_fixed", "revived"]


def revived(answer: Answer, *findings: Finding) -> tuple[str, ...]:
    """The parameters that were seen to come alive when the findings' lines were taken out, or their fixes were made."""
    names: dict[str, None] = {}
    for finding in findings:
        if is_fixed(finding):
            names |= dict.fromkeys(finding.parameters)
        elif finding.proved:
            names |= dict.fromkeys(finding.restored)
    known = answer.parameters
    return tuple(name for name in names if name in known and known[name].verdict not in ("trained", "frozen"))


def fixed_together(answer: Answer) -> tuple[Finding, ...]:
    """The findings that one edit mends, as was tried: that of all fixes at once; () where there is no such edit."""
    patch = answer.patch
    fixed = tuple(finding for finding in answer.findings if is_fixed(finding))
    return fixed if patch is not None and patch.state == "tried" and len(fixed) > 1 else ()


def afterwards(answer: Answer, *findings: Finding) -> Answer | None:
    """`answer` with what was seen to come alive drawn alive; None where nothing was tried, or nothing came of it.

    Several findings are those of one edit. Whom no optimizer holds stays as it is unless a whole fix was tried: a proof
    shows that gradient arrives, no more.
    """
    alive = set(revived(answer, *findings))
    if not alive:
        return None
    mended = {name for finding in findings if is_fixed(finding) for name in finding.parameters}
    own = {id(finding) for finding in findings}
    parameters = dict(answer.parameters)
    for name in alive:
        old = parameters[name]
        left = tuple(f for f in old.findings if id(f) not in own)
        verdict: Verdict = "trained" if name in mended or old.held_by else "excluded"
        parameters[name] = replace(old, verdict=verdict, findings=left, culprit=None)
    others = {line for f in answer.findings if id(f) not in own and (line := _blamed(f)) is not None}
    data = replace(answer.graph_data, edges=tuple(replace(edge, norm=None) for edge in answer.graph_data.edges))
    graph = _joined(data, alive, others - {_blamed(finding) for finding in findings})
    return replace(answer, parameters=parameters, graph_data=graph)


def is_fixed(finding: Finding) -> bool:
    """Whether a fix was tried that mends it."""
    return finding.patch is not None and finding.patch.state == "tried"


def _blamed(finding: Finding) -> tuple[str, int] | None:
    return (finding.culprit.file, finding.culprit.line) if finding.culprit is not None else None


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
