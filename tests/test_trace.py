"""`fxaudit.trace`: a graph that lints, prints, runs, and says of each node what the trace knows."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import fxaudit
from fxaudit.errors import InvalidInputsError, InvalidModelError, UnknownFormatError
from tests.cli.processes import forked
from tests.test_graph import blocks

X = torch.linspace(-1, 1, 12).reshape(3, 4)


def tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for item in items for tensor in tensors(item)]


def assert_same(model: nn.Module, given: Any, found: fxaudit.Trace, **more: Any) -> None:
    """The graph of `found` computes what the model does, and brings the same gradients."""
    assert found.status == "traced" and found.runs, found.obstacles
    program = torch.fx.GraphModule(model, found.graph)
    program.graph.lint()
    assert "def forward" in program.print_readable(print_output=False)
    named = given if isinstance(given, dict) else None
    args = () if named else (given,) if isinstance(given, torch.Tensor) else given
    answers, gradients = [], []
    for call in (lambda: model(*args, **(named or {}), **more), lambda: program(*(named.values() if named else args))):
        model.zero_grad()
        torch.manual_seed(0)
        out = tensors(call())
        alive = [one for one in out if one.requires_grad]
        if alive:
            sum(one.float().square().sum() for one in alive).backward()
        answers.append([one.detach() for one in out])
        gradients.append({n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})
    assert len(answers[0]) == len(answers[1]) and answers[0]
    for a, b in zip(*answers, strict=True):
        torch.testing.assert_close(a, b)
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-4, atol=1e-5)


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * 2


class Trait(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("offset", torch.ones(4))
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))


class Plain(Trait):
    def forward(self, x: Any) -> Any:
        return self.last(torch.relu(self.first(x)) + self.offset)


class Sizes(Trait):
    def forward(self, x: Any) -> Any:
        rows, columns = x.shape
        h = self.first(x).view(rows, 2, columns // 2).transpose(1, 2).reshape(x.size(0), -1)
        return h / x.shape[-1] + torch.zeros(x.shape[0], 1), 2 - x.shape[1]


class Written(Trait):
    def forward(self, x: Any) -> Any:
        h = self.first(x).clone()
        h[:, 0] = 1.0
        h.mul_(2)
        part = h[:, 1:3]
        part.add_(1)
        return self.last(h)


class NoGrad(Trait):
    def forward(self, x: Any) -> Any:
        h = self.first(x)
        with torch.no_grad():
            gate = self.last(h).sigmoid()
        return self.norm(h * gate) + h.detach()


class Several(Trait):
    def forward(self, x: Any) -> Any:
        a, b = self.first(x).chunk(2, -1)
        values, indices = a.max(dim=-1)
        return {"a": a, "both": (b, [values, indices]), "none": None}


class Looped(Trait):
    def forward(self, x: Any) -> Any:
        for index, layer in enumerate(self.layers):
            x = x + layer(x) * (index + 1)
        return x.T


class Checkpointed(Trait):
    def forward(self, x: Any) -> Any:
        return self.last(checkpoint(self.first, x, use_reentrant=False))


class Custom(Trait):
    def forward(self, x: Any) -> Any:
        return Doubled.apply(self.first(x))


class Attention(Trait):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.cell = nn.LSTM(4, 4, batch_first=True)

    def forward(self, x: Any) -> Any:
        h = self.first(x)[None]
        out, _ = self.attention(h, h, h)
        out, (hidden, _) = self.cell(out)
        return out, hidden


class Scaled(Trait):
    def forward(self, x: Any) -> Any:
        q = self.first(x)[None, None]
        return F.scaled_dot_product_attention(q, q, self.last(q), is_causal=True).squeeze()


class Tied(Trait):
    def __init__(self) -> None:
        super().__init__()
        self.last.weight = self.first.weight

    def forward(self, x: Any) -> Any:
        return self.last(self.first(x))


class Item(Trait):
    def forward(self, x: Any) -> Any:
        h = self.first(x)
        return h * h.abs().max().item()


KINDS = [Plain, Sizes, Written, NoGrad, Several, Looped, Checkpointed, Custom, Attention, Scaled, Tied, Item]


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_computes_what_the_model_computes(kind: type[Trait]) -> None:
    torch.manual_seed(0)
    model = kind().eval()
    assert_same(model, X, fxaudit.trace(model, X))


@pytest.mark.parametrize("kind", [Plain, Sizes, Several, Checkpointed, Custom])
def test_it_does_so_without_inputs_where_nothing_is_assumed(kind: type[Trait]) -> None:
    torch.manual_seed(0)
    model = kind().eval()
    found = fxaudit.trace(model)
    assert_same(model, X, found)
    program = torch.fx.GraphModule(model, found.graph)
    longer = torch.randn(7, 4)
    torch.testing.assert_close(tensors(program(longer)), tensors(model(longer)))


def test_a_custom_function_whose_apply_is_written_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is since PyTorch 2.14: no function of Python, but a descriptor of C."""
    written_in_c = vars(torch._C._FunctionBase)["apply"]
    monkeypatch.setattr(torch.autograd.Function, "apply", written_in_c)
    model = Custom().eval()
    monkeypatch.setitem(globals(), "doubled", Doubled.apply)  # bound before the trace, as users do
    found = fxaudit.trace(model, X)
    assert [op.target for op in found.ops if op.kind == "call"].count("Doubled") == 1
    assert_same(model, X, found)
    assert vars(torch.autograd.Function)["apply"] is written_in_c
    assert globals()["doubled"] == Doubled.apply


def test_what_was_assumed_is_an_obstacle() -> None:
    class Asking(Trait):
        def forward(self, x: Any) -> Any:
            return self.first(x) if x.shape[0] > 2 else self.last(x)

    found = fxaudit.trace(Asking())
    assert not found.runs and "a size that nobody knows" in found.obstacles[0]
    assert fxaudit.trace(Asking(), X).runs


@pytest.mark.parametrize("what", ["autocast", "numpy", "a foreign tensor", "a slot"])
def test_what_a_graph_cannot_say_is_an_obstacle(what: str) -> None:
    foreign = torch.ones(4)

    class Model(Trait):
        def forward(self, x: Any) -> Any:
            if what == "autocast":
                with torch.autocast("cpu", torch.bfloat16):
                    return self.first(x)
            if what == "numpy":
                return self.first(x) + torch.from_numpy(self.last(x).detach().numpy() * 2)
            if what == "a slot":
                self.first.weight = self.first.weight * 2
            return self.first(x) + foreign

    assert not fxaudit.trace(Model(), X if what != "autocast" else None).runs


def test_a_trace_that_stops_says_where() -> None:
    class Stopping(Trait):
        def forward(self, x: Any) -> Any:
            h = self.first(x)
            if h.sum() > 0:  # stops
                h = self.last(h)
            return h

    found = fxaudit.trace(Stopping())
    assert found.status == "stopped" and "control flow" in found.reason
    assert found.source is not None and "h.sum() > 0" in found.source.code
    assert not found.runs and str(found).startswith("stopped after")
    found.graph.lint()


def test_nodes_say_what_the_trace_knows() -> None:
    model = NoGrad()
    found = fxaudit.trace(model, X)
    by_name = {node.name: node for node in found.graph.nodes}
    sigmoid = by_name["sigmoid"].meta
    assert sigmoid["fxaudit"].cut == "no-grad" and sigmoid["fxaudit"].parameters == ()
    assert "gate = self.last(h).sigmoid()" in sigmoid["stack_trace"]
    assert Path(sigmoid["stack_trace"].split('"')[1]).name == "test_trace.py"
    first = by_name["linear"].meta
    assert list(first["nn_module_stack"].values()) == [("", NoGrad), ("first", nn.Linear)]
    assert first["fxaudit"].module == "first" and first["fxaudit"].carries_gradient
    output = next(node for node in found.graph.nodes if node.op == "output")
    assert set(output.meta["fxaudit"].parameters) == {"first.weight", "first.bias", "norm.weight", "norm.bias"}


def test_the_tools_of_fx_work_on_it() -> None:
    from torch.fx.passes.graph_drawer import FxGraphDrawer
    from torch.fx.passes.shape_prop import ShapeProp

    model = Plain()
    program = torch.fx.GraphModule(model, fxaudit.trace(model, X).graph)
    torch.testing.assert_close(torch.fx.Interpreter(program).run(X), model(X))
    ShapeProp(program).propagate(X)
    assert [node.meta["tensor_meta"].shape for node in program.graph.nodes if node.name == "relu"] == [(3, 4)]
    torch.testing.assert_close(torch.fx.Transformer(program).transform()(X), model(X))
    drawn = FxGraphDrawer(program, "x").get_dot_graph()
    assert {node.get_name().strip('"') for node in drawn.get_nodes()} >= {node.name for node in program.graph.nodes}


def test_nothing_of_the_model_changes() -> None:
    model = Written()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fxaudit.trace(model, X)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_concrete_arguments_are_handed_on() -> None:
    class Choosing(Trait):
        def forward(self, x: Any, other: Any = None, twice: bool = False) -> Any:
            h = self.first(x)
            return self.last(h) if twice else h

    model = Choosing()
    assert not [op for op in fxaudit.trace(model, X).ops if op.slot == "last.weight"]
    found = fxaudit.trace(model, X, {"twice": True})
    assert [op for op in found.ops if op.slot == "last.weight"]
    assert_same(model, X, found, twice=True)
    assert_same(model, {"x": X}, fxaudit.trace(model, {"x": X}, {"twice": True}), twice=True)
    assert fxaudit.trace(model, None, {"twice": True}).status == "traced"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ((Plain,), InvalidModelError),
        ((None,), InvalidModelError),
        ((Plain(), 3), InvalidInputsError),
        ((Plain(), {1: X}), InvalidInputsError),
        ((Plain(), X, {"nothing": 1}), InvalidInputsError),
        ((Plain(), X, [1]), InvalidInputsError),
        ((Plain(), {"x": X}, {"x": X}), InvalidInputsError),
    ],
)
def test_bad_input_is_refused(given: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"Expected|names|keys|Give it once"):
        fxaudit.trace(*given)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_odd_models_get_a_trace_and_a_reason() -> None:
    class Nothing(nn.Module):
        pass

    class Fails(nn.Module):
        def forward(self, x: Any) -> Any:
            raise RuntimeError("out of coffee")

    for model in (Nothing(), Fails(), nn.Identity(), nn.LazyLinear(3), torch.jit.script(nn.Linear(2, 2))):
        found = fxaudit.trace(model)
        found.graph.lint()
        assert found.runs or found.obstacles
    assert "out of coffee" in fxaudit.trace(Fails()).reason
    assert fxaudit.trace(Plain(), ()).status == "stopped"


def test_it_is_saved_in_many_forms(tmp_path: Path) -> None:
    found = fxaudit.trace(NoGrad(), X)
    document = json.loads(found.save(tmp_path / "x.json").read_text())
    assert [op["cut"] for op in document["ops"] if op["cut"] == "detach"] == ["detach"]
    assert "def forward" in found.save(tmp_path / "x.py").read_text()
    assert "gradient ends here (no-grad)" in found.save(tmp_path / "x.txt").read_text()
    assert found.save(tmp_path / "x.dot").read_text().startswith("digraph")
    assert "<svg" in found.save(tmp_path / "x.svg").read_text()
    with pytest.raises(UnknownFormatError, match="xyz"):
        found.save(tmp_path / "x.xyz")


def test_the_command_line_prints_and_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.py").write_text("from torch import nn\n\n\ndef make():\n    return nn.Linear(2, 2)\n")
    monkeypatch.chdir(tmp_path)
    ended = forked(["trace", "--ops", "net.py:make", "-o", "x.dot", "-o", "x.json"], tmp_path)
    assert ended.status == 0, ended
    assert "traced to the end: 5 operations" in ended.out and "torch.nn.functional.linear" in ended.out
    assert (tmp_path / "x.dot").exists() and json.loads((tmp_path / "x.json").read_text())["status"] == "traced"


def test_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.py").write_text(blocks("trace.md"), encoding="utf-8")
    exec(compile(blocks("trace.md"), str(tmp_path / "page.py"), "exec"), {"__name__": "page"})
    assert "gradient ends here (detach)" in capsys.readouterr().out


# -- public models -----------------------------------------------------------------------------------------------

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 50}
IMAGE = {**SIZES, "image_size": 32, "patch_size": 8}
STAGES = {"hidden_sizes": [8, 16], "depths": [1, 1]}
PUBLIC: list[tuple[str, str, dict[str, Any]]] = [
    ("Bert", "Model", SIZES),
    ("Roberta", "Model", {**SIZES, "max_position_embeddings": 60}),
    ("DistilBert", "Model", {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "vocab_size": 50}),
    ("Albert", "Model", {**SIZES, "embedding_size": 8}),
    ("Electra", "Model", {**SIZES, "embedding_size": 8}),
    ("MPNet", "Model", SIZES),
    ("Bloom", "Model", {"hidden_size": 16, "n_layer": 2, "n_head": 2, "vocab_size": 50}),
    ("T5", "EncoderModel", {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2, "vocab_size": 50}),
    ("GPT2", "Model", {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 50}),
    ("Llama", "Model", {**SIZES, "num_key_value_heads": 2}),
    ("Qwen2", "Model", {**SIZES, "num_key_value_heads": 2}),
    ("ViT", "Model", IMAGE),
    ("DeiT", "Model", IMAGE),
    ("Dinov2", "Model", IMAGE),
    ("ResNet", "Model", {**STAGES, "embedding_size": 8}),
    ("ConvNext", "Model", {**STAGES, "num_stages": 2}),
    ("RegNet", "Model", {**STAGES, "embedding_size": 8, "groups_width": 8}),
    ("MobileNetV2", "Model", {"image_size": 32}),
    ("Swin", "Model", {"image_size": 32, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4}),
    ("Pvt", "Model", {"image_size": 32, "hidden_sizes": [8] * 4, "depths": [1] * 4, "num_attention_heads": [1] * 4}),
]
ASSUMES = {"GPT2", "Llama", "Qwen2"}
"""Their masks depend on whether the values of the positions come in order, which only a run tells."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "head", "config"), PUBLIC, ids=[name for name, _, _ in PUBLIC])
def test_public_models_are_followed_to_the_end(name: str, head: str, config: dict[str, Any]) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    made = getattr(transformers, f"{name}Config")(**config)
    model = getattr(transformers, f"{name}{head}")(made).eval()
    words = "vocab_size" in config and "image_size" not in config
    given = {"input_ids": torch.arange(10).reshape(2, 5)} if words else {"pixel_values": torch.randn(2, 3, 32, 32)}
    more = {"use_cache": False} if name in ASSUMES | {"Bloom"} else {}
    found = fxaudit.trace(model, given, more)
    assert found.status == "traced"
    torch.fx.GraphModule(model, found.graph).graph.lint()
    if name in ASSUMES:
        assert found.obstacles
    else:
        assert_same(model, given, found, **more)
