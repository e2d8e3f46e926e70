"""Why one loss brings no gradient to one tensor, read off its living autograd graph."""

from __future__ import annotations

import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

from fxaudit.answer.explanation import Explanation
from fxaudit.capture.autograd import autograd_graph
from fxaudit.capture.reading import is_module
from fxaudit.capture.remembered import remembered
from fxaudit.capture.session import active_session
from fxaudit.errors import GraphTooDeepError
from fxaudit.judge.graph import StepGraph
from fxaudit.program.source import SourceLine, variables_of

if TYPE_CHECKING:
    import torch

__all__ = ["explanation_of"]


MOST_BESIDE_MAIN = 15_000
"""Nodes of a graph that are walked outside the main thread; from some 60,000 on freeing them overflows 8 MB."""


def explanation_of(tensor: torch.Tensor, loss: torch.Tensor, name: str, frame: FrameType | None) -> Explanation:
    """The explanation for `tensor` and `loss`, naming things by the variables of `frame`."""
    name = name or _name_of(tensor, frame)
    if tensor is loss:
        return Explanation(name, loss.requires_grad, "it is the loss itself")
    if not loss.requires_grad:
        culprit = _cut_of(tensor, loss)
        return Explanation(
            name,
            False,
            "the loss carries no gradient at all: it was detached or computed in no-grad mode",
            culprit=culprit,
            unwatched=active_session() is None and remembered(loss) is None,
        )
    if not tensor.requires_grad:
        return Explanation(name, False, "`requires_grad` is False on it")
    nodes, edges = _walked(loss)
    wanted = tensor.grad_fn
    target = next(
        (
            number
            for number, node in enumerate(nodes)
            if (wanted is not None and node is wanted) or getattr(node, "variable", None) is tensor
        ),
        None,
    )
    if target is None:
        leaves = tuple(_name_of(node.variable, frame) for node in nodes if getattr(node, "variable", None) is not None)
        return Explanation(
            name,
            False,
            "no gradient path leads from the loss to it",
            culprit=_cut_of(tensor, loss),
            leaves=leaves,
            unwatched=active_session() is None and remembered(loss) is None,
        )
    return Explanation(name, True, "the loss brings a gradient to it", tuple(_path(nodes, edges, target)))


def _walked(loss: torch.Tensor) -> tuple[list[Any], list[tuple[int, int]]]:
    """The graph behind the loss.

    Torch 2.6 to 2.13: a node once seen from Python keeps its Python object for life, and a chain of such nodes is freed
    recursively. The main thread's stack grows as far as that takes; other threads' stacks do not.
    """
    if threading.current_thread() is threading.main_thread():
        return autograd_graph([loss])
    nodes, edges = autograd_graph([loss], MOST_BESIDE_MAIN)
    if len(nodes) > MOST_BESIDE_MAIN:
        raise GraphTooDeepError(
            f"The graph behind the loss has more than {MOST_BESIDE_MAIN:,} nodes. Outside the main thread so many are "
            "not walked: PyTorch frees them recursively, and the process would die. Call `why` in the main thread."
        )
    return nodes, edges


def _path(nodes: list[Any], edges: list[tuple[int, int]], target: int) -> list[str]:
    """Names of the nodes from `target` up to the loss along a shortest path."""
    above: dict[int, list[int]] = {}
    for source, following in edges:
        above.setdefault(following, []).append(source)
    came = {target: -1}
    queue = [target]
    for number in queue:
        if number == 0:
            break
        for upper in above.get(number, ()):
            if upper not in came:
                came[upper] = number
                queue.append(upper)
    found = []
    number = 0
    while number != -1:
        found.append(nodes[number].name())
        number = came.get(number, -1)
    return [name for name in found[::-1] if "AccumulateGrad" not in name]


def _cut_of(tensor: torch.Tensor, loss: torch.Tensor) -> SourceLine | None:
    """The line of the nearest cut, where a session watches or has watched the computation."""
    session = active_session()
    known = session.recorder.known_track(tensor) if session is not None else None
    if session is not None and known is not None:
        return session.record.stacks.source(StepGraph(session.record).nearest_cut(known.index))
    last = remembered(loss)
    track = last.track_of(tensor) if last is not None else -1
    if last is None or track < 0:
        return None
    return last.record.stacks.source(StepGraph(last.record).nearest_cut(track))


def _name_of(tensor: torch.Tensor, frame: FrameType | None) -> str:
    """The best name for a tensor among a frame's variables and the modules in them."""
    depth = 0
    while frame is not None and depth < 10:
        scope = {**frame.f_globals, **variables_of(frame)}
        for key, value in scope.items():
            if value is tensor and not key.startswith("_"):
                return key
        for key, value in scope.items():
            if is_module(value) and not key.startswith("_"):
                for name, parameter in value.named_parameters():
                    if parameter is tensor:
                        return name if key == "self" else f"{key}.{name}"
        frame = frame.f_back
        depth += 1
    return f"<{type(tensor).__name__} {tuple(tensor.shape)}>"
