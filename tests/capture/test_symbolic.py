from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

from fxaudit.capture.symbolic.trace import SymbolicOp, SymbolicTrace, trace

SOURCE = Path(__file__).read_text(encoding="utf-8").splitlines()


def line_of(mark: str) -> int:
    """The line of this file that ends in `# mark`."""
    (found,) = [number for number, text in enumerate(SOURCE, 1) if text.endswith(f"# {mark}")]
    return found


def ops_named(found: SymbolicTrace, target: str) -> list[SymbolicOp]:
    return [op for op in found.ops if op.target == target]


class Net(nn.Module):
    """Two linear layers; what happens between them is the trait of each subclass."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.last = nn.Linear(4, 4)

    def between(self, x: Any) -> Any:
        return x

    def forward(self, x: Any) -> Any:
        return self.last(self.between(self.first(x)))


def net(between: Callable[[Any], Any]) -> Net:
    model = Net()
    model.between = between
    return model


def assert_cut_between(found: SymbolicTrace, reason: str, mark: str) -> SymbolicOp:
    """The first layer's value reaches the output, its gradient ends at the marked line; the last layer is healthy."""
    assert found.status == "traced"
    assert found.reaches_output("first.weight")
    assert not found.carries_gradient("first.weight")
    assert found.carries_gradient("last.weight")
    assert found.first_cut("last.weight") is None
    cut = found.first_cut("first.weight")
    assert cut is not None
    assert cut.cut == reason
    assert cut.source is not None
    assert cut.source.line == line_of(mark)
    return cut


# Healthy models.


def test_a_healthy_model_carries_gradient_to_every_parameter():
    found = trace(Net())
    assert found.status == "traced"
    assert (found.reason, found.source, found.opaque) == ("", None, ())
    assert [op.kind for op in found.ops] == [
        "input",
        "parameter",
        "parameter",
        "call",
        "parameter",
        "parameter",
        "call",
        "output",
    ]
    assert [op.target for op in found.ops if op.kind == "call"] == ["torch.nn.functional.linear"] * 2
    assert all(found.carries_gradient(name) and found.first_cut(name) is None for name, _ in Net().named_parameters())
    assert found.called_modules == {"", "first", "last"}
    assert found.read_parameters == {"first.weight", "first.bias", "last.weight", "last.bias"}
    assert found.graph is not None
    assert len(found.graph.nodes) == len(found.ops)
    assert [op.index for op in found.ops] == list(range(len(found.ops)))
    assert all(source < op.index for op in found.ops for source in op.inputs)


def test_each_operation_knows_its_module_and_the_users_line():
    found = trace(Net())
    first = ops_named(found, "torch.nn.functional.linear")[0]
    assert first.module == "first"
    assert first.source is not None
    assert first.source.file.endswith("test_symbolic.py")
    assert first.source.code == "return self.last(self.between(self.first(x)))"
    assert first.source.function.endswith("Net.forward")
    assert first.grad_enabled and first.grad_source is None


class Nested(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.inner = Nested(depth - 1) if depth else Net()

    def forward(self, x: Any) -> Any:
        return self.inner(x)


def test_modules_nested_three_deep_have_their_full_names():
    found = trace(Nested(2))
    assert "inner.inner.inner.first" in found.called_modules
    assert found.carries_gradient("inner.inner.inner.last.bias")


def test_a_hundred_nested_modules_are_no_recursion_error():
    found = trace(Nested(100))
    assert found.status == "traced"
    assert not found.opaque


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(8, 4)
        self.head = nn.Linear(4, 8, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: Any) -> Any:
        return self.head(self.embedding(tokens))


def test_tied_parameters_answer_under_both_names():
    found = trace(Tied())
    assert found.read_parameters == {"embedding.weight", "head.weight"}
    assert found.carries_gradient("embedding.weight") and found.carries_gradient("head.weight")


# Slots and values that forward replaces.


class SlotAssigned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(4, 4)
        self.linear2 = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        self.linear1.weight = torch.randn_like(self.linear1.weight) * 0.01  # slot assigned
        return self.linear2(torch.relu(self.linear1(x)))


def test_a_tensor_assigned_to_a_slot_is_let_through_and_read_afterwards():
    model = SlotAssigned()
    before = dict(model.linear1._parameters)
    found = trace(model)
    assert found.status == "traced"
    assert {name: source.line for name, source in found.assigned_slots.items()} == {
        "linear1.weight": line_of("slot assigned")
    }
    assert not found.reaches_output("linear1.weight")
    assert found.carries_gradient("linear1.bias")
    (assignment,) = [op for op in found.ops if op.kind == "call" and op.slot == "linear1.weight"]
    assert assignment.index in ops_named(found, "torch.nn.functional.linear")[0].inputs
    assert dict(model.linear1._parameters) == before
    with pytest.raises(TypeError, match="cannot assign"):
        model(torch.zeros(1, 4))


class SlotClamped(SlotAssigned):
    def forward(self, x: Any) -> Any:
        self.linear1.weight = torch.clamp(self.linear1.weight, -1, 1)
        return self.linear1(x)


def test_a_slot_assigned_from_its_own_parameter_still_reaches_the_output():
    found = trace(SlotClamped())
    assert list(found.assigned_slots) == ["linear1.weight"]
    assert found.reaches_output("linear1.weight")


class Overwriting(Net):
    def forward(self, x: Any) -> Any:
        with torch.no_grad():
            self.first.weight.copy_(torch.ones(4, 4))  # copied over
        self.first.bias.data = torch.zeros(4)  # data replaced
        self.last.weight.data.normal_()  # filled in place
        nn.init.zeros_(self.last.bias)  # initialised
        return self.last(self.first(x))


def test_parameters_overwritten_in_forward_are_listed_by_line():
    model = Overwriting()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    found = trace(model)
    assert {name: source.line for name, source in found.overwritten.items()} == {
        "first.weight": line_of("copied over"),
        "first.bias": line_of("data replaced"),
        "last.weight": line_of("filled in place"),
        "last.bias": line_of("initialised"),
    }
    assert found.carries_gradient("first.weight")
    assert all(torch.equal(before[name], parameter) for name, parameter in model.named_parameters())


# What cuts the gradient.


def test_detach_cuts_the_gradient():
    cut = assert_cut_between(trace(net(lambda x: x.detach())), "detach", "detach")  # detach
    assert cut.target == "Tensor.detach"


def test_data_cuts_the_gradient():
    cut = assert_cut_between(trace(net(lambda x: x.data)), "detach", "data")  # data
    assert cut.target == "Tensor.data"


def test_a_no_grad_block_cuts_the_gradient_and_names_the_line_that_opened_it():
    def between(x: Any) -> Any:
        with torch.no_grad():  # opened
            return x * 2  # under no_grad

    cut = assert_cut_between(trace(net(between)), "no-grad", "under no_grad")
    assert not cut.grad_enabled
    assert cut.grad_source is not None
    assert cut.grad_source.line == line_of("opened")


def test_a_no_grad_decorator_is_blamed_by_its_own_line():
    @torch.no_grad()  # decorator
    def between(x: Any) -> Any:
        return x * 2  # decorated

    cut = assert_cut_between(trace(net(between)), "no-grad", "decorated")
    assert cut.grad_source is not None
    assert cut.grad_source.line == line_of("decorator")


def test_set_grad_enabled_is_seen_and_undone():
    def between(x: Any) -> Any:
        torch.set_grad_enabled(False)  # switched off
        x = x * 2  # after switching off
        torch.set_grad_enabled(True)
        return x

    cut = assert_cut_between(trace(net(between)), "no-grad", "after switching off")
    assert cut.grad_source is not None
    assert cut.grad_source.line == line_of("switched off")
    trace(net(lambda x: (torch.set_grad_enabled(False), x)[1]))
    assert torch.is_grad_enabled()


def test_inference_mode_cuts_the_gradient():
    def between(x: Any) -> Any:
        with torch.inference_mode():  # inference
            return x + 1  # inferred

    cut = assert_cut_between(trace(net(between)), "no-grad", "inferred")
    assert cut.grad_source is not None
    assert cut.grad_source.line == line_of("inference")


def test_item_leaves_torch():
    cut = assert_cut_between(trace(net(lambda x: torch.ones(4) * x.sum().item())), "escape", "item")  # item
    assert cut.target == "Tensor.item"


def test_numpy_leaves_torch_and_comes_back():
    def between(x: Any) -> Any:
        array = x.cpu().numpy()  # numpy
        return torch.from_numpy(array * 2)

    assert assert_cut_between(trace(net(between)), "escape", "numpy").target == "Tensor.numpy"


def test_argmax_is_not_differentiable():
    cut = assert_cut_between(trace(net(lambda x: x.argmax(-1).float())), "not-differentiable", "argmax")  # argmax
    assert cut.target == "Tensor.argmax"


def test_an_integer_cast_is_not_differentiable():
    found = trace(net(lambda x: x.to(torch.int64)))
    assert found.first_cut("first.weight") is ops_named(found, "Tensor.to")[0]


def test_the_values_of_max_carry_gradient_and_its_indices_do_not():
    assert trace(net(lambda x: x.max(dim=-1).values)).carries_gradient("first.weight")
    assert not trace(net(lambda x: x.max(dim=-1).indices)).carries_gradient("first.weight")


def test_a_value_rewrapped_as_a_parameter_is_a_new_leaf():
    cut = assert_cut_between(trace(net(lambda x: nn.Parameter(x))), "rewrap", "rewrapped")  # rewrapped
    assert cut.target == "torch.nn.Parameter"


def test_a_value_rewrapped_as_a_tensor_is_a_new_leaf():
    cut = assert_cut_between(trace(net(lambda x: torch.tensor(x))), "rewrap", "copied")  # copied
    assert cut.target == "torch.tensor"


def test_a_second_path_without_a_cut_keeps_the_gradient():
    found = trace(net(lambda x: x + x.detach()))
    assert found.carries_gradient("first.weight")
    assert found.first_cut("first.weight") is None


def test_writing_under_no_grad_keeps_the_history_of_the_tensor_written_to():
    def between(x: Any) -> Any:
        with torch.no_grad():
            x.mul_(2)
        return x

    assert trace(net(between)).carries_gradient("first.weight")


def test_a_value_written_into_a_buffer_tensor_flows_on():
    def between(x: Any) -> Any:
        whole = torch.zeros(2, 4)
        whole[0] = x
        return whole

    assert trace(net(between)).carries_gradient("first.weight")


# What is not used.


class Unused(Net):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(4, 4)
        self.wasted = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        self.wasted(x)
        return super().forward(x)


def test_an_unused_module_is_neither_called_nor_read():
    found = trace(Unused())
    assert "unused" not in found.called_modules
    assert "unused.weight" not in found.read_parameters
    assert not found.reaches_output("unused.weight")
    assert found.first_cut("unused.weight") is None


def test_a_dead_end_is_read_but_reaches_no_output():
    found = trace(Unused())
    assert "wasted.weight" in found.read_parameters
    assert not found.reaches_output("wasted.weight")
    assert not found.carries_gradient("wasted.weight")


def test_reading_only_the_shape_of_a_parameter_is_no_data_path():
    class ShapeOnly(Net):
        def forward(self, x: Any) -> Any:
            return self.last(x) + torch.zeros_like(self.first.bias) + self.first.weight.shape[0]

    found = trace(ShapeOnly())
    assert not found.reaches_output("first.weight")
    assert not found.reaches_output("first.bias")


# Signatures.


class Variadic(Net):
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return super().forward(*args, **kwargs)


class TwoVariadic(Net):
    def forward(self, *args: Any) -> Any:
        left, right = args
        return super().forward(left + right)


def wrapped(forward: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(forward)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        return forward(self, *args, **kwargs)

    return wrapper


def bare(forward: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return forward(*args, **kwargs)

    return wrapper


class Decorated(Net):
    @wrapped
    def forward(self, x: Any, mask: Any = None, scale: float = 2.0) -> Any:
        if mask is not None:
            x = x * mask
        return super().forward(x * scale)


class BarelyDecorated(Net):
    @bare
    def forward(self, x: Any, y: Any) -> Any:
        return super().forward(x + y)


@pytest.mark.parametrize("cls", [Variadic, TwoVariadic, Decorated, BarelyDecorated])
def test_variadic_and_decorated_forwards_are_traced(cls: type[Net]):
    found = trace(cls())
    assert (found.status, found.reason) == ("traced", "")
    assert found.carries_gradient("first.weight")


def test_absent_optional_inputs_are_none_and_not_inputs_of_the_graph():
    assert [op.target for op in trace(Decorated()).ops if op.kind == "input"] == ["x"]


class AllOptional(Net):
    def forward(self, tokens: Any = None, embeds: Any = None, targets: Any = None) -> Any:
        if (tokens is None) == (embeds is None):
            raise ValueError("give exactly one of tokens or embeds")
        if targets is None:
            raise ValueError("targets are needed")
        return super().forward(tokens) + targets


def test_optional_inputs_that_the_forward_asks_for_are_given():
    found = trace(AllOptional())
    assert found.status == "traced"
    assert [op.target for op in found.ops if op.kind == "input"] == ["tokens", "targets"]


# Regions that cannot be followed.


class Iterating(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return torch.stack([self.cell(step) for step in x])  # iteration


class Around(nn.Module):
    def __init__(self, middle: nn.Module) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.middle = middle
        self.last = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return self.last(self.middle(self.first(x)))


def test_iteration_over_a_value_makes_its_module_one_opaque_operation():
    found = trace(Around(Iterating()))
    assert found.status == "traced"
    (opaque,) = found.opaque
    assert opaque.module == "middle"
    assert opaque.target.endswith("Iterating")
    assert opaque.reason.startswith("iteration over a value of unknown length")
    assert opaque.source is not None
    assert opaque.source.line == line_of("iteration")
    assert {found.ops[index].slot for index in opaque.inputs} == {None, "middle.cell.weight", "middle.cell.bias"}
    assert all(found.carries_gradient(name) for name in ("first.weight", "middle.cell.weight", "last.weight"))
    assert found.graph is not None and len(found.graph.nodes) == len(found.ops)


def test_iteration_is_followed_when_the_inputs_tell_the_length():
    found = trace(Around(Iterating()), inputs=(torch.zeros(3, 4),))
    assert not found.opaque
    assert sum(op.module == "middle.cell" and op.target == "torch.nn.functional.linear" for op in found.ops) == 3


class DataDependent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(4, 4)
        self.other = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        y = self.one(x)
        if y.sum() > 0:  # data dependent
            return y
        return self.other(y)


def test_a_data_dependent_if_in_a_submodule_is_opaque_and_the_trace_goes_on():
    found = trace(Around(DataDependent()))
    assert found.status == "traced"
    (opaque,) = found.opaque
    assert opaque.reason == "control flow depends on the value of a tensor made by `gt`"
    assert opaque.source is not None
    assert (opaque.source.line, opaque.source.code) == (line_of("data dependent"), "if y.sum() > 0:  # data dependent")
    assert not any(op.module == "middle.one" and op.kind == "call" for op in found.ops)
    assert "middle.other.weight" in found.read_parameters
    assert found.carries_gradient("first.weight")


def test_a_data_dependent_if_at_the_top_stops_the_trace_and_names_the_line():
    found = trace(DataDependent())
    assert found.status == "stopped"
    assert found.reason == "control flow depends on the value of a tensor made by `gt`"
    assert found.source is not None
    assert found.source.line == line_of("data dependent")
    assert not any(op.kind == "output" for op in found.ops)
    assert not found.reaches_output("one.weight")


def _clipped(x: Any) -> Any:
    if x.abs().max() > 1:  # in a helper
        return x / x.abs().max()
    return x


class Helping(Net):
    def forward(self, x: Any) -> Any:
        return self.last(_clipped(self.first(x)))


def test_a_helper_function_that_cannot_be_followed_is_opaque_by_itself():
    helper = _clipped
    found = trace(Helping())
    assert found.status == "traced"
    (opaque,) = found.opaque
    assert opaque.target.endswith("_clipped")
    assert opaque.source is not None
    assert opaque.source.line == line_of("in a helper")
    assert found.carries_gradient("first.weight")
    assert _clipped is helper


def test_size_conditions_are_assumed_and_reported():
    class Sized(Net):
        def forward(self, x: Any) -> Any:
            if x.shape[-1] != 4:  # size condition
                raise ValueError("four features expected")
            batch, features = x.shape
            for _ in range(x.size(0)):  # size loop
                x = super().forward(x)
            return x.view(batch * features // 4, -1)

    found = trace(Sized())
    assert (found.status, found.reason) == ("traced", "")
    assert {line.line for line in found.assumed} == {line_of("size condition"), line_of("size loop")}
    assert trace(Sized(), inputs=(torch.zeros(2, 4),)).assumed == ()


class Raising(nn.Module):
    def forward(self, x: Any) -> Any:
        raise RuntimeError("no such luck")  # raises


class Endless(nn.Module):
    def forward(self, x: Any) -> Any:
        return self(x)


class Exiting(nn.Module):
    def forward(self, x: Any) -> Any:
        raise SystemExit(3)


class Interrupted(nn.Module):
    def forward(self, x: Any) -> Any:
        raise KeyboardInterrupt


def test_no_exception_of_the_model_escapes():
    found = trace(Raising())
    assert (found.status, found.reason) == ("stopped", "RuntimeError: no such luck")
    assert found.source is not None
    assert found.source.line == line_of("raises")
    assert trace(Endless()).status in ("stopped", "traced")
    assert trace(Exiting()).reason == "SystemExit: 3"
    assert trace(nn.Module()).status == "stopped"
    with pytest.raises(KeyboardInterrupt):
        trace(Interrupted())
    assert trace(Net()).status == "traced"


# Containers of modules.


class Layers(nn.Module):
    def __init__(self, keep: str) -> None:
        super().__init__()
        layers = [nn.Linear(4, 4), nn.Linear(4, 4)]
        self.head = nn.Linear(4, 2)
        self.layers: Any = {
            "list": lambda: nn.ModuleList(layers),
            "dict": lambda: nn.ModuleDict({"a": layers[0], "b": layers[1]}),
            "plain": lambda: layers,
        }[keep]()

    def forward(self, x: Any) -> Any:
        layers = self.layers.values() if isinstance(self.layers, nn.ModuleDict) else self.layers
        for layer in layers:
            x = torch.relu(layer(x))
        return self.head(x)


@pytest.mark.parametrize(("keep", "name"), [("list", "layers.1"), ("dict", "layers.b")])
def test_module_containers_are_followed(keep: str, name: str):
    found = trace(Layers(keep))
    assert name in found.called_modules
    assert found.carries_gradient(f"{name}.weight")


def test_layers_in_a_plain_list_are_read_though_they_have_no_name():
    found = trace(Layers("plain"))
    assert found.status == "traced" and not found.opaque
    unnamed = [op for op in found.ops if op.kind == "parameter" and op.target == "<Parameter (4, 4)>"]
    assert len(unnamed) == 2
    assert found.read_parameters == {"head.weight", "head.bias"}


# Checkpoints, custom functions, hooks.


class Checkpointed(Net):
    def forward(self, x: Any) -> Any:
        return self.last(checkpoint(self.first, x, use_reentrant=self.reentrant))

    reentrant = False


def test_a_checkpoint_is_one_operation_of_its_name():
    found = trace(Checkpointed())
    (op,) = ops_named(found, "torch.utils.checkpoint.checkpoint")
    assert op.cut == ""
    assert found.carries_gradient("first.weight")


def test_a_reentrant_checkpoint_whose_inputs_need_no_gradient_cuts_it():
    model = Checkpointed()
    model.reentrant = True
    found = trace(model)
    cut = found.first_cut("first.weight")
    assert cut is not None
    assert (cut.target, cut.cut) == ("torch.utils.checkpoint.checkpoint", "reentrant-checkpoint")


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        raise AssertionError("executed")

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise AssertionError("executed")


doubled = Doubled.apply


def test_a_custom_function_is_one_operation_and_is_not_executed():
    class Custom(Net):
        def forward(self, x: Any) -> Any:
            return self.last(Doubled.apply(self.first(x)) + doubled(x))

    found = trace(Custom())
    assert len(ops_named(found, "Doubled")) == 2
    assert found.carries_gradient("first.weight")


class Doubling(nn.Module):
    def forward(self, x: Any) -> Any:
        return 2 * x


def test_parametrized_weights_are_read_through_their_parametrization():
    model = Net()
    parametrize.register_parametrization(model.first, "weight", Doubling())
    found = trace(model)
    assert found.carries_gradient("first.parametrizations.weight.original")
    assert "first.parametrizations.weight.0" in found.called_modules


def test_weight_norm_by_hooks_is_read_through_its_parts():
    model = Net()
    with pytest.warns(FutureWarning):
        nn.utils.weight_norm(model.first)
    before = vars(model.first)["weight"]
    found = trace(model)
    assert found.carries_gradient("first.weight_g") and found.carries_gradient("first.weight_v")
    assert vars(model.first)["weight"] is before


# Modules of torch.


class Sequences(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(8, 2)

    def forward(self, x: Any) -> Any:
        output, _ = self.layer(x)
        return self.head(output[:, -1])


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.attention(x, x, x)[0]


def _transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sequences(nn.GRU(8, 8, batch_first=True)),
        lambda: Sequences(nn.LSTM(8, 8, num_layers=2, batch_first=True)),
        lambda: Sequences(nn.RNN(8, 8)),
        Attending,
        _transformer,
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)),
        lambda: nn.Sequential(nn.Embedding(8, 4), nn.LayerNorm(4), nn.Dropout(), nn.Linear(4, 1)),
        lambda: nn.GRUCell(4, 4),
    ],
    ids=["GRU", "LSTM", "RNN", "MultiheadAttention", "TransformerEncoder", "convolutions", "embedding", "GRUCell"],
)
def test_the_modules_of_torch_are_traced_and_read_all_their_parameters(make: Callable[[], nn.Module]):
    model = make()
    found = trace(model)
    assert (found.status, found.reason) == ("traced", "")
    assert found.read_parameters == {name for name, _ in model.named_parameters()}
    assert all(found.carries_gradient(name) for name, _ in model.named_parameters())


def test_a_recurrent_module_is_one_call():
    found = trace(Sequences(nn.LSTM(8, 8)))
    (call,) = ops_named(found, "torch.nn.LSTM")
    assert {found.ops[index].kind for index in call.inputs} == {"input", "parameter"}


# Outputs.


@dataclasses.dataclass
class Output:
    logits: Any
    hidden: dict[str, Any]


class Structured(Net):
    def forward(self, x: Any) -> Any:
        y = self.first(x)
        return Output(self.last(y), {"hidden": [y.detach()]})


def test_outputs_in_dataclasses_and_dicts_are_found():
    found = trace(Structured())
    (output,) = [op for op in found.ops if op.kind == "output"]
    assert len(output.inputs) == 2
    assert found.carries_gradient("first.weight")


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(4, 4)
        self.out = nn.Linear(4, 4)

    def gated(self, x: Any) -> Any:
        if x.mean() > 0:
            return self.gate(x)
        return x

    def forward(self, x: Any) -> Any:
        return self.out(self.gated(x))


def test_a_method_that_cannot_be_followed_reads_the_parameters_of_its_own_instance():
    found = trace(nn.Sequential(Gated(), Gated(), nn.Linear(4, 4)))
    assert found.status == "traced"
    assert [(op.module, op.target.endswith("Gated.gated")) for op in found.opaque] == [("0", True), ("1", True)]
    for index, op in enumerate(found.opaque):
        slots = {found.ops[source].slot for source in op.inputs} - {None}
        assert slots == {f"{index}.gate.weight", f"{index}.gate.bias"}


# Nothing is left behind.


class Messy(Net):
    count = 0

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("steps", torch.zeros(3))
        self.history: list[Any] = ["before"]
        self.cache: Any = None
        self.norm = nn.BatchNorm1d(4)
        self.first.register_forward_hook(lambda module, args, output: output * 2)

    fails = False

    def forward(self, x: Any) -> Any:
        self.count += 1
        type(self).count += 1
        self.history.append(x)
        self.cache = x
        self.steps += 1
        self.eval()
        torch.manual_seed(0)
        random.random()
        self.first.weight.requires_grad_(False)
        self.last.weight.requires_grad = False
        self.first.bias.grad = torch.ones(4)
        self.extra = nn.Linear(4, 4)
        self.register_forward_hook(lambda *_: None)
        y = super().forward(self.norm(x) + torch.rand(4))
        with torch.no_grad():
            self.first.weight.zero_()
            if self.fails:
                raise RuntimeError("in the middle")
        return y


def _state(model: nn.Module) -> Iterator[object]:
    for module in model.modules():
        yield type(module), module.training, list(vars(module)), list(module._forward_hooks), list(module._parameters)
        yield [id(value) for value in vars(module).values() if not isinstance(value, dict)]
    for tensor in (*model.parameters(), *model.buffers()):
        yield id(tensor), tensor.tolist(), tensor.requires_grad, tensor.grad, tensor._version, tensor.data_ptr()
    yield torch.get_rng_state().tolist(), random.getstate(), torch.is_grad_enabled()
    for cls in (nn.Module, nn.Parameter, torch.autograd.Function, torch.inference_mode, nn.GRU, nn.MultiheadAttention):
        yield {name: id(value) for name, value in vars(cls).items() if name != "__abstractmethods__"}
    yield id(torch.from_numpy), id(torch.utils.checkpoint.checkpoint), id(checkpoint), doubled


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_untouched(fails: bool):
    model = Messy()
    model.fails = fails
    before = list(_state(model))
    found = trace(model)
    assert found.status == ("stopped" if fails else "traced")
    assert list(_state(model)) == before
    assert model.history == ["before"] and model.cache is None
    assert Messy.count == 0


def test_nothing_is_computed():
    class Large(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(1 << 16, 1 << 16, device="meta")

        def forward(self, x: Any) -> Any:
            return self.linear(torch.rand(1 << 20, 1 << 16) + x)

    assert trace(Large()).carries_gradient("linear.weight")


def test_a_trace_keeps_no_tensor_alive():
    import gc
    import weakref

    model = Net()
    parameter = weakref.ref(model.first.weight)
    found = trace(model)
    del model
    gc.collect()
    assert parameter() is None
    assert found.status == "traced"


def test_a_chain_of_many_operations_is_answered_without_recursion():
    class Long(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def forward(self, x: Any) -> Any:
            y = self.weight
            for _ in range(3000):
                y = y + 1
            return x * y

    found = trace(Long())
    assert len(found.ops) > 3000
    assert found.carries_gradient("weight")


# What a program says about the shapes of its tensors.


def starred(x: Any) -> Any:
    batch, width, heads, device = *x.shape, 2, x.device
    assert device is not None
    return x.view(batch, heads, width // heads).flatten(1)


def starred_behind(x: Any) -> Any:
    heads, *_, width = 2, *x.shape
    return x.view(-1, heads, width // heads).flatten(1)


def starred_on_both_sides(x: Any) -> Any:
    *_, width, kind = *x.shape, x.dtype
    return x.to(kind).view(-1, width)


def taken_apart_twice(x: Any) -> Any:
    batch, width = x.size()
    assert list(x.size()) == [batch, width]
    assert x.dim() == len(x.shape) == 2
    return x


def compared_with_a_tuple(x: Any) -> Any:
    batch, width = x.shape
    out = x.t().t()
    if out.size() != (batch, width):
        raise ValueError(f"of shape {out.size()}")
    return out if out.shape == (batch, width) else out.detach()


@pytest.mark.parametrize(
    "between", [starred, starred_behind, starred_on_both_sides, taken_apart_twice, compared_with_a_tuple]
)
def test_shapes_are_taken_apart_as_the_program_says(between: Callable[[Any], Any]):
    model = net(between)
    model(torch.ones(3, 4)).sum().backward()
    found = trace(model)
    assert (found.status, found.reason) == ("traced", "")
    assert not [op for op in found.ops if op.kind == "opaque"]
    if between is not compared_with_a_tuple:  # there the way is assumed
        assert found.carries_gradient("first.weight")


def made_by_default(value: Any, default: Any) -> Any:
    return value if value is not None else (default() if callable(default) else default)


def test_a_tensor_is_not_callable_and_what_nobody_knows_is():
    found = trace(net(lambda x: made_by_default(None, x.relu())))
    assert found.status == "traced"
    assert found.carries_gradient("first.weight")

    class Given(Net):
        def forward(self, make: Any) -> Any:
            return self.last(self.first(make())) if callable(make) else None

    assert trace(Given()).carries_gradient("first.weight")


class Labelled(nn.Module):
    """A part that is given a label by the model, under a name of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(3, 4)

    def forward(self, index: Any) -> Any:
        return self.table(index.view(index.shape[0]))


class LabelsHandedOn(Net):
    def __init__(self) -> None:
        super().__init__()
        self.part = Labelled()

    def forward(self, x: Any, labels: Any = None, weights: Any = None) -> Any:
        return self.last(self.first(x) + self.part(labels)) * (1 if weights is None else weights)


def test_an_optional_input_that_a_part_asks_for_under_another_name_is_given():
    found = trace(LabelsHandedOn())
    assert found.carries_gradient("part.table.weight")
    assert [op.target for op in found.ops if op.kind == "input"] == ["x", "labels"]


def checked(x: Any) -> Any:
    assert x.max().item() <= 3
    assert not (x > 5).any(), "too large"
    if torch.isnan(x).any():
        raise ValueError("not a number")
    return x


def test_a_check_of_the_data_is_passed_as_a_program_that_works_passes_it():
    found = trace(net(checked))
    assert found.status == "traced" and found.carries_gradient("first.weight")
    assert len(found.assumed) == 3
    assert ["a check of the data is taken as passed" in obstacle for obstacle in found.obstacles[:3]] == [True] * 3

    def chosen(x: Any) -> Any:
        if x.max() > 3:
            return x.detach()
        return x

    assert "control flow depends" in trace(net(chosen)).reason
