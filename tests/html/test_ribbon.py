"""The gradient through the source: what is drawn beside each line, and that it is true."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import fxaudit
from fxaudit.answer.answer import Answer, Gradient, ParameterReport
from fxaudit.answer.document import from_text, to_text
from fxaudit.answer.finding import Finding
from fxaudit.answer.picture_data import GraphData, GraphEdge, GraphNode, Listing
from fxaudit.program.source import SourceLine
from fxaudit.renderers.html.ribbon import MOST_BITS, ListedRow, ribbon

TEXT = ((1, "def forward(self, x):"), (2, "    h = self.a(x).detach()"), (3, ""), (4, "    return self.b(h)"))


def line(number: int, columns: tuple[int, int] | None = None) -> SourceLine:
    return SourceLine("m.py", number, "forward", TEXT[number - 1][1].strip(), columns=columns)


def cut_net(**gradients: Gradient) -> Answer:
    """`a` is cut off at line 2, `b` gets its gradient at line 4."""
    nodes = (
        GraphNode("parameter", "a.weight", carries_gradient=True),
        GraphNode("parameter", "b.weight", carries_gradient=True),
        GraphNode("op", "linear", -1, 0, True, (8, 2)),
        GraphNode("op", "detach", -1, 1, False, (8, 2)),
        GraphNode("op", "linear", -1, 2, True, (8, 1)),
        GraphNode("loss", "loss", carries_gradient=True),
    )
    edges = (
        GraphEdge(0, 2, "data"),
        GraphEdge(0, 2, "grad"),
        GraphEdge(2, 3, "data", cut=True),
        GraphEdge(3, 4, "data"),
        GraphEdge(1, 4, "data"),
        GraphEdge(1, 4, "grad"),
        GraphEdge(4, 5, "data"),
        GraphEdge(4, 5, "grad"),
    )
    data = GraphData(
        sources=(line(2), line(2, (8, 26)), line(4)),
        nodes=nodes,
        edges=edges,
        callers=(-1, -1, -1),
        listings=(Listing("m.py", "Net.forward", TEXT),),
    )
    states = {"a": Gradient("none"), "b": Gradient("finite", 2.0), **gradients}
    parameters = {
        f"{name}.weight": ParameterReport(f"{name}.weight", "trained", "", gradient=gradient)
        for name, gradient in states.items()
    }
    return Answer(parameters=parameters, graph_data=data)


def rows(report: Answer) -> dict[int, ListedRow]:
    (function,), _ = ribbon(report)
    return {row.number: row for row in function.rows}


def test_a_cut_stands_at_the_exact_expression() -> None:
    found = rows(cut_net())[2]
    assert (found.state, found.told) == ("cut", "gradient ends here")
    assert found.pieces == ("    h = ", "self.a(x).detach()", "")


def test_gradient_comes_back_to_the_lines_behind_the_cut_with_its_norm() -> None:
    found = rows(cut_net())
    assert found[4].state == "flow"
    assert found[4].told == "gradient comes back for 1 parameter, norm 2"
    assert [reading.pattern for reading in found[4].readings] == ["b.weight"]
    assert found[4].is_loss and found[4].shapes == "linear 8×1"
    assert found[1].state == found[3].state == ""


def test_an_exact_zero_is_no_gradient_that_comes_back() -> None:
    found = rows(cut_net(b=Gradient("zero", 0.0)))[4]
    assert (found.state, found.width, found.told) == ("zero", 0, "gradient is exactly 0 for 1 parameter")


def test_of_what_comes_back_it_is_said_how_much_is_noise() -> None:
    noise = Finding("FXA505", "rounding-noise", "note", "noise", "", ("b.weight",))
    found = rows(replace(cut_net(), findings=(noise,)))[4]
    assert found.told == "gradient comes back for 1 parameter, norm 2; to 1 of them rounding noise alone"


def test_a_line_tells_how_large_the_numbers_were_that_it_made() -> None:
    net = cut_net()
    nodes = list(net.graph_data.nodes)
    nodes[2] = replace(nodes[2], size=(-1.25, 0.5, 3.0))
    nodes[4] = replace(nodes[4], size=(None, None, 2.0))
    found = rows(replace(net, graph_data=replace(net.graph_data, nodes=tuple(nodes))))
    assert found[2].sizes == "linear 8×2: -1.25 … 3, mean 0.5"
    assert found[4].sizes == "linear 8×1: not finite … 2"
    assert rows(net)[2].sizes == ""


def test_a_norm_that_nobody_knows_is_not_drawn() -> None:
    found = rows(cut_net(b=Gradient("finite")))[4]
    assert (found.state, found.width, found.told) == ("flow", 0, "gradient comes back for 1 parameter")


def test_it_thins_with_the_norm() -> None:
    net = cut_net()
    data = net.graph_data
    edges = (*data.edges, GraphEdge(2, 4, "grad"))
    found = rows(
        replace(
            cut_net(a=Gradient("finite", 2e-4)),
            graph_data=replace(data, edges=tuple(replace(edge, cut=False) for edge in edges)),
        )
    )
    assert found[2].state == found[4].state == "flow"
    assert found[2].width == 1 < found[4].width
    assert found[3].state == "pass"
    assert found[4].told == "gradient comes back for 2 parameters, norm 2"


def test_each_line_knows_whose_gradient_passes_through_it() -> None:
    _, through = ribbon(cut_net())
    assert through == [[], [[1, 2]]]


def test_beyond_what_can_be_added_up_only_the_way_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_BITS > 20_000 * 10_000
    monkeypatch.setattr("fxaudit.renderers.html.ribbon.MOST_BITS", 0)
    found = rows(cut_net())[4]
    assert (found.state, found.width, found.told) == ("flow", 0, "gradient comes back")


def test_a_report_without_the_text_has_no_such_part() -> None:
    net = cut_net()
    assert ribbon(replace(net, graph_data=replace(net.graph_data, listings=()))) == ((), [])


@pytest.mark.parametrize(
    ("gradient", "state", "told"),
    [
        (Gradient("none"), "value", "gradient could come back to it, and none arrived"),
        (Gradient("unknown"), "flow", "gradient can come back to it"),
        (Gradient("nonfinite"), "flow", "gradient comes back for 1 parameter, not finite"),
    ],
)
def test_what_did_not_arrive_does_not_come_back(gradient: Gradient, state: str, told: str) -> None:
    found = rows(cut_net(b=gradient))[4]
    assert (found.state, found.width, found.told) == (state, 0, told)


def test_before_the_line_that_makes_it_zero_it_is_not_said_to_be_zero() -> None:
    net = cut_net(a=Gradient("zero", 0.0), b=Gradient("zero", 0.0))
    data = net.graph_data
    edges = (*(replace(edge, cut=False) for edge in data.edges), GraphEdge(2, 3, "grad"), GraphEdge(3, 4, "grad"))
    bites = Finding("FXA501", "zero-gradient", "error", "`detach` gives 0", "", ("a.weight",), line(2))
    found = rows(replace(net, graph_data=replace(data, edges=edges), findings=(bites,)))
    assert found[2].told == "gradient is exactly 0 for 1 parameter"
    assert found[4].state == "flow" and found[4].told == "further up the gradient becomes exactly 0 for 2 parameters"


class Inner(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


class Outer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Inner()
        self.second = Inner()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        return self.second(x).sum()


def test_an_audit_keeps_the_functions_of_forward_callers_first() -> None:
    model, x = Outer(), torch.ones(2, 3)
    report = fxaudit.audit(model, lambda: model(x))
    again = from_text(to_text(report))
    assert again.graph_data == report.graph_data
    names = [listing.function for listing in again.graph_data.listings]
    assert names[-2:] == ["Outer.forward", "Inner.forward"]
    functions, _ = ribbon(again)
    outer = {row.number: row for row in functions[-2].rows if row.key >= 0}
    assert [row.state for row in outer.values()] == ["flow", "flow"]
    counts = [row.told.partition(" for ")[2].partition(",")[0] for row in outer.values()]
    assert counts == ["2 parameters", "4 parameters"]
    assert outer[max(outer)].is_loss


class Two(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = torch.nn.Linear(3, 5), torch.nn.Linear(5, 2), torch.nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.a(x)
        return (self.b(h) + self.c(h.relu())).sum()


def test_arrows_of_a_healthy_map_tell_the_shapes_that_flow() -> None:
    model, x = Two(), torch.ones(7, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    drawn = fxaudit.audit(model, lambda: model(x), optimizer).draw().source
    assert sum("7×5" in line for line in drawn.splitlines()) == 1, (
        "what goes through an operation in no box is not known there"
    )
    assert "7×3" in drawn
    cut = fxaudit.audit(model, lambda: model(x), torch.optim.SGD(model.a.parameters(), lr=0.1)).draw().source
    assert "7×5" not in cut
