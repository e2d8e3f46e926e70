"""What people ask of a report's graph: the ways to the loss, what all gradient passes, which loss trains what."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Finding
from fxaudit.answer.graph_nodes import GradFnNode, LossNode, Node, OpNode
from fxaudit.answer.networkx_face import Faces, cut_findings, reached
from fxaudit.answer.picture_data import GraphData
from fxaudit.errors import UnknownLossError, UnknownParameterError
from fxaudit.program.flow import shortest, way

if TYPE_CHECKING:
    from fxaudit.answer.answer import Verdict

__all__ = ["GraphComparison", "GraphPath", "bottleneck", "comparison", "paths", "trained_by"]

MAX_CUT_PATHS = 20


@dataclass(frozen=True, slots=True)
class GraphPath:
    """A way from a parameter to a loss, or to where its value goes no further.

    `cut` is the pair of nodes between which gradient ends, None where it comes through; `finding` tells of the cut.
    """

    nodes: tuple[Node, ...]
    carries_gradient: bool
    reaches_loss: bool = True
    cut: tuple[Node, Node] | None = None
    finding: Finding | None = None

    def __str__(self) -> str:
        parts = []
        for before, node in zip((None, *self.nodes), self.nodes, strict=False):
            if before is not None:
                parts.append("-x->" if self.cut == (before, node) else "->")
            parts.append(_named(node))
        return " ".join(parts)


def _named(node: Node) -> str:
    source = node.source if isinstance(node, OpNode) else None
    return f"{node.name} ({source})" if source is not None else node.name


def paths(answer: Answer, name: str) -> tuple[GraphPath, ...]:
    """The shortest way of gradient to each loss, then the ways that are cut, one for each cut; see `Report.paths`."""
    data = answer.graph_data
    start = _number_of(answer, name)
    faces = Faces(answer).nodes
    following = _following(data)
    alive = _shortest({source: targets["grad"] for source, targets in following.items()}, [start])
    ways = [
        GraphPath(tuple(faces[node] for node in way(alive, index)), carries_gradient=True)
        for index, node in enumerate(data.nodes)
        if node.kind == "loss" and index in alive
    ]
    findings = cut_findings(answer)
    onwards = _towards_losses(data)
    for edge in data.edges:
        is_cut = edge.cut or (edge.kind == "python" and edge.target not in alive)
        if is_cut and edge.source in alive and len(ways) < MAX_CUT_PATHS:
            before, after = way(alive, edge.source), way(onwards, edge.target)[::-1] or [edge.target]
            nodes = tuple(faces[node] for node in (*before, *after))
            pair = (faces[edge.source], faces[edge.target])
            is_whole = data.nodes[after[-1]].kind == "loss"
            ways.append(GraphPath(nodes, False, is_whole, pair, findings.get((edge.source, edge.target))))
    if not ways and following.get(start):
        ways.append(_dead_end(data, faces, start, following))
    return tuple(ways)


def _dead_end(
    data: GraphData, faces: Sequence[Node], start: int, following: dict[int, dict[str, list[int]]]
) -> GraphPath:
    """The longest way of a value that no loss reads, or the shortest one to a loss without gradient."""
    known = _shortest({source: [*to["grad"], *to["data"]] for source, to in following.items()}, [start])
    losses = [index for index in known if data.nodes[index].kind == "loss"]
    end = losses[0] if losses else next(reversed(known))
    return GraphPath(tuple(faces[node] for node in way(known, end)), carries_gradient=False, reaches_loss=bool(losses))


def _following(data: GraphData) -> dict[int, dict[str, list[int]]]:
    """Node → where its gradient comes from (`grad`), and where its value goes (`data`)."""
    found: dict[int, dict[str, list[int]]] = {}
    for edge in data.edges:
        if edge.kind != "holds":
            known = found.setdefault(edge.source, {"grad": [], "data": []})
            known["grad" if edge.kind == "grad" else "data"].append(edge.target)
    return found


def _towards_losses(data: GraphData) -> dict[int, int]:
    """Node → the next one on a shortest way of its value to a loss; -1 for a loss."""
    before: dict[int, list[int]] = {}
    for edge in data.edges:
        if edge.kind in ("data", "python"):
            before.setdefault(edge.target, []).append(edge.source)
    return _shortest(before, [index for index, node in enumerate(data.nodes) if node.kind == "loss"])


def _shortest(following: dict[int, list[int]], start: Iterable[int]) -> dict[int, int]:
    return shortest(start, lambda node: following.get(node, ()))


# -- what all gradient passes ------------------------------------------------------------------------------------


def bottleneck(answer: Answer, names: str | Iterable[str]) -> tuple[OpNode, ...]:
    """The operations that all gradient to `names` passes, the nearest first; see `Report.bottleneck`."""
    import networkx

    data = answer.graph_data
    flow = networkx.DiGraph([(edge.target, edge.source) for edge in data.edges if edge.kind == "grad"])
    root = -1
    flow.add_edges_from((root, index) for index, node in enumerate(data.nodes) if node.kind == "loss" and index in flow)
    if root not in flow:
        return ()
    above: dict[int, int] = networkx.immediate_dominators(flow, root)
    chains = []
    for name in _matching(answer, [names] if isinstance(names, str) else list(names)):
        node: int | None = above.get(_number_of(answer, name))
        chain = []
        while node is not None and node != root:
            chain.append(node)
            node = above.get(node)
        if node is not None:
            chains.append(chain)
    if not chains:
        return ()
    common = set(chains[0]).intersection(*chains[1:])
    faces = Faces(answer).nodes
    return tuple(face for node in chains[0] if node in common and isinstance(face := faces[node], OpNode))


def _matching(answer: Answer, patterns: Iterable[str]) -> list[str]:
    """The parameters that are named, that match as in `fnmatch`, or that lie in a module that is named."""
    found: dict[str, None] = {}
    for pattern in patterns:
        own = [
            name
            for name in answer.parameters
            if name == pattern or name.startswith(f"{pattern}.") or fnmatch.fnmatchcase(name, pattern)
        ]
        if not own:
            answer[pattern]  # raises, and says what is near
        found.update(dict.fromkeys(own))
    return list(found)


def _number_of(answer: Answer, name: str) -> int:
    answer[name]
    for index, node in enumerate(answer.graph_data.nodes):
        if node.kind == "parameter" and node.label == name:
            return index
    raise UnknownParameterError(f"The report's graph has no parameter {name!r}: the graph could not be made.")


# -- which loss --------------------------------------------------------------------------------------------------


def trained_by(answer: Answer, loss: str | LossNode | OpNode | GradFnNode) -> tuple[str, ...]:
    """The parameters that get gradient from `loss`; see `Report.trained_by`."""
    data = answer.graph_data
    ends = _ends(answer, loss)
    if data.autograd_roots and not data.left_out:
        offset = len(data.nodes)
        roots = {offset + ends.index} if isinstance(ends, GradFnNode) else _roots(data, ends, offset)
        below = reached(((offset + above, offset + one) for one, above in data.autograd_edges), roots)
        numbers = {data.autograd_nodes[index - offset][1] for index in below if index >= offset}
    else:
        start = {data.autograd_nodes[ends.index][1]} if isinstance(ends, GradFnNode) else set(ends)
        numbers = reached(((edge.target, edge.source) for edge in data.edges if edge.kind == "grad"), start)
    names = {data.nodes[index].label for index in numbers if index >= 0 and data.nodes[index].kind == "parameter"}
    none = {name for name in names if name in answer.parameters and answer.parameters[name].gradient.state == "none"}
    return tuple(name for name in answer.parameters if name in names - none)


def _roots(data: GraphData, ends: Sequence[int], offset: int) -> set[int]:
    """The autograd nodes that belong to the losses or operations `ends`, with `offset` added to their numbers."""
    wanted = set(ends)
    found = {offset + index for index, loss in data.autograd_roots if loss in wanted}
    operations = {index for index in wanted if data.nodes[index].kind == "op"}
    own = {index for index, (_, made) in enumerate(data.autograd_nodes) if made in operations}
    return found | {offset + index for index in own}


def _ends(answer: Answer, loss: str | LossNode | OpNode | GradFnNode) -> GradFnNode | list[int]:
    """The nodes that `loss` means: losses of that name, else the operations whose line assigns that variable."""
    nodes = answer.graph_data.nodes
    if isinstance(loss, GradFnNode):
        return loss
    if isinstance(loss, LossNode | OpNode):
        known = Faces(answer).nodes
        if loss.index < len(known) and known[loss.index] == loss:
            return [loss.index]
        raise UnknownLossError(f"The report's graph has no {loss}; take it from `report.graph`.")
    found = [index for index, node in enumerate(nodes) if node.kind == "loss" and node.label == loss]
    if not found:
        assigns = re.compile(rf"\s*{re.escape(loss)}\s*(:[^=]+)?=(?!=)")
        on_line = [
            index for index, node in enumerate(nodes) if node.kind == "op" and assigns.match(_code(answer, index))
        ]
        lines = {nodes[index].source for index in on_line}
        found = [max(index for index in on_line if nodes[index].source == line) for line in lines]
    if not found:
        names = list(dict.fromkeys(node.label for node in nodes if node.kind == "loss"))
        known_losses = ", ".join(map(repr, names)) or "none at all"
        raise UnknownLossError(f"The report has no loss {loss!r}, and no line assigns it. Its losses: {known_losses}.")
    return found


def _code(answer: Answer, index: int) -> str:
    source = answer.graph_data.nodes[index].source
    return answer.graph_data.sources[source].code if source >= 0 else ""


# -- two graphs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GraphComparison:
    """How the graphs of two reports differ.

    `reached` and `lost` are the parameters that get gradient only in the second, or only in the first; `cuts` and
    `mended` are the places where gradient ends only in the second, or only in the first: operation, module, line of
    code. `appeared` and `gone` name operations in the same way, each as often as it is there more often.
    """

    reached: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    verdicts: tuple[tuple[str, Verdict | None, Verdict | None], ...] = ()
    cuts: tuple[tuple[str, str, str], ...] = ()
    mended: tuple[tuple[str, str, str], ...] = ()
    appeared: tuple[tuple[str, str, str], ...] = ()
    gone: tuple[tuple[str, str, str], ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self == GraphComparison()

    def __str__(self) -> str:
        lines = [f"gets gradient now: {name}" for name in self.reached]
        lines += [f"gets no gradient any more: {name}" for name in self.lost]
        lines += [f"{name}: {before or 'absent'} -> {after or 'absent'}" for name, before, after in self.verdicts]
        named = (("cut now", self.cuts), ("cut no more", self.mended), ("new", self.appeared), ("gone", self.gone))
        lines += [f"{what}: {' · '.join(filter(None, place))}" for what, places in named for place in places]
        return "\n".join(lines) or "The graphs are the same."


def comparison(old: Answer, new: Answer) -> GraphComparison:
    """How the graph of `new` differs from that of `old`; see `Report.compare`."""
    was, now = _receivers(old), _receivers(new)
    names = tuple(dict.fromkeys([*old.parameters, *new.parameters]))
    pairs = [(n, old.parameters[n].verdict if n in old.parameters else None) for n in names]
    verdicts = [(n, before, new.parameters[n].verdict if n in new.parameters else None) for n, before in pairs]
    gone, appeared = _differing(_places(old.graph_data), _places(new.graph_data))
    mended, cuts = _differing(_places(old.graph_data, cut=True), _places(new.graph_data, cut=True))
    return GraphComparison(
        tuple(n for n in names if n in now and n not in was),
        tuple(n for n in names if n in was and n not in now),
        tuple(change for change in verdicts if change[1] != change[2]),
        cuts,
        mended,
        appeared,
        gone,
    )


def _receivers(answer: Answer) -> set[str]:
    data = answer.graph_data
    losses = [index for index, node in enumerate(data.nodes) if node.kind == "loss"]
    alive = reached(((edge.target, edge.source) for edge in data.edges if edge.kind == "grad"), losses)
    structural = {data.nodes[index].label for index in alive if data.nodes[index].kind == "parameter"}
    states = {p.name: p.gradient.state for p in answer}
    return {name for name, state in states.items() if (name in structural if state == "unknown" else state != "none")}


Place = tuple[str, str, str]


def _places(data: GraphData, *, cut: bool = False) -> list[Place]:
    """Operation, module and code of each operation; only those at which gradient ends where `cut` is asked for."""
    chosen = {edge.target for edge in data.edges if edge.cut} if cut else range(len(data.nodes))
    found = []
    for index in sorted(chosen):
        node = data.nodes[index]
        if node.kind == "op":
            module = data.modules[node.module].name if node.module >= 0 else ""
            found.append((node.label, module, data.sources[node.source].code.strip() if node.source >= 0 else ""))
    return found


def _differing(old: list[Place], new: list[Place]) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    from collections import Counter

    was, now = Counter(old), Counter(new)
    return tuple((was - now).elements()), tuple((now - was).elements())
