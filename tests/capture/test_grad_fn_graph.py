"""The `grad_fn` graph that reports keep for the pictures."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.capture.watch import autograd
from fxaudit.report import Report


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def named(report: Report) -> dict[int, str]:
    """The nodes, leaves by their parameter and others by name and operation."""
    data = report.graph_data
    return {
        n: f"{name} {data.nodes[made].label if made >= 0 else '-'}"
        for n, (name, made) in enumerate(data.autograd_nodes)
    }


def test_it_names_the_grad_fns_as_torch_does_and_joins_them_to_their_operations() -> None:
    net = model()
    report = fxaudit.audit(net, lambda: net(torch.ones(5, 3)).mean(), torch.optim.SGD(net.parameters(), 0.1))
    names = named(report)
    assert Counter(names.values()) == {
        "MeanBackward0 mean": 1,
        "AddmmBackward0 linear": 2,
        "ReluBackward0 relu": 1,
        "TBackward0 linear": 2,
        **{f"AccumulateGrad {name}": 1 for name, _ in net.named_parameters()},
    }
    arrows = {(names[a], names[b]) for a, b in report.graph_data.autograd_edges}
    assert ("AccumulateGrad 0.bias", "AddmmBackward0 linear") in arrows
    assert ("ReluBackward0 relu", "AddmmBackward0 linear") in arrows
    assert ("AddmmBackward0 linear", "MeanBackward0 mean") in arrows


def test_backwards_of_one_round_share_their_leaves() -> None:
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with fxaudit.watch(net, optimizer) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            net(torch.ones(5, 3)).mean().backward()
            net(torch.ones(5, 3)).std().backward()
            optimizer.step()
    names = Counter(named(watch.report).values())
    assert names["AccumulateGrad 0.weight"] == 1
    assert names["MeanBackward0 mean"] == names["StdBackward0 std"] == 1
    assert names["ReluBackward0 relu"] == 2


def test_a_detached_part_is_missing_in_it() -> None:
    net = model()
    report = fxaudit.audit(
        net, lambda: net[2](net[:2](torch.ones(5, 3)).detach()).mean(), torch.optim.SGD(net.parameters())
    )
    leaves = {name for name in named(report).values() if name.startswith("AccumulateGrad")}
    assert leaves == {"AccumulateGrad 2.weight", "AccumulateGrad 2.bias"}


def test_a_custom_function_keeps_its_name() -> None:
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            return x * 2

        @staticmethod
        def backward(ctx, gradient):  # type: ignore[no-untyped-def]
            return gradient * 2

    net = model()
    report = fxaudit.audit(net, lambda: Doubled.apply(net(torch.ones(5, 3))).mean(), torch.optim.SGD(net.parameters()))
    assert "DoubledBackward Doubled" in named(report).values()


def test_too_big_a_graph_is_left_out_and_everything_else_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autograd, "MAX_GRAD_FNS", 5)
    net = model()
    report = fxaudit.audit(net, lambda: net(torch.ones(5, 3)).mean(), torch.optim.SGD(net.parameters(), 0.1))
    assert not report.graph_data.autograd_nodes
    assert {p.verdict for p in report} == {"trained"}
    assert "one node stands for each operation" in report.draw(view="autograd").caption


def test_it_keeps_nothing_alive_and_survives_saving() -> None:
    net = model()
    report = fxaudit.audit(net, lambda: net(torch.ones(5, 3)).mean(), torch.optim.SGD(net.parameters(), 0.1))
    assert all(type(name) is str and type(made) is int for name, made in report.graph_data.autograd_nodes)
    assert Report.from_json(report.to_json()).graph_data == report.graph_data


def test_buffers_of_equal_shape_are_told_apart_in_the_graph() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    report = fxaudit.audit(net, lambda: net(torch.ones(5, 3)).mean(), torch.optim.SGD(net.parameters(), 0.1))
    buffers = [node.label for node in report.graph_data.nodes if node.kind == "buffer"]
    assert buffers == ["1.running_mean", "1.running_var"]
    assert "2 operations" not in (caption := report.draw(view="operations").caption) and "2 buffers" in caption
