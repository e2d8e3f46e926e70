"""The autograd walk: from a loss through `next_functions` to the leaves, and what flows along it in a backward."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.capture.collector import collector_paused
from fxaudit.capture.events import GradFnGraph, GradientState
from fxaudit.capture.facts import FAMILIES, SINGULAR, Fact, fact_of
from fxaudit.capture.reading import grad_fn_of, is_leaf
from fxaudit.capture.recording import NodeFlow
from fxaudit.capture.values import gradient_states

if TYPE_CHECKING:
    from fxaudit.capture.recorder import Recorder

__all__ = [
    "NodeFlow",
    "Probe",
    "all_nodes",
    "autograd_graph",
    "base_name",
    "graph_behind",
    "meets_singularity",
    "reached_leaves",
]


def _first_nodes(roots: Sequence[torch.Tensor]) -> list[Any]:
    return [node for node in map(grad_fn_of, roots) if node is not None]


def reached_leaves(roots: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The leaf tensors to which a backward from `roots` brings a gradient, by the graph alone.

    Iterative, linear in the number of nodes. A root that is itself a leaf counts.
    """
    leaves: dict[int, torch.Tensor] = {id(r): r for r in roots if r.requires_grad and is_leaf(r)}
    with collector_paused():
        stack: list[Any] = _first_nodes(roots)
        seen = set(stack)
        while stack:
            node = stack.pop()
            variable = getattr(node, "variable", None)
            if variable is not None:
                leaves[id(variable)] = variable
            for following, _ in node.next_functions:
                if following is not None and following not in seen:
                    seen.add(following)
                    stack.append(following)
    return list(leaves.values())


def all_nodes(roots: Sequence[torch.Tensor]) -> Iterator[Any]:
    """Every autograd node behind `roots`, once each."""
    with collector_paused():
        stack = _first_nodes(roots)
        seen = set(stack)
        while stack:
            node = stack.pop()
            yield node
            for following, _ in node.next_functions:
                if following is not None and following not in seen:
                    seen.add(following)
                    stack.append(following)


def base_name(node: Any) -> str:
    """`Relu` of `ReluBackward0`."""
    name: str = node.name()
    return name.rpartition("::")[2].partition("Backward")[0]


def meets_singularity(roots: Sequence[torch.Tensor]) -> bool:
    """Whether some operation behind `roots` got a number at which its derivative is not finite, such as `sqrt` of 0.

    Asked before a backward, because a step with NaN leaves no number from which it could be told afterwards.
    """
    with torch.no_grad():
        return any(base_name(node) in SINGULAR.nodes and _is_singular(node) for node in all_nodes(roots))


def _is_singular(node: Any) -> bool:
    with contextlib.suppress(Exception):  # a look is never worth the user's backward
        return fact_of((SINGULAR,), node, 0, (), (), "nonfinite") is not None
    return False


def autograd_graph(roots: Sequence[torch.Tensor], most: int = sys.maxsize) -> tuple[list[Any], list[tuple[int, int]]]:
    """The nodes behind `roots` and the edges between them as index pairs, from the loss's side to the leaves'.

    The walk ends early once it has seen more than `most` nodes.
    """
    nodes: list[Any] = []
    index: dict[Any, int] = {}
    edges: list[tuple[int, int]] = []
    with collector_paused():
        for node in _first_nodes(roots):
            if node not in index:
                index[node] = len(nodes)
                nodes.append(node)
        done = 0
        while done < len(nodes) <= most:
            for following, _ in nodes[done].next_functions:
                if following is None:
                    continue
                number = index.get(following)
                if number is None:
                    number = index[following] = len(nodes)
                    nodes.append(following)
                edges.append((done, number))
            done += 1
    return nodes, edges


def graph_behind(roots: Sequence[torch.Tensor], recorder: Recorder, most: int) -> GradFnGraph | None:
    """The graph behind `roots` as plain data, None where it has more than `most` nodes.

    The leaves are known to `recorder` already.
    """
    nodes, edges = autograd_graph(roots, most)
    if len(nodes) > most:
        return None
    named: list[tuple[str, int]] = []
    leaves: dict[int, int] = {}
    for number, node in enumerate(nodes):
        variable = getattr(node, "variable", None)
        if variable is not None:
            leaves[number] = recorder.track(variable).index
        named.append((sys.intern(node.name().rpartition("::")[2]), -1 if variable is not None else node._sequence_nr()))
    return GradFnGraph(tuple(named), leaves, tuple(edges))


class Probe:
    """Hooks on every node of a graph that note where gradients become zero or non-finite."""

    def __init__(self) -> None:
        self.flows: list[NodeFlow] = []
        self.edges: list[list[tuple[int, int]]] = []
        """For each node, the (next node, position) pairs of its inputs, towards the leaves; -1 where there is none."""
        self.roots: list[int] = []
        self._handles: list[Any] = []
        self._nodes: list[Any] = []
        """The nodes themselves while their hooks are on, the roots first: so they can be let go without recursion."""

    @classmethod
    def on(cls, roots: Sequence[torch.Tensor], recorder: Recorder) -> Probe:
        """Hook the graph behind `roots`; `close` takes the hooks off."""
        probe = cls()
        nodes, _ = autograd_graph(roots)
        index = {node: number for number, node in enumerate(nodes)}
        probe.roots = [index[node] for node in _first_nodes(roots)]
        probe._nodes = nodes
        for number, node in enumerate(nodes):
            variable = getattr(node, "variable", None)
            track = recorder.track(variable).index if variable is not None else -1
            sequence = node._sequence_nr() if variable is None else -1
            flow = NodeFlow(node.name(), sequence, track)
            probe.flows.append(flow)
            probe.edges.append([(index[n] if n is not None else -1, position) for n, position in node.next_functions])
            probe._handles.append(node.register_hook(_hook(probe._nodes, number, flow, recorder)))
        return probe

    def close(self) -> None:
        """Take the hooks off; only plain data stays."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._nodes.clear()


def _hook(nodes: list[Any], number: int, flow: NodeFlow, recorder: Recorder) -> Any:
    def look(grad_inputs: tuple[Any, ...], grad_outputs: tuple[Any, ...]) -> None:
        paused = recorder.paused
        recorder.paused = True
        try:
            with torch._C.DisableTorchFunction():
                incoming = gradient_states(list(grad_outputs))
                outgoing = gradient_states(list(grad_inputs))
                flow.visited = True
                flow.incoming = _worst([state for state, _ in incoming])
                flow.outgoing = [state for state, _ in outgoing]
                flow.facts = _facts(nodes[number], flow, grad_outputs, grad_inputs)
        finally:
            recorder.paused = paused
        flow.made_by = [_maker(tensor, recorder) for tensor in grad_inputs]

    return look


def _facts(node: Any, flow: NodeFlow, incoming: Sequence[Any], outgoing: Sequence[Any]) -> dict[int, Fact]:
    """Why gradients that came in alive are handed on as zeros, or not finite, by position; where that is known."""
    found = {}
    for position, state in enumerate(flow.outgoing):
        dies = state == "zero" and flow.incoming in ("finite", "nonfinite")
        if not dies and state != "nonfinite":
            continue
        with contextlib.suppress(Exception), torch.no_grad():  # a sentence is never worth the user's backward
            fact = fact_of(FAMILIES, node, position, incoming, outgoing, "zero" if dies else "nonfinite")
            if fact is not None:
                found[position] = fact
    return found


def _worst(states: list[GradientState]) -> GradientState:
    for state in ("nonfinite", "finite", "zero"):
        if state in states:
            return state
    return "none"


def _maker(tensor: torch.Tensor | None, recorder: Recorder) -> int:
    """The recorded operation that made a gradient tensor, if one did (custom backwards and hooks)."""
    if tensor is None:
        return -1
    known = recorder._current.get(id(tensor))
    if known is None or known[1]() is not tensor or not known[0]:
        return -1
    return recorder.record.values[known[0][-1]].op
