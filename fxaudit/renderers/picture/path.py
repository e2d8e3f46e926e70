"""The way from a parameter to the loss: taken from the report, or searched in its graph."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fxaudit.answer.answer import ParameterReport
from fxaudit.answer.finding import PathStep
from fxaudit.answer.picture_data import GraphData
from fxaudit.renderers.picture.flow import Arrow, arrows

__all__ = ["Cut", "Stop", "drawn_path", "folded_stops", "other_cuts", "path_of", "stops_from"]

LONGEST = 12
"""Stations of a path that are drawn one by one before runs of operations are folded."""
KEPT = 2
"""Operations that stay on either side of a folded run."""

_LEAVES_GRADIENT = 10_000
"""What it costs a path to pass a place without gradient: more than any way round."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A station to draw: a path's step and the state of the arrow into it, or `folded` steps drawn as one box."""

    step: PathStep
    arrival: str
    folded: tuple[PathStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where gradient ends: the operation and where it stands."""

    label: str
    place: str


def path_of(parameter: ParameterReport, data: GraphData) -> tuple[PathStep, ...]:
    """The parameter's own path, else the one with the fewest cuts in `data`; empty where nothing reads it.

    Parameters with the same cause may carry the path of the first of them: that is only the last resort.
    """
    path = parameter.path
    if path and (path[0].kind != "parameter" or path[0].label == parameter.name):
        return path
    return _searched(parameter.name, data) or path


def drawn_path(parameter: ParameterReport, path: tuple[PathStep, ...], data: GraphData) -> tuple[PathStep, ...]:
    """`path`, but the way of the graph where gradient ends on it, nothing has arrived, and `path` does not say so."""
    if parameter.gradient.state != "none" or not path or not all(step.carries_gradient for step in path):
        return path
    searched = _searched(parameter.name, data)
    return path if all(step.carries_gradient for step in searched) else searched


def _searched(name: str, data: GraphData) -> tuple[PathStep, ...]:
    starts = [n for n, node in enumerate(data.nodes) if node.kind == "parameter" and node.label == name]
    if not starts:
        return ()
    leaving: dict[int, list[Arrow]] = {}
    for arrow in arrows(data):
        leaving.setdefault(arrow.source, []).append(arrow)
    norms = {(edge.source, edge.target): edge.norm for edge in data.edges if edge.norm is not None}
    cost: dict[int, int] = {start: 0 for start in starts}
    into: dict[int, Arrow] = {}
    queue = [(0, start) for start in starts]
    while queue:
        paid, node = heapq.heappop(queue)
        if paid > cost[node]:
            continue
        for arrow in leaving.get(node, ()):
            price = paid + (1 if arrow.state == "grad" else _LEAVES_GRADIENT)
            if price < cost.get(arrow.target, price + 1):
                cost[arrow.target] = price
                into[arrow.target] = arrow
                heapq.heappush(queue, (price, arrow.target))
    losses = [node for node in cost if data.nodes[node].kind == "loss"]
    # Without a way to the loss, show the longest way that does not pass a cut more than it must.
    end = min(losses, key=lambda n: (cost[n], n)) if losses else max(cost, key=lambda n: (cost[n], n))
    return () if end in starts else _steps(end, into, norms, data, reached=bool(losses))


def _steps(
    end: int, into: dict[int, Arrow], norms: Mapping[tuple[int, int], float], data: GraphData, *, reached: bool
) -> tuple[PathStep, ...]:
    way: list[tuple[int, str]] = []
    node = end
    while True:
        arrow = into.get(node)
        way.append((node, arrow.state if arrow else "start"))
        if arrow is None:
            break
        node = arrow.source
    steps = []
    alive = True
    for node, state in reversed(way):
        found = data.nodes[node]
        kind = {"parameter": "parameter", "loss": "loss"}.get(found.kind, "operation")
        if alive and state in ("cut", "python"):
            kind = state
        alive = alive and state in ("start", "grad")
        module = data.modules[found.module].name if found.module >= 0 else ""
        source = data.sources[found.source] if found.source >= 0 else None
        norm = norms.get((into[node].source, node)) if node in into else None
        steps.append(PathStep(kind, found.label, module, source, alive, norm))  # type: ignore[arg-type]
    if not reached:
        steps.append(PathStep("end", "nothing after this reaches the loss", carries_gradient=False))
    return tuple(steps)


def other_cuts(name: str, data: GraphData, shown: Sequence[PathStep]) -> list[Cut]:
    """Places besides `shown` at which gradient for the parameter ends, on other branches of its way."""
    starts = [n for n, node in enumerate(data.nodes) if node.kind == "parameter" and node.label == name]
    leaving: dict[int, list[Arrow]] = {}
    for arrow in arrows(data):
        leaving.setdefault(arrow.source, []).append(arrow)
    seen = set(starts)
    stack = list(starts)
    known = {(step.label, step.source and str(step.source)) for step in shown}
    found: dict[Cut, None] = {}
    while stack:
        for arrow in leaving.get(stack.pop(), ()):
            target = data.nodes[arrow.target]
            if arrow.state in ("cut", "python"):
                source = data.sources[target.source] if target.source >= 0 else None
                if (target.label, source and str(source)) not in known:
                    found[Cut(target.label, str(source) if source else "")] = None
            elif arrow.state == "grad" and arrow.target not in seen:
                seen.add(arrow.target)
                stack.append(arrow.target)
    return list(found)


def stops_from(path: Sequence[PathStep]) -> list[Stop]:
    """The stations of `path` behind the parameter, each with the state of the arrow that leads to it."""
    stops = []
    alive = True
    for step in path:
        if step.kind in ("optimizer", "parameter"):
            continue
        if not alive:
            # Behind a cut the value goes on with others, to which gradient comes back.
            arrival = "none" if step.norm is None else "grad"
        elif step.norm == 0:
            arrival = "zero"
        elif step.kind in ("cut", "python"):
            arrival = step.kind
        elif step.kind == "end":
            arrival = "missing"
        else:
            arrival = "grad" if step.carries_gradient else "cut"
        alive = alive and arrival in ("grad", "zero")
        stops.append(Stop(step, arrival))
    return stops


def folded_stops(
    stops: Sequence[Stop], highlighted: Sequence[bool], longest: int = LONGEST, kept: int = KEPT
) -> list[Stop]:
    """`stops` with long runs of operations folded; what is highlighted and its neighbours stay."""
    if len(stops) <= longest:
        return list(stops)
    keep = set(range(kept)) | set(range(len(stops) - kept, len(stops)))
    for number, (stop, lit) in enumerate(zip(stops, highlighted, strict=True)):
        if lit or stop.arrival not in ("grad", "zero", "idle", "none"):
            # Behind what matters less is worth seeing: where there is no room for both, the way to it is.
            keep |= set(range(number - kept, number + (kept if kept > 1 else 0) + 1))
        elif stop.step.kind != "operation":
            keep.add(number)
    result: list[Stop] = []
    run: list[Stop] = []
    for number, stop in enumerate(stops):
        if run and run[0].arrival != stop.arrival:
            _flush(run, result)
        if number not in keep:
            run.append(stop)
            continue
        _flush(run, result)
        result.append(stop)
    _flush(run, result)
    return result


def _flush(run: list[Stop], result: list[Stop]) -> None:
    if len(run) > 1:
        result.append(Stop(run[0].step, run[0].arrival, tuple(stop.step for stop in run)))
    else:
        result.extend(run)
    run.clear()
