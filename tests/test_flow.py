"""One way to follow a program: recorded values and traced operations are asked the same questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.capture.symbolic.flow import TraceFlow
from fxaudit.capture.symbolic.trace import trace
from fxaudit.program.flow import beyond, onwards, shortest, way


@dataclass(frozen=True)
class Made:
    index: int
    kind: str
    inputs: tuple[int, ...] = ()
    carries: tuple[int, ...] = ()


OPS = [
    Made(0, "parameter"),
    Made(1, "parameter"),
    Made(2, "call", (0, 1), (0, 1)),
    Made(3, "call", (2,)),  # a detach
    Made(4, "call", (1, 3), (1, 3)),
    Made(5, "call", (0,), (0,)),  # nothing reads it
    Made(6, "output", (4,), (4,)),
]


def test_ways_by_data_and_by_gradient() -> None:
    flow = TraceFlow(OPS)
    assert flow.ends == (6,)
    assert flow.reaching == {0, 1, 2, 3, 4, 6}
    assert flow.carrying == {1, 3, 4, 6}
    assert flow.carried_from([0]) == {0, 2, 5}
    assert flow.downstream([2]) == {2, 3, 4, 6}
    assert flow.cuts_at(2) == {(3, 2)} and flow.cuts_at(1) == frozenset()
    assert flow.first_cut([0]) == 3 and flow.first_cut([1]) is None


def test_no_gradient_passes_what_is_closed() -> None:
    flow = TraceFlow(OPS, closed={4})
    assert flow.carrying == {4, 6} and flow.carried_from([1]) == {1, 2}


def test_walks_meet_each_node_once_and_the_nearest_first() -> None:
    made = {0: [1, 2], 1: [3], 2: [3, 0], 3: [4]}

    def following(node: int) -> Iterable[int]:
        return made.get(node, ())

    assert list(onwards([0], following)) == [0, 1, 2, 3, 4]
    assert beyond([2], following) == {0, 1, 2, 3, 4}
    assert list(shortest([0], following).items()) == [(0, -1), (1, 0), (2, 0), (3, 1), (4, 3)]
    assert way(shortest([0], following), 4) == [0, 1, 3, 4] and way(shortest([3], following), 0) == []


class Net(nn.Module):
    def __init__(self, between: Callable[[Any], Any]) -> None:
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.between = between

    def forward(self, x: Any) -> Any:
        hidden = self.between(self.first(x))
        return self.last(self.middle(hidden) + hidden)


def rewrapped(x: Any) -> Any:
    return torch.tensor(x.tolist())


def without_gradient(x: Any) -> Any:
    with torch.no_grad():
        return x.sigmoid()


BETWEEN = [torch.relu, torch.detach, without_gradient, rewrapped, lambda x: x * x.detach(), lambda x: (x > 0).float()]


@pytest.mark.parametrize("between", BETWEEN)
def test_the_trace_and_the_recording_end_at_the_same_line(between: Callable[[Any], Any]) -> None:
    found = trace(Net(between))
    report = fxaudit.audit(Net(between), inputs=(torch.randn(3, 4),))
    assert found.status == "traced"
    for one in report:
        cut = found.first_cut(one.name)
        assert found.carries_gradient(one.name) is (one.verdict == "trained"), one.name
        assert (cut is not None) is (one.verdict == "unreachable"), one.name
        if cut is not None and one.culprit is not None and cut.source is not None:
            lines = [cut.source.line, *(frame.line for frame in cut.source.frames)]
            assert one.culprit.line in (*lines, cut.grad_source.line if cut.grad_source is not None else -1)
