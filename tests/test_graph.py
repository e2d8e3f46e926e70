"""`report.graph` and the questions that people ask of it."""

from __future__ import annotations

import gc
import re
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import fxaudit
from fxaudit.errors import UnknownLossError, UnknownParameterError
from fxaudit.graph import (
    BufferNode,
    FxNode,
    GradFnNode,
    GroupNode,
    InputNode,
    LossNode,
    OpNode,
    ParameterNode,
    data_flow,
    gradient_flow,
    plain,
)
from tests.zoo import ZOO

ROOT = Path(__file__).parents[1]
Name = tuple[str, int, int]


class Forked(nn.Module):
    """Two heads behind one body, and a branch that is cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.gate = nn.Linear(4, 4), nn.Linear(4, 4)
        self.head, self.side = nn.Linear(4, 1), nn.Linear(4, 1)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.relu(self.norm(self.body(x)))
        gated = hidden * self.gate(x).detach()
        return self.head(gated), self.side(hidden)


def forked() -> tuple[Forked, Callable[[], torch.Tensor], list[torch.optim.SGD]]:
    torch.manual_seed(0)
    model = Forked()
    x = torch.randn(5, 4)

    def step() -> torch.Tensor:
        out, side = model(x)
        main = out.square().mean()
        extra = side.abs().mean()
        total = main + 0.1 * extra
        return total

    held = [[*model.body.parameters()], [p for n, p in model.named_parameters() if not n.startswith("body")]]
    return model, step, [torch.optim.SGD(held[0], lr=0.1), torch.optim.SGD(held[1], lr=0.2)]


@pytest.fixture(scope="module")
def report() -> fxaudit.Report:
    return fxaudit.audit(*forked(), prove=False)


# -- the walk itself ---------------------------------------------------------------------------------------------


def true_graph(root: torch.Tensor, names: dict[int, str]) -> tuple[Counter[Any], Counter[Any]]:
    """The nodes and edges behind `root`: leaves by parameter, others by name and sequence number."""

    def key(node: Any) -> tuple[str, int, str]:
        variable = getattr(node, "variable", None)
        leaf = names.get(id(variable), "") if variable is not None else ""
        return node.name().rpartition("::")[2], -1 if variable is not None else node._sequence_nr(), leaf

    nodes, edges, seen = Counter[Any](), Counter[Any](), set()
    stack = [root.grad_fn] if root.grad_fn is not None else []
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        nodes[key(node)] += 1
        below = {following for following, _ in node.next_functions if following is not None}
        edges.update((key(following), key(node)) for following in below)
        stack.extend(below)
    return nodes, edges


def told_graph(graph: networkx.MultiDiGraph) -> tuple[Counter[Any], Counter[Any]]:
    """The same as `report.graph` tells it."""

    def key(node: GradFnNode) -> tuple[str, int, str]:
        return node.name, node.sequence_nr, node.parameter

    inside = graph.subgraph([node for node in graph if isinstance(node, GradFnNode)])
    return Counter(map(key, inside)), Counter((key(a), key(b)) for a, b, kind in inside.edges(keys=True))


def assert_equal_to_the_walk(model: Any, loss: Callable[[], torch.Tensor], optimizers: Any) -> None:
    models = model if isinstance(model, dict) else {"": model}
    names: dict[int, str] = {}
    walked: list[Any] = []

    def watched() -> torch.Tensor:
        out = loss()
        if not walked and isinstance(out, torch.Tensor):
            for prefix, one in models.items():
                for name, parameter in one.named_parameters():
                    names.setdefault(id(parameter), f"{prefix}.{name}".lstrip("."))
            walked.append(true_graph(out, names))
        return out

    # A rehearsal would look at later steps, too, and show one of those.
    report = fxaudit.audit(model, watched, optimizers, prove=False, steps=0)
    names_told = {node.parameter for node in report.graph if isinstance(node, GradFnNode)}
    told = told_graph(report.graph)
    assert not report.graph.graph["left_out"]
    # What has no name in the model has one in the report: an unregistered tensor.
    known = {name for name in names.values()}

    def registered(counter: Counter[Any]) -> Counter[Any]:
        def shown(key: Any) -> Any:
            if isinstance(key[0], tuple):
                return tuple(map(shown, key))
            return (*key[:2], key[2] if key[2] in known else "")

        result: Counter[Any] = Counter()
        for key, count in counter.items():
            result[shown(key)] += count
        return result

    assert registered(told[0]) == walked[0][0]
    assert registered(told[1]) == walked[0][1]
    assert names_told - known <= set(report.parameters) | {""}


WITHOUT_A_WALK = {
    "loss_detached": "its loss has no graph",
    "loss_that_needs_no_gradient": "its loss has no graph",
    "slot_reassigned_in_forward": "PyTorch refuses its forward",
    "two_backwards_inside_a_closure_that_returns_none": "its closure returns no loss",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ZOO if name not in WITHOUT_A_WALK])
def test_the_gradient_edges_are_the_next_functions_of_the_zoo(name: str) -> None:
    training = ZOO[name].make()
    assert_equal_to_the_walk(training.model, training.loss, training.optimizers)


UNARY = [torch.relu, torch.tanh, torch.sigmoid, lambda h: h.detach(), lambda h: h * h, lambda h: h.clone().mul_(2)]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
def test_the_gradient_edges_are_the_next_functions_of_random_models(plan: list[tuple[int, int, int]]) -> None:
    torch.manual_seed(0)
    layers = nn.ModuleList(nn.Linear(3, 3) for _ in range(4))
    x = torch.randn(2, 3)

    def loss() -> torch.Tensor:
        values = [layers[0](x)]
        for function, layer, source in plan:
            value = values[-1 - source % len(values)]
            values.append(layers[layer](UNARY[function](value)) + values[source % len(values)])
        return values[-1].sum() + values[0].mean()

    assert_equal_to_the_walk(layers, loss, torch.optim.SGD(layers.parameters(), 0.1))


# -- what stands in it -------------------------------------------------------------------------------------------


def test_each_kind_of_node_says_what_it_is(report: fxaudit.Report) -> None:
    nodes = {type(node): node for node in report.graph}
    assert set(nodes) == {ParameterNode, OpNode, GradFnNode, BufferNode, InputNode, LossNode, GroupNode}
    known = {node.name: node for node in report.graph if isinstance(node, ParameterNode)}
    gate = known["gate.weight"]
    assert (gate.shape, gate.dtype, gate.verdict) == ((4, 4), "float32", "unreachable")
    groups = {(node.optimizer, node.group, node.lr) for node in report.graph if isinstance(node, GroupNode)}
    assert {lr for _, _, lr in groups} == {0.1, 0.2} and len({name for name, _, _ in groups}) == 2
    assert ParameterNode("gate.weight") in report.graph
    assert nodes[LossNode].name == "total"


def test_nodes_say_whether_gradient_comes_and_cuts_which_finding_tells(report: fxaudit.Report) -> None:
    graph = report.graph
    gets = {
        node.name: data["receives_gradient"] for node, data in graph.nodes(data=True) if isinstance(node, ParameterNode)
    }
    assert {name for name, got in gets.items() if not got} == {"gate.weight", "gate.bias"}
    assert all(
        data["receives_gradient"] for node, data in graph.nodes(data=True) if isinstance(node, GradFnNode | LossNode)
    )
    cuts = [(a.name, b.name, data["finding"].code) for a, b, data in graph.edges(data=True) if data["cut"]]
    assert cuts == [("linear", "detach", "FXA104")]
    assert all(data["finding"] is None for _, _, data in graph.edges(data=True) if not data["cut"])


def test_a_gradient_that_a_function_withholds_is_not_received() -> None:
    class Withheld(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> None:
            return None

    model = nn.Linear(2, 1)
    told = fxaudit.audit(
        model, lambda: Withheld.apply(model(torch.ones(3, 2))).sum(), torch.optim.SGD(model.parameters())
    )
    assert not told.graph.nodes[ParameterNode("weight")]["receives_gradient"]
    assert told.trained_by("loss") == ()


def test_an_operation_is_joined_to_what_it_made(report: fxaudit.Report) -> None:
    graph = report.graph
    made = {(a.name, b.name) for a, b, key in graph.edges(keys=True) if key == "made"}
    assert ("linear", "AddmmBackward0") in made and ("body.weight", "AccumulateGrad") in made
    assert ("batch_norm", "NativeBatchNormBackward0") in made
    assert not [pair for pair in made if pair[0].startswith("gate.")]


def test_a_structure_has_the_nodes_of_its_trace() -> None:
    graph = fxaudit.audit(forked()[0]).graph
    traced = [(a, b) for a, b, key in graph.edges(keys=True) if key == "traced"]
    assert traced and all(isinstance(a, FxNode) and isinstance(b, OpNode) for a, b in traced)
    assert all(a.target.rpartition(".")[2] == b.name for a, b in traced)


def test_a_report_read_from_json_has_the_same_graph(report: fxaudit.Report) -> None:
    again = fxaudit.Report.from_json(report.to_json())
    assert networkx.utils.graphs_equal(report.graph, again.graph)
    assert again.paths("gate.weight") == report.paths("gate.weight")


def test_a_report_of_an_earlier_version_is_read() -> None:
    import json

    document = json.loads(fxaudit.audit(*forked(), prove=False).to_json())
    for key in ("autograd_sequences", "autograd_roots", "traced", "left_out"):
        del document["graph"][key]
    again = fxaudit.Report.from_json(json.dumps(document))
    assert {node.sequence_nr for node in again.graph if isinstance(node, GradFnNode)} == {-1}
    assert "body.weight" in again.trained_by("total")


def test_nothing_of_the_autograd_graph_is_kept_alive() -> None:
    model, step, optimizers = forked()
    kept: list[Any] = []

    def watched() -> torch.Tensor:
        out = step()
        kept.append(weakref.ref(out))
        return out

    report = fxaudit.audit(model, watched, optimizers, prove=False)
    gc.collect()
    assert kept[0]() is None
    assert len(report.graph)


def test_what_was_too_much_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.capture.watch.autograd.MAX_GRAD_FNS", 5)
    report = fxaudit.audit(*forked(), prove=False)
    assert "too many" in report.graph.graph["left_out"]
    assert not [node for node in report.graph if isinstance(node, GradFnNode)]
    assert "body.weight" in report.trained_by("total")


# -- questions ---------------------------------------------------------------------------------------------------


def test_paths_come_through_or_say_where_they_end(report: fxaudit.Report) -> None:
    (through,) = report.paths("head.weight")
    assert through.carries_gradient and through.nodes[0].name == "head.weight" and through.nodes[-1].name == "total"
    (cut,) = report.paths("gate.weight")
    assert not cut.carries_gradient and cut.reaches_loss and cut.cut is not None and cut.cut[1].name == "detach"
    assert cut.finding is not None and cut.finding.code == "FXA104" and "-x-> detach" in str(cut)
    with pytest.raises(UnknownParameterError, match=r"gate\.weight"):
        report.paths("gate")


def test_the_path_of_what_no_loss_reads_ends_somewhere() -> None:
    class Dead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused, self.never = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.unused(x).tanh()
            out: torch.Tensor = self.used(x)
            return out

    model = Dead()
    report = fxaudit.audit(model, lambda: model(torch.ones(1, 2)).sum(), torch.optim.SGD(model.parameters()))
    (way,) = report.paths("unused.weight")
    assert not way.reaches_loss and way.nodes[-1].name == "tanh"
    assert report.paths("never.weight") == ()
    assert report.bottleneck("never") == ()


def test_the_bottleneck_is_what_all_gradient_passes(report: fxaudit.Report) -> None:
    assert [op.name for op in report.bottleneck("body")] == ["linear", "batch_norm", "relu", "add"]
    assert [op.name for op in report.bottleneck(["head.*", "side.weight"])] == ["add"]
    assert report.bottleneck("gate.weight") == ()
    with pytest.raises(UnknownParameterError):
        report.bottleneck("nothing")


def test_a_loss_and_a_term_of_it_say_what_they_train(report: fxaudit.Report) -> None:
    main, extra = set(report.trained_by("main")), set(report.trained_by("extra"))
    assert extra - main == {"side.weight", "side.bias"}
    assert main | extra == set(report.trained_by("total")) == {p.name for p in report if p.verdict == "trained"}
    loss = next(node for node in report.graph if isinstance(node, LossNode))
    assert report.trained_by(loss) == report.trained_by("total")
    last = next(node for node in report.graph if isinstance(node, OpNode) and node.name == "abs")
    assert set(report.trained_by(last)) == extra
    relu = next(node for node in report.graph if isinstance(node, GradFnNode) and node.name == "ReluBackward0")
    assert set(report.trained_by(relu)) == {"body.weight", "body.bias", "norm.weight", "norm.bias"}
    with pytest.raises(UnknownLossError, match="'total'"):
        report.trained_by("nothing")
    with pytest.raises(UnknownLossError):
        report.trained_by(LossNode(10**6, "total"))


def test_two_losses_are_told_apart() -> None:
    torch.manual_seed(0)
    model = nn.ModuleDict({"g": nn.Linear(2, 2), "d": nn.Linear(2, 1)})
    optimizers = [torch.optim.SGD(model["g"].parameters(), 0.1), torch.optim.SGD(model["d"].parameters(), 0.1)]
    with fxaudit.watch(model, optimizers) as watch:
        for _ in range(3):
            d_loss = model["d"](model["g"](torch.ones(3, 2)).detach()).mean()
            optimizers[1].zero_grad()
            d_loss.backward()
            optimizers[1].step()
            g_loss = model["d"](model["g"](torch.ones(3, 2))).std() + model["g"](torch.ones(1, 2)).square().sum()
            optimizers[0].zero_grad()
            g_loss.backward()
            optimizers[0].step()
    report = watch.report
    assert report.trained_by("d_loss") == ("d.weight", "d.bias")
    assert set(report.trained_by("g_loss")) == {"g.weight", "g.bias", "d.weight", "d.bias"}
    assert {node.name for node in report.graph if isinstance(node, LossNode)} == {"d_loss", "g_loss"}


def test_two_graphs_are_compared() -> None:
    model, step, optimizers = forked()
    before = fxaudit.audit(model, step, optimizers, prove=False)
    assert before.compare(before).same and str(before.compare(before)) == "The graphs are the same."

    def attached(x: torch.Tensor) -> Any:
        hidden = torch.relu(model.norm(model.body(x)))
        return model.head(hidden * model.gate(x)), model.side(hidden)

    model.forward = attached  # type: ignore[method-assign]
    found = before.compare(fxaudit.audit(model, step, optimizers, prove=False))
    assert found.reached == ("gate.weight", "gate.bias") and not found.lost
    assert ("gate.weight", "unreachable", "trained") in found.verdicts
    assert [place[0] for place in found.mended] == ["detach"] and not found.cuts
    assert "gets gradient now: gate.weight" in str(found)


def test_an_empty_report_has_an_empty_graph() -> None:
    empty = fxaudit.Report()
    assert len(empty.graph) == 0
    assert empty.compare(empty).same
    with pytest.raises(UnknownLossError, match="none at all"):
        empty.trained_by("loss")


# -- other graphs ------------------------------------------------------------------------------------------------


def test_simple_graphs_are_exported(report: fxaudit.Report, tmp_path: Path) -> None:
    for simple in (gradient_flow(report.graph), data_flow(report.graph), gradient_flow(report.graph, grad_fns=True)):
        assert networkx.is_directed_acyclic_graph(simple)
        networkx.write_graphml(plain(simple), tmp_path / "x.graphml")
    whole = plain(report.graph)
    networkx.write_graphml(whole, tmp_path / "y.graphml")
    again = networkx.read_graphml(tmp_path / "y.graphml", force_multigraph=True)
    assert (len(again), again.number_of_edges()) == (len(report.graph), report.graph.number_of_edges())
    drawn = networkx.drawing.nx_pydot.to_pydot(whole)
    assert (len(drawn.get_nodes()), len(drawn.get_edges())) == (len(whole), whole.number_of_edges())
    assert "gate.weight" in {node.get("label").strip('"') for node in drawn.get_nodes()}


def blocks(page: str) -> str:
    """The Python of a page, each line where it stands there."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    lines, inside = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            lines.append("")
        else:
            lines.append(line if inside else "")
    return "\n".join(lines)


def test_the_recipes_of_the_page_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(blocks("graph.md"), encoding="utf-8")
    code = compile(blocks("graph.md"), str(tmp_path / "train.py"), "exec")
    exec(code, {"__name__": "page"})
    said = capsys.readouterr().out
    assert re.search(r"fast \(lr 0\.1\) moves encoder\.weight, encoder\.bias through total", said)
    assert "gate.weight -> linear" in said


def test_the_loss_that_a_closure_returns_does_not_bear_the_name_of_the_report() -> None:
    layer = nn.Linear(2, 1)

    def closure() -> torch.Tensor:
        return layer(torch.ones(1, 2)).sum()

    answer = fxaudit.audit(layer, closure, torch.optim.SGD(layer.parameters(), lr=0.1))
    assert [node.name for node in answer.graph if isinstance(node, LossNode)] == ["loss"]
