"""What the graph of a recording says, question by question, of programs of a few lines."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from fxaudit.capture.recording import Op, Record
from fxaudit.capture.session import Session
from fxaudit.judge.graph import Cut, StepGraph

Tensors = dict[str, torch.Tensor]

pytestmark = pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True to a scalar")


@dataclass
class Seen:
    """The graph of a program, asked by the names that the program gave its tensors."""

    graph: StepGraph
    tracks: dict[str, int]

    @property
    def record(self) -> Record:
        return self.graph.record

    def op(self, name: str) -> Op:
        """The first operation of that name."""
        return next(op for op in self.record.ops if op.name == name)

    def name(self, op: int) -> str:
        return self.record.ops[op].name

    def cuts(self, name: str) -> list[str]:
        return [f"{self.name(cut.op)}: {cut.kind}{'?' * cut.inferred}" for cut in self.graph.cuts(self.tracks[name])]

    def the_cut(self, name: str) -> Cut:
        (cut,) = self.graph.cuts(self.tracks[name])
        return cut

    def path(self, name: str, **limit: int) -> list[str]:
        return [self.name(op) for op in self.graph.path(self.tracks[name], **limit)]

    def dead_end(self, name: str) -> tuple[str, int] | None:
        end = self.graph.dead_end(self.tracks[name])
        return None if end is None else (self.name(end.op), end.value)

    def last_escape(self, name: str) -> str:
        found = self.graph.last_escape(self.tracks[name])
        return "" if found is None else self.name(found.op)

    def line(self, name: str) -> int:
        """Which line of the program `nearest_cut` names, counted from its `def`; -1 where it names none."""
        stacks, found = self.record.stacks, self.graph.nearest_cut(self.tracks[name])
        return stacks.line(found) - stacks.codes[found].co_firstlineno if found >= 0 else -1


def seen(program: Callable[[], Tensors]) -> Seen:
    session = Session()
    with session.recording():
        tensors = program()
        tracks = {name: session.recorder.track(tensor).index for name, tensor in tensors.items()}
    return Seen(StepGraph(session.record), tracks)


def weights(*names: str) -> list[nn.Parameter]:
    return [nn.Parameter(torch.ones(3)) for _ in names]


# -- where gradient ends ----------------------------------------------------------------------------------------------


def detached() -> Tensors:
    w, v = weights("w", "v")
    (v * (w * 2).detach()).sum().backward()
    return {"w": w, "v": v}


def without_grad() -> Tensors:
    w, v = weights("w", "v")
    with torch.no_grad():
        made = w * 2
    (v * made).sum().backward()
    return {"w": w, "v": v}


def an_index() -> Tensors:
    w, v = weights("w", "v")
    v[(w * 2).argmax()].sum().backward()
    return {"w": w, "v": v}


def a_new_parameter() -> Tensors:
    w, v = weights("w", "v")
    (v * nn.Parameter(w * 2)).sum().backward()
    return {"w": w, "v": v}


def a_detached_leaf() -> Tensors:
    w, v = weights("w", "v")
    (v * (w * 2).detach().requires_grad_()).sum().backward()
    return {"w": w, "v": v}


def a_number() -> Tensors:
    w, v = weights("w", "v")
    (v * (w * 2).sum().item()).sum().backward()
    return {"w": w, "v": v}


def a_detached_number() -> Tensors:
    w, v = weights("w", "v")
    (v * (w * 2).detach().abs().max().item()).sum().backward()
    return {"w": w, "v": v}


def a_detached_number_and_what_it_is_of() -> Tensors:
    w, v = weights("w", "v")
    made = (w * 2).detach()
    (v * made * made.abs().max().item()).sum().backward()
    return {"w": w, "v": v}


def a_list() -> Tensors:
    w, v = weights("w", "v")
    (v * torch.tensor((w * 2).tolist(), requires_grad=True)).sum().backward()
    return {"w": w, "v": v}


def two_cuts() -> Tensors:
    w, v = weights("w", "v")
    late = (w * 3).round()
    (v * (w * 2).detach() * late.long()).sum().backward()
    return {"w": w, "v": v}


CUTS: dict[Callable[[], Tensors], list[str]] = {
    detached: ["detach: detached"],
    without_grad: ["mul: no_grad"],
    an_index: ["argmax: non_differentiable"],
    a_new_parameter: ["Parameter: rewrapped"],
    a_detached_leaf: ["detach: rewrapped"],
    a_number: ["item: left_torch"],
    a_detached_number: ["detach: left_torch"],
    a_detached_number_and_what_it_is_of: ["detach: detached"],
    a_list: ["tolist: left_torch"],
    two_cuts: ["detach: detached", "long: non_differentiable"],
}


@pytest.mark.parametrize("program", CUTS, ids=lambda program: program.__name__)
def test_gradient_ends_where_it_does_and_for_that_reason(program: Callable[[], Tensors]) -> None:
    found = seen(program)
    assert found.cuts("w") == CUTS[program]
    assert found.cuts("v") == []
    assert found.graph.carries_to_loss(found.tracks["v"]) and not found.graph.carries_to_loss(found.tracks["w"])
    assert found.graph.reaches_by_data(found.tracks["w"])


def test_a_detached_value_that_backward_is_called_on_has_not_left_torch() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        loss = (w * 2).sum().detach()
        loss.item()
        with pytest.raises(RuntimeError):
            loss.backward()
        return {"w": w}

    assert seen(program).cuts("w") == ["detach: detached"]


def test_a_detached_value_that_is_written_somewhere_has_not_left_torch() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        made, table = (w * 2).detach(), torch.zeros(3)
        made.sum().item()
        table.copy_(made)
        (v * table).sum().backward()
        return {"w": w}

    assert seen(program).cuts("w") == ["detach: detached"]


def test_what_a_constructor_does_to_its_parameter_is_no_cut() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))
            self.scale = nn.Parameter(self.weight.detach() * 2)

        def forward(self) -> torch.Tensor:
            return self.scale * self.weight.detach()

    def program() -> Tensors:
        net = Net()
        net().sum().backward()
        return {"w": net.weight}

    found = seen(program)
    (cut,) = found.graph.cuts(found.tracks["w"])
    assert cut.op > found.op("detach").index


def test_a_copy_that_a_constructor_makes_is_the_cut_of_what_nothing_else_reads() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        other, layer = copy.deepcopy(w), nn.Linear(3, 1)
        layer(other).sum().backward()
        return {"w": w, "other": other}

    found = seen(program)
    w, other = found.tracks["w"], found.tracks["other"]
    assert found.cuts("w") == ["data: detached"]
    assert (found.graph.is_read(w), found.graph.is_read_in_time(w)) == (False, False)
    assert (found.graph.is_read(other), found.graph.is_read_in_time(other)) == (True, True)


def test_a_constructor_that_computes_with_a_copy_reads_it() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        table = w.detach().clone() * 2
        layer = nn.Linear(3, 1)
        layer(table).sum().backward()
        return {"w": w}

    found = seen(program)
    assert found.graph.is_read(found.tracks["w"])


# -- what a cut is for -------------------------------------------------------------------------------------------------


def the_mask_of_a_where() -> Tensors:
    (w,) = weights("w")
    made = w * 2
    torch.where(made.detach() > 0, made, made * 3).sum().backward()
    return {"w": w}


def a_norm_that_divides() -> Tensors:
    (w,) = weights("w")
    made = w * 2
    (made / made.detach().norm()).sum().backward()
    return {"w": w}


def a_term_of_its_own() -> Tensors:
    w, v = weights("w", "v")
    ((v * 2).sum() + (w * 3).detach().sum()).backward()
    return {"w": w, "v": v}


def an_index_of_another() -> Tensors:
    w, v = weights("w", "v")
    v[(w * 2).detach().argmax()].sum().backward()
    return {"w": w, "v": v}


def an_average_that_is_copied_back() -> Tensors:
    w, v = weights("w", "v")
    with torch.no_grad():
        v.data.copy_((w * 2).detach())
    (v * 1).sum().backward()
    return {"w": w, "v": v}


ENDS: dict[Callable[[], Tensors], tuple[bool, bool, bool]] = {
    the_mask_of_a_where: (False, False, False),
    a_norm_that_divides: (False, False, True),
    a_term_of_its_own: (True, True, True),
    detached: (True, False, True),
    an_index: (True, False, True),
    a_number: (True, False, True),
    an_index_of_another: (True, False, False),
}


@pytest.mark.parametrize("program", ENDS, ids=lambda program: program.__name__)
def test_a_cut_ends_the_gradient_empties_a_term_or_lets_it_through(program: Callable[[], Tensors]) -> None:
    found = seen(program)
    cut, track = found.the_cut("w"), found.tracks["w"]
    graph = found.graph
    assert (graph.ends_gradient(cut, track), graph.empties_term(cut), graph.leads_on(cut)) == ENDS[program]


def test_the_line_where_gradient_first_ends_is_known_without_a_loss() -> None:
    def program() -> Tensors:
        w, v, u = weights("w", "v", "u")
        made = w * 2
        made.detach()
        with torch.no_grad():
            v * 2
        (u * 3).sum().item()
        return {"w": w, "v": v, "u": u}

    found = seen(program)
    assert [found.line(name) for name in "wvu"] == [3, 4, -1]


# -- what is read, and where it goes no further ------------------------------------------------------------------------


def test_writing_counting_and_saving_are_no_reading() -> None:
    def program() -> Tensors:
        w, v, u, z, y = weights("w", "v", "u", "z", "y")
        with torch.no_grad():
            w.mul_(2)
            w.copy_(v)
            u.detach().clone()
            z.norm().item()
        (y * 2).sum()
        weights("x")[0].sum().backward()
        return {"w": w, "v": v, "u": u, "z": z, "y": y}

    found = seen(program)
    read = {name: found.graph.is_read(track) for name, track in found.tracks.items()}
    assert read == {"w": False, "v": True, "u": False, "z": False, "y": True}
    assert not found.graph.is_read_in_time(found.tracks["w"])


def test_what_a_module_reads_is_read_whether_or_not_it_carries_gradient() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                self.weight * 2
            return x

    def program() -> Tensors:
        net = Net()
        net(torch.ones(3))
        return {"w": net.weight}

    found = seen(program)
    assert found.graph.is_read(found.tracks["w"])


def test_a_value_ends_where_nothing_is_made_of_it() -> None:
    def program() -> Tensors:
        w, v, u = weights("w", "v", "u")
        late = (w * 2).exp()
        (w * 3).abs()
        with torch.no_grad():
            late.view(3, 1)
            (v.detach() * 2).sin()
        return {"w": w, "v": v, "u": u}

    found = seen(program)
    ends = {name: end[0] for name in "wv" if (end := found.dead_end(name)) is not None}
    assert ends == {"w": "abs", "v": "sin"}
    assert found.dead_end("u") is None
    assert found.path("w") == ["mul", "abs"]
    assert found.path("u") == []


def test_a_view_taken_without_gradient_is_no_way_on() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        made = w * 2
        with torch.no_grad():
            made.view(3, 1)
        return {"w": w}

    assert seen(program).dead_end("w") == ("mul", seen(program).op("mul").outputs[0])


def test_what_has_a_part_in_one_of_several_outputs_ends_at_the_other() -> None:
    def program() -> Tensors:
        layer = nn.LSTM(2, 2, 1)
        _, (_, cell) = layer(torch.ones(3, 1, 2))
        cell.sum().backward()
        return {"w": layer.weight_ih_l0}

    found = seen(program)
    assert found.dead_end("w") == ("lstm", found.op("lstm").outputs[0])


def test_a_constant_term_ends_at_the_derivative() -> None:
    def program() -> Tensors:
        w, b, other = weights("w", "b", "other")
        x = torch.ones(3, requires_grad=True)
        (slope,) = torch.autograd.grad((w * x * x + b).sum(), x, create_graph=True)
        (slope.sum() + (other * 2).sum()).backward()
        return {"b": b, "other": other}

    found = seen(program)
    assert found.dead_end("b") == ("autograd.grad", found.op("autograd.grad").outputs[0])
    assert found.dead_end("other") == ("add", found.graph.losses[0])


def test_the_last_number_that_leaves_torch_is_told() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        (w * 1).sum().item()
        size = int((w * 1).sum())
        v[:size].sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert (found.last_escape("w"), found.last_escape("v")) == ("__int__", "")
    assert found.cuts("w") == []  # a size is no number that is computed with


def test_the_function_that_reads_a_tensor_without_being_given_it() -> None:
    class Hidden(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x * w

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            return gradient

    w, v = weights("w", "v")

    def program() -> Tensors:
        Hidden.apply(v).sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert found.graph.hidden_reader(found.tracks["w"]) is found.op("Hidden")
    assert found.graph.hidden_reader(found.tracks["v"]) is None


def test_a_path_is_as_long_as_it_may_be() -> None:
    found = seen(detached)
    assert found.path("w") == ["mul", "detach", "mul", "sum"]
    assert found.path("w", limit=2) == ["mul", "sum"]
    assert found.path("v") == ["mul", "sum"]
    assert seen(a_number).path("w") == ["mul", "sum", "item", "sum"]


def test_what_happens_inside_of_a_custom_function_is_its_own_affair() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.sin() * 2

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            return gradient * 2

    def program() -> Tensors:
        (w,) = weights("w")
        Double.apply(w * 3).sum().backward()
        return {"w": w}

    found = seen(program)
    assert found.op("sin").inside == found.op("Double").index
    assert "sin" not in [op.name for op in found.graph.ops]
    assert found.graph.carries_to_loss(found.tracks["w"])
    assert found.cuts("w") == []
    assert found.path("w") == ["mul", "Double", "sum"]


def test_a_step_and_a_hook_are_no_forward() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        w.register_hook(lambda gradient: gradient * 5)
        made = w * 2
        made.register_hook(lambda gradient: gradient.abs())
        made.sum().backward()
        return {"w": w}

    found = seen(program)
    assert {"abs"} <= {op.name for op in found.record.ops if op.phase == "backward"}
    assert [op.name for op in found.graph.ops if op.name in ("abs", "mul", "sum")] == ["mul", "sum"]


def test_the_path_of_what_reaches_no_loss_leads_to_where_it_ends() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        late = (w * 2).exp()
        late.abs().log()
        late.sin()
        v.sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert found.path("w") == ["mul", "exp", "sin"]  # the last one
    assert found.path("v") == ["sum"]


# -- who writes a gradient ---------------------------------------------------------------------------------------------


def test_what_writes_the_gradient_is_found_through_its_views_and_in_its_time() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        (w * v).sum().backward()
        w.grad.mul_(2)  # type: ignore[union-attr]
        w.grad.view(3, 1)[0].zero_()  # type: ignore[union-attr]
        (w.grad * 3).add_(1)  # type: ignore[operator]
        v.detach().add_(1)
        return {"w": w, "v": v}

    found = seen(program)
    w, graph, first, last = found.tracks["w"], found.graph, found.op("mul_").index, found.op("zero_").index

    def writers(start: int, end: int) -> list[str]:
        return [op.name for op in graph.gradient_writers(w, start, end)]

    assert writers(0, 1000) == ["mul_", "zero_"]
    assert writers(first, last + 1) == ["mul_", "zero_"]
    assert writers(first + 1, last + 1) == ["zero_"]
    assert writers(first, last) == ["mul_"]
    assert graph.gradient_writers(found.tracks["v"], 0, 1000) == []


# -- the losses --------------------------------------------------------------------------------------------------------


def test_without_a_backward_the_scalars_at_the_end_look_like_losses() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        first = (w * 2).sum()
        (v * 3).mean().log()
        first * 2
        v * w
        (v.detach() * 3).amax()
        torch.ones((), requires_grad=True)
        return {"w": w, "v": v}

    found = seen(program)
    made = [found.name(found.record.values[vid].op) for vid in found.graph.losses]
    assert made == ["log", "mul"]
    assert not found.graph.knows_what_was_asked


def test_a_scalar_that_is_asked_for_its_gradient_is_a_loss() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        (w * 2).sum()
        loss = (v.detach() * 3).mean()
        if loss.requires_grad:
            loss.backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert found.graph.losses == found.graph.asked_losses == found.op("mean").outputs
    assert found.graph.knows_what_was_asked
    assert found.cuts("v") == ["detach: detached"]
    found.record.values[found.op("detach").inputs[0]].foreign = True
    assert not StepGraph(found.record).knows_what_was_asked


@pytest.mark.parametrize(
    ("known", "spoilt"), [([False, False], True), ([True, False], False), ([False, None], True), ([None, None], False)]
)
def test_losses_are_spoilt_where_all_that_were_looked_at_are(known: list[bool | None], spoilt: bool) -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        (w * 2).sum().backward()
        (w * 3).sum().backward()
        return {"w": w}

    found = seen(program)
    for vid, finite in zip(found.graph.losses, known, strict=True):
        found.record.values[vid].finite = finite
    assert found.graph.is_spoilt == spoilt


def test_what_a_module_computes_with_came_from_the_nearest_operation_outside() -> None:
    class Twice(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return x.exp() * y

    def program() -> Tensors:
        (w,) = weights("w")
        far, near = (w * 2).sin(), (w * 3).cos()
        Twice()(far, near).sum().backward()
        return {"w": w}

    found = seen(program)
    fed = found.graph.fed_from_outside
    mul = [op for op in found.record.ops if op.name == "mul"][-1]
    assert found.name(fed[found.op("exp").index]) == "sin"
    assert found.name(fed[mul.index]) == "cos"
    assert fed[found.op("ones").index] == -1
    assert found.name(fed[found.op("sum").index]) == "cos"


# -- through Python ----------------------------------------------------------------------------------------------------


def a_function_of_the_number() -> Tensors:
    w, v = weights("w", "v")
    (v * math.exp(-float((w * 1).sum()))).sum().backward()
    return {"w": w, "v": v}


def a_function_that_returns_it() -> Tensors:
    def temperature(value: torch.Tensor) -> float:
        return math.exp(float(value.sum()))

    w, v = weights("w", "v")
    (v * temperature(w * 1)).sum().backward()
    return {"w": w, "v": v}


def a_function_of_a_function_that_returns_it() -> Tensors:
    def inner(value: torch.Tensor) -> float:
        return float(value.sum())

    def middle(value: torch.Tensor) -> float:
        return math.exp(inner(value))

    w, v = weights("w", "v")
    (v * middle(w * 1)).sum().backward()
    return {"w": w, "v": v}


def a_tensor_made_of_it() -> Tensors:
    w, v = weights("w", "v")
    number = math.exp(float((w * 1).sum()))
    (v * torch.tensor(number)).sum().backward()
    return {"w": w, "v": v}


def the_zero_of_a_sum_between() -> Tensors:
    w, v = weights("w", "v")
    number = math.exp(float((w * 1).sum()))
    sum([(v * v).sum(), (v * number).sum()]).backward()  # type: ignore[union-attr]
    return {"w": w, "v": v}


def a_backward_between() -> Tensors:
    w, v = weights("w", "v")
    number = math.exp(float((w * 1).sum()))
    v.sum().backward()
    (v * number).sum().backward()
    return {"w": w, "v": v}


def five_others_between() -> Tensors:
    w, v = weights("w", "v")
    number = math.exp(float((w * 1).sum()))
    for other in range(4):
        v * (other + 0.5)
    (v * number).sum().backward()
    return {"w": w, "v": v}


def its_own_value_between() -> Tensors:
    w, v = weights("w", "v")
    made = (w * 1).sum()
    number = math.exp(float(made))
    made * 0.5
    (v * number).sum().backward()
    return {"w": w, "v": v}


INFERRED: dict[Callable[[], Tensors], list[str]] = {
    a_function_of_the_number: ["__float__: left_torch?"],
    a_function_that_returns_it: ["__float__: left_torch?"],
    a_function_of_a_function_that_returns_it: [],  # too far away to be guessed
    a_tensor_made_of_it: ["__float__: left_torch?"],
    the_zero_of_a_sum_between: ["__float__: left_torch?"],
    a_backward_between: [],
    five_others_between: ["__float__: left_torch?"],
    its_own_value_between: ["__float__: left_torch?"],
}


@pytest.mark.parametrize("program", INFERRED, ids=lambda program: program.__name__)
def test_a_number_is_taken_to_be_used_where_the_function_goes_on_with_one(program: Callable[[], Tensors]) -> None:
    found = seen(program)
    assert found.cuts("w") == INFERRED[program]
    joined = [found.graph.python_inputs(op) for op in found.record.ops if found.graph.python_inputs(op)]
    assert bool(joined) == (program not in (a_backward_between, a_function_of_a_function_that_returns_it))


def test_the_shortest_way_stays_the_way_where_a_longer_one_joins_it() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        made = w * 2
        (made + made.exp()).sum().backward()
        return {"w": w}

    assert seen(program).path("w") == ["mul", "add", "sum"]


# -- what comes first of all -------------------------------------------------------------------------------------------


def test_the_first_operation_of_all_is_one_like_any_other() -> None:
    w, v = weights("w", "v")

    def program() -> Tensors:
        (v * (w * 2).detach()).sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert found.op("mul").index == 0
    assert found.cuts("w") == ["detach: detached"]
    assert (found.path("w"), found.path("v")) == (["mul", "detach", "mul", "sum"], ["mul", "sum"])
    assert found.graph.carries_to_loss(found.tracks["v"])


def test_the_first_tensor_of_all_is_one_like_any_other() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        torch.ones(3).sum()
        return {"w": w}

    found = seen(program)
    assert found.tracks["w"] == 0
    assert found.dead_end("w") is None
    assert found.path("w") == []


def test_writing_into_the_first_tensor_of_all_is_writing_into_a_parameter() -> None:
    def program() -> Tensors:
        v, w = weights("v", "w")
        v * 1
        with torch.no_grad():
            v.data.copy_((w * 2).detach())
        (v * 1).sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert found.tracks["v"] == 0
    assert not any(found.graph.leads_on(cut) for cut in found.graph.cuts(found.tracks["w"]))


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = x.exp() * self.weight
        return made.clone().add_(1)


@pytest.mark.parametrize("early", [True, False])
def test_a_parameter_feeds_no_module_and_the_first_operation_may(early: bool) -> None:
    x, scale = torch.ones(3), Scale()

    def program() -> Tensors:
        net = scale if early else Scale()
        net(x.sin()).sum().backward()
        return {"w": net.weight}

    found = seen(program)
    fed = found.graph.fed_from_outside
    assert (found.op("sin").index == 0) == early
    assert {found.name(fed[found.op(name).index]) for name in ("exp", "mul", "clone", "add_")} == {"sin"}
    assert fed[found.op("sin").index] == -1


def test_of_two_that_feed_a_module_the_nearest_counts_whichever_is_read_first() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return (x.exp() * y) + (y * x.exp().neg())

    def program() -> Tensors:
        Net()(torch.ones(3).sin(), torch.ones(3).cos()).sum()
        return {}

    found = seen(program)
    fed, muls = found.graph.fed_from_outside, [op for op in found.record.ops if op.name == "mul"]
    assert [found.name(fed[op.index]) for op in muls] == ["cos", "cos"]


def test_the_first_thing_that_a_module_does_is_in_time() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

        def forward(self) -> torch.Tensor:
            return self.weight.detach() * 2

    def program() -> Tensors:
        net = Net()
        net()
        return {"w": net.weight}

    found = seen(program)
    assert found.op("detach").index == found.record.calls[0].time
    assert found.graph.is_read_in_time(found.tracks["w"])
    assert found.graph.is_read(found.tracks["w"])


# -- what was frozen ---------------------------------------------------------------------------------------------------


def test_a_tensor_was_frozen_from_the_moment_of_the_change_on_and_before_the_first_thaw() -> None:
    found = seen(detached)
    track = found.record.tracks[found.tracks["w"]]
    value = track.values[0]

    def frozen(*times: int) -> list[bool]:
        return [found.graph.was_frozen(value, time) for time in times]

    assert frozen(0, 9) == [False, False]
    track.freezes[:] = [(3, False, -1), (5, True, -1)]
    assert frozen(2, 3, 4, 5, 6) == [False, True, True, False, False]
    track.freezes[:] = [(3, True, -1)]
    assert frozen(2, 3) == [True, False]
    assert not found.graph.was_frozen(found.op("detach").outputs[0], 2)


def test_a_thaw_that_comes_after_the_last_use_is_told_with_that_use() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        w * 2
        w.exp()
        return {"w": w, "v": v}

    found = seen(program)
    graph, w = found.graph, found.tracks["w"]
    track, last = found.record.tracks[w], found.op("exp")
    assert graph.thawed_after_use(w) is None
    track.freezes[:] = [(0, False, 7), (last.index + 1, True, 8)]
    assert graph.thawed_after_use(w) == (last.index + 1, 8, last)
    track.freezes.append((last.index + 2, True, 9))
    assert graph.thawed_after_use(w) == (last.index + 2, 9, last)
    track.freezes[:] = [(0, False, 7), (last.index, True, 8)]
    assert graph.thawed_after_use(w) is None  # in time for the last use
    track.freezes[:] = [(last.index + 1, False, 7), (last.index + 2, True, 8)]
    assert graph.thawed_after_use(w) is None  # it was not frozen when it was used
    found.record.tracks[found.tracks["v"]].freezes[:] = [(0, False, 7), (1, True, 8)]
    assert graph.thawed_after_use(found.tracks["v"]) is None  # never used


def test_writing_is_no_use_that_a_thaw_could_come_after() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        w * 2
        with torch.no_grad():
            w.mul_(2)
        w.requires_grad_()
        return {"w": w}

    found = seen(program)
    track = found.record.tracks[found.tracks["w"]]
    track.freezes[:] = [(0, False, 7), (100, True, 8)]
    assert found.graph.thawed_after_use(found.tracks["w"]) == (100, 8, found.op("mul"))


# -- what a cut leads to -----------------------------------------------------------------------------------------------


def test_a_cut_leads_to_the_losses_that_are_computed_from_it() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        ((w * 2).detach() * v).sum().backward()
        (v * 3).mean().backward()
        return {"w": w, "v": v}

    found = seen(program)
    first, second = found.graph.losses
    assert found.graph.leads_to(found.the_cut("w"), frozenset({first}))
    assert not found.graph.leads_to(found.the_cut("w"), frozenset({second}))
    assert seen(a_number).graph.leads_to(seen(a_number).the_cut("w"), frozenset(seen(a_number).graph.losses))


def test_a_view_of_another_input_is_no_cut() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        _, other = torch.broadcast_tensors(w, torch.ones(2, 1))
        (v * other).sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert found.cuts("w") == []


def test_parts_that_are_taken_without_gradient_are_cut() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        with torch.no_grad():
            part, _ = torch.broadcast_tensors(w, torch.ones(2, 1))
        (v * part).sum().backward()
        return {"w": w, "v": v}

    assert seen(program).cuts("w") == ["broadcast_tensors: no_grad"]


def test_asking_for_a_gradient_and_writing_into_a_leaf_cut_nothing() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        with torch.no_grad():
            w.mul_(2)
            w.requires_grad_()
        (v * w).sum().backward()
        return {"w": w, "v": v}

    assert seen(program).cuts("w") == []


def test_what_was_frozen_when_it_was_used_had_no_gradient_to_lose() -> None:
    found = seen(detached)
    track = found.record.tracks[found.tracks["w"]]
    graph = StepGraph(found.record)
    track.freezes[:] = [(0, False, -1), (100, True, -1)]
    value = found.op("detach").inputs[0]
    found.record.values[value].track = track.index
    assert graph.cuts_at(value) == frozenset()


@pytest.mark.parametrize("count", [4, 5])
def test_at_most_four_users_of_a_number_are_guessed(count: int) -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        number = math.exp(float((w * 1).sum()))
        total = v.sum()
        for _ in range(count):
            total = total + (v * number).sum()
        total.backward()
        return {"w": w, "v": v}

    found = seen(program)
    joined = [op.name for op in found.record.ops if found.graph.python_inputs(op)]
    assert joined == ["mul"] * 4


def a_number_that_torch_returned_beside_it() -> Tensors:
    w, v = weights("w", "v")
    number = math.exp(float((w * 1).sum()))
    (v * (v * number).sum()).sum().backward()
    return {"w": w, "v": v}


JOINED: dict[Callable[[], Tensors], list[str]] = {
    a_function_of_the_number: ["mul"],
    a_function_that_returns_it: ["mul"],
    a_function_of_a_function_that_returns_it: [],
    a_tensor_made_of_it: ["tensor"],
    the_zero_of_a_sum_between: ["mul"],
    a_backward_between: [],
    five_others_between: ["mul"],
    its_own_value_between: ["mul"],
    a_number_that_torch_returned_beside_it: ["mul"],
}


@pytest.mark.parametrize("program", JOINED, ids=lambda program: program.__name__)
def test_only_what_computes_with_a_number_is_taken_to_use_it(program: Callable[[], Tensors]) -> None:
    found = seen(program)
    joined = {op.index: found.graph.python_inputs(op) for op in found.record.ops if found.graph.python_inputs(op)}
    assert [found.name(op) for op in joined] == JOINED[program]
    assert all(escapes == (found.op("__float__").index,) for escapes in joined.values())
    assert found.graph.inferred == {escape for escapes in joined.values() for escape in escapes}


def test_a_number_that_is_followed_by_identity_is_not_guessed() -> None:
    found = seen(a_number)
    escape = found.op("item").index
    assert [found.name(op.index) for op in found.record.ops if op.python_inputs] == ["mul"]
    assert (found.graph.inferred, found.graph.inferred_inputs) == (set(), {})
    assert {found.graph.python_inputs(op) for op in found.record.ops} == {(), (escape,)}


def test_a_value_ends_where_only_a_leaf_is_made_of_it_and_goes_on_where_gradient_may() -> None:
    def program() -> Tensors:
        w, v, u = weights("w", "v", "u")
        (w * 2).exp().detach().sin()
        (v * 2).sum().item()
        with torch.no_grad():
            (u * 2).view(3, 1).exp()
        return {"w": w, "v": v, "u": u}

    found = seen(program)
    ends = {name: end[0] for name in "wvu" if (end := found.dead_end(name)) is not None}
    assert ends == {"w": "exp", "v": "sum", "u": "exp"}


def test_the_first_loss_that_is_met_ends_the_path() -> None:
    def program() -> Tensors:
        (w,) = weights("w")
        first = (w * 2).sum()
        second = first.exp()
        (first + 0).backward(retain_graph=True)
        second.backward()
        return {"w": w}

    found = seen(program)
    assert len(found.graph.losses) == 2
    assert found.path("w") == ["mul", "sum", "exp"]


def test_a_parameter_that_a_loss_is_started_from_has_a_path_of_its_own() -> None:
    def program() -> Tensors:
        w = nn.Parameter(torch.ones(()))
        w.backward()
        (w * 2).backward()
        return {"w": w}

    assert seen(program).path("w") == ["mul"]


def test_a_number_that_is_read_right_after_a_backward_belongs_to_the_next() -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        made = (w * 1).sum()
        v.sum().backward()
        number = math.exp(float(made))
        (v * number).sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert found.op("__float__").index == found.graph.backwards[0].time
    assert [op.name for op in found.record.ops if found.graph.python_inputs(op)] == ["mul"]


def test_what_happens_inside_of_the_first_function_of_all_is_its_own_affair() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.sin() * 2

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            return gradient * 2

    (w,) = weights("w")

    def program() -> Tensors:
        Double.apply(w).sum().backward()
        return {"w": w}

    found = seen(program)
    assert found.op("sin").inside == found.op("Double").index == 0
    assert [op.name for op in found.graph.ops] == ["Double", "sum"]
    assert (found.cuts("w"), found.path("w")) == ([], ["Double", "sum"])
    assert found.graph.carried_sources(found.op("sin").outputs[0]) == ()


def test_where_no_module_is_called_everything_is_in_time() -> None:
    w, v = weights("w", "v")

    def program() -> Tensors:
        w.detach()
        (v * 2).sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    assert found.op("detach").index == 0
    assert found.graph.is_read_in_time(found.tracks["w"])


def test_a_value_that_goes_on_in_a_new_leaf_does_not_end() -> None:
    assert seen(a_new_parameter).dead_end("w") is None
    assert seen(a_new_parameter).dead_end("v") == ("sum", seen(a_new_parameter).graph.losses[0])


def test_what_is_not_used_at_all_is_not_the_other_output() -> None:
    def program() -> Tensors:
        layer = nn.LSTM(2, 2, 1)
        layer.weight_ih_l0.exp()
        _, (_, cell) = layer(torch.ones(3, 1, 2))
        cell.sum().backward()
        return {"w": layer.weight_ih_l0}

    found = seen(program)
    assert found.dead_end("w") == ("lstm", found.op("lstm").outputs[0])


def test_a_number_that_its_own_function_uses_is_not_looked_for_in_the_caller() -> None:
    def temperature(value: torch.Tensor, other: torch.Tensor) -> float:
        number = math.exp(float(value.sum()))
        (other * number).log()
        return number

    def program() -> Tensors:
        w, v = weights("w", "v")
        (v.exp() * temperature(w * 1, v)).sum().backward()
        return {"w": w, "v": v}

    found = seen(program)
    (joined,) = [op for op in found.record.ops if found.graph.python_inputs(op)]
    assert found.record.stacks.codes[joined.stack].co_name == "temperature"


def test_what_a_constructor_does_cuts_nothing_off_where_forward_reads_the_parameter_itself() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))
            self.scale = nn.Parameter(self.weight.detach() * 2)

        def forward(self) -> torch.Tensor:
            return self.scale * self.weight

    def program() -> Tensors:
        net = Net()
        net().sum().backward()
        return {"w": net.weight}

    assert seen(program).cuts("w") == []


@pytest.mark.parametrize("beside", ["nothing", "a product that nobody uses", "a table that nobody reads"])
def test_a_detached_value_has_left_torch_where_nothing_else_is_done_with_it(beside: str) -> None:
    def program() -> Tensors:
        w, v = weights("w", "v")
        made, table = (w * 2).detach(), torch.zeros(3)
        number = made.abs().max().item()
        if beside == "a product that nobody uses":
            v * made
        elif beside == "a table that nobody reads":
            table.copy_(made)
        (v * number).sum().backward()
        return {"w": w, "v": v}

    assert seen(program).cuts("w") == [f"detach: {'left_torch' if beside == 'nothing' else 'detached'}"]


def test_of_what_only_a_constructor_reads_the_cuts_of_the_forward_are_told_alone() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))
            self.made = [self.weight * 2]
            self.scale = nn.Parameter(self.weight.detach() * 2)

        def forward(self) -> torch.Tensor:
            return self.scale * self.made[0].detach()

    def program() -> Tensors:
        net = Net()
        net().sum().backward()
        return {"w": net.weight}

    found = seen(program)
    assert not found.graph.is_read_in_time(found.tracks["w"])
    (cut,) = found.graph.cuts(found.tracks["w"])
    assert cut.op >= found.record.calls[0].time
