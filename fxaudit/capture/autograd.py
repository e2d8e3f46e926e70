"""The autograd walk: from a loss through `next_functions` to the leaves, and what flows along it in a backward."""

from __future__ import annotations

import contextlib
import gc
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.capture.record import GradFnGraph, GradientState, Op
from fxaudit.capture.values import gradient_states

if TYPE_CHECKING:
    from fxaudit.capture.recorder import Recorder

__all__ = [
    "NodeFlow",
    "OpsBySequence",
    "Probe",
    "autograd_graph",
    "collector_paused",
    "graph_behind",
    "reached_leaves",
]


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: a walk makes many objects and no garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def reached_leaves(roots: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The leaf tensors to which a backward from `roots` brings a gradient, by the graph alone.

    Iterative, linear in the number of nodes. A root that is itself a leaf counts.
    """
    leaves: dict[int, torch.Tensor] = {id(r): r for r in roots if r.grad_fn is None and r.requires_grad}
    with collector_paused():
        stack: list[Any] = [root.grad_fn for root in roots if root.grad_fn is not None]
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


def autograd_graph(roots: Sequence[torch.Tensor], most: int = sys.maxsize) -> tuple[list[Any], list[tuple[int, int]]]:
    """The nodes behind `roots` and the edges between them as index pairs, from the loss's side to the leaves'.

    The walk ends early once it has seen more than `most` nodes.
    """
    nodes: list[Any] = []
    index: dict[Any, int] = {}
    edges: list[tuple[int, int]] = []
    with collector_paused():
        for root in roots:
            if root.grad_fn is not None and root.grad_fn not in index:
                index[root.grad_fn] = len(nodes)
                nodes.append(root.grad_fn)
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


class OpsBySequence:
    """Finds the operation that made an autograd node, by the node's sequence number."""

    def __init__(self, ops: Sequence[Op]) -> None:
        made = [
            (op.sequence[0], op.sequence[1], op.index)
            for op in ops
            if op.sequence[1] > op.sequence[0] and op.inside < 0
        ]
        made.sort()
        self._starts = [start for start, _, _ in made]
        self._made = made

    def find(self, sequence: int) -> int:
        """The index of the operation, or -1."""
        position = bisect_right(self._starts, sequence) - 1
        while position >= 0:
            start, end, op = self._made[position]
            if start <= sequence < end:
                return op
            if start + 4096 < sequence:
                break
            position -= 1
        return -1


@dataclass(slots=True)
class NodeFlow:
    """What went through one autograd node in one backward.

    `incoming` is the state of the gradient at its outputs, `outgoing` that at each of its inputs; `made_by` are the
    recorded operations that produced the outgoing gradients, -1 where torch's own code did.
    """

    name: str
    sequence: int
    track: int = -1
    incoming: GradientState = "none"
    outgoing: list[GradientState] = field(default_factory=list)
    made_by: list[int] = field(default_factory=list)
    visited: bool = False


class Probe:
    """Hooks on every node of a graph that note where gradients become zero or non-finite."""

    def __init__(self) -> None:
        self.flows: list[NodeFlow] = []
        self.edges: list[list[tuple[int, int]]] = []
        """For each node, the (next node, position) pairs of its inputs, towards the leaves; -1 where there is none."""
        self.roots: list[int] = []
        self.ascent: object = None
        """What `fxaudit.flow` has gathered on the way up this graph; it lives as long as the probe."""
        self._handles: list[Any] = []

    @classmethod
    def on(cls, roots: Sequence[torch.Tensor], recorder: Recorder) -> Probe:
        """Hook the graph behind `roots`; `close` takes the hooks off."""
        probe = cls()
        nodes, _ = autograd_graph(roots)
        index = {node: number for number, node in enumerate(nodes)}
        probe.roots = [index[r.grad_fn] for r in roots if r.grad_fn is not None]
        for node in nodes:
            variable = getattr(node, "variable", None)
            track = recorder.track(variable).index if variable is not None else -1
            sequence = node._sequence_nr() if variable is None else -1
            flow = NodeFlow(node.name(), sequence, track)
            probe.flows.append(flow)
            probe.edges.append([(index[n] if n is not None else -1, position) for n, position in node.next_functions])
            probe._handles.append(node.register_hook(_hook(flow, recorder)))
        return probe

    def close(self) -> None:
        """Take the hooks off; only plain data stays."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


def _hook(flow: NodeFlow, recorder: Recorder) -> Any:
    def look(grad_inputs: tuple[Any, ...], grad_outputs: tuple[Any, ...]) -> None:
        paused = recorder.paused
        recorder.paused = True
        try:
            with torch._C.DisableTorchFunction():
                incoming = gradient_states(list(grad_outputs))
                outgoing = gradient_states(list(grad_inputs))
        finally:
            recorder.paused = paused
        flow.visited = True
        flow.incoming = _worst([state for state, _ in incoming])
        flow.outgoing = [state for state, _ in outgoing]
        flow.made_by = [_maker(tensor, recorder) for tensor in grad_inputs]

    return look


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
