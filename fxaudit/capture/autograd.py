"""The autograd walk: from a loss through `next_functions` to the leaves, and what flows along it in a backward."""

from __future__ import annotations

import contextlib
import functools
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.capture.collector import collector_paused
from fxaudit.capture.events import GradFnGraph, GradientState
from fxaudit.capture.facts import FAMILIES, SINGULAR, Derivative, Fact, fact_of, zero_in_part
from fxaudit.capture.reading import grad_fn_of, is_leaf
from fxaudit.capture.recording import NodeFlow
from fxaudit.capture.unheard import UnheardByModes
from fxaudit.capture.values import gradient_states

if TYPE_CHECKING:
    from fxaudit.capture.recorder import Recorder

__all__ = ["NodeFlow", "Probe", "Walk", "autograd_graph"]


def _first_nodes(roots: Sequence[torch.Tensor]) -> list[Any]:
    return [node for node in map(grad_fn_of, roots) if node is not None]


class Walk:
    """Every autograd node behind `roots`, asked once for what follows it; linear in their number.

    It holds the nodes, so it must be gone before the loss is.
    """

    def __init__(self, roots: Sequence[torch.Tensor]) -> None:
        self._roots = roots
        self.nodes: list[Any] = []
        self.following: list[tuple[int, ...]] = []
        """For each node, those that it hands gradients to; -1 for what needs none."""
        index: dict[Any, int] = {None: -1}
        with collector_paused():
            for node in _first_nodes(roots):
                if node not in index:
                    index[node] = len(self.nodes)
                    self.nodes.append(node)
            self.first = list(range(len(self.nodes)))
            for node in self.nodes:  # which grows meanwhile
                behind = node.next_functions
                for following, _ in behind:
                    if following not in index:
                        index[following] = len(self.nodes)
                        self.nodes.append(following)
                self.following.append(tuple([index[following] for following, _ in behind]))

    def leaf(self, number: int) -> torch.Tensor | None:
        """The tensor that gets its gradient at a node; None where the node hands all on."""
        return getattr(self.nodes[number], "variable", None) if not self.following[number] else None

    def leaves(self) -> list[torch.Tensor]:
        """The leaf tensors to which a backward brings a gradient, by the graph alone; a root that is one counts."""
        found = {id(root): root for root in self._roots if root.requires_grad and is_leaf(root)}
        stack, seen = list(self.first), set(self.first)
        while stack:
            number = stack.pop()
            leaf = self.leaf(number)
            if leaf is not None:
                found[id(leaf)] = leaf
            for following in self.following[number]:
                if following >= 0 and following not in seen:
                    seen.add(following)
                    stack.append(following)
        return list(found.values())

    @functools.cached_property
    def names(self) -> list[str]:
        """The names of the nodes, without what only tells where they are defined."""
        return [sys.intern(node.name().rpartition("::")[2]) for node in self.nodes]

    def graph(self, recorder: Recorder, most: int) -> GradFnGraph | None:
        """The graph as plain data, None where it has more than `most` nodes; `recorder` knows the leaves already."""
        if len(self.nodes) > most:
            return None
        named: list[tuple[str, int]] = []
        leaves: dict[int, int] = {}
        for number, node in enumerate(self.nodes):
            leaf = self.leaf(number)
            if leaf is not None:
                leaves[number] = recorder.track(leaf).index
            named.append((self.names[number], -1 if leaf is not None else node._sequence_nr()))
        edges = tuple((one, other) for one, found in enumerate(self.following) for other in found if other >= 0)
        return GradFnGraph(tuple(named), leaves, edges)

    def meets_singularity(self) -> bool:
        """Whether some operation got a number at which its derivative is not finite, such as `sqrt` of 0.

        Asked before a backward, because a step with NaN leaves no number from which it could be told afterwards.
        """
        with torch.no_grad():
            return any(
                _base(name) in SINGULAR.nodes and _is_singular(node)
                for name, node in zip(self.names, self.nodes, strict=True)
            )

    def gradient_sums(self, of: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[Any, str, int, torch.Tensor]]:
        """The nodes of the kinds in `of` that sum up a gradient for a one-dimensional leaf: (node, kind, position of
        the leaf, leaf)."""
        for number, name in enumerate(self.names):
            positions = of.get(_base(name), ())
            following = self.following[number]
            for position in positions:
                behind = following[position] if position < len(following) else -1
                leaf = self.leaf(behind) if behind >= 0 else None
                if leaf is not None and leaf.ndim == 1 and leaf.is_floating_point():
                    yield self.nodes[number], _base(name), position, leaf


@functools.cache
def _base(name: str) -> str:
    """`Relu` of `ReluBackward0`."""
    return name.partition("Backward")[0]


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
            with UnheardByModes():
                incoming = gradient_states(list(grad_outputs))
                outgoing = gradient_states(list(grad_inputs))
                flow.visited = True
                flow.incoming = _worst([state for state, _ in incoming])
                flow.outgoing = [state for state, _ in outgoing]
                flow.came = math.hypot(*(_norm(state, norm) for state, norm in incoming if state != "none"))
                flow.handed = [_norm(state, norm) for state, norm in outgoing]
                flow.facts = _facts(nodes[number], flow, grad_outputs, grad_inputs)
        finally:
            recorder.paused = paused
        flow.made_by = [_maker(tensor, recorder) for tensor in grad_inputs]

    return look


def _facts(node: Any, flow: NodeFlow, incoming: Sequence[Any], outgoing: Sequence[Any]) -> dict[int, Fact]:
    """Why gradients that came in alive are handed on as zeros, or not finite, by position; where that is known. Of a
    product also that a part of them is."""
    found: dict[int, Fact] = {}
    for position, state in enumerate(flow.outgoing):
        dies = state == "zero" and flow.incoming in ("finite", "nonfinite")
        if not dies and state != "nonfinite":
            if state == "finite" and _base(flow.name.rpartition("::")[2]) == "Mul":
                with contextlib.suppress(Exception), torch.no_grad():
                    part = zero_in_part(Derivative(node, position, incoming, outgoing))
                    found.update({position: part} if part is not None else {})
            continue
        with contextlib.suppress(Exception), torch.no_grad():  # a sentence is never worth the user's backward
            fact = fact_of(FAMILIES, node, position, incoming, outgoing, "zero" if dies else "nonfinite")
            if fact is not None:
                found[position] = fact
    return found


def _norm(state: GradientState, norm: float) -> float:
    """The norm of a gradient; NaN where there is none that is finite."""
    return norm if state in ("zero", "finite") else math.nan


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
