"""A zoo of small training steps, one trait each, with the verdict on every parameter beside it.

`@specimen("pattern", verdict, …)` says what differs from `trained`; `others` lists what the audit must name besides
`named_parameters()`: unregistered and stale tensors.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import fnmatch
import functools
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune
from torch.utils.checkpoint import checkpoint

import fxaudit

__all__ = ["ZOO", "Specimen", "Training", "report_on"]


@dataclasses.dataclass
class Training:
    """What a user has just before the loop."""

    model: nn.Module | dict[str, nn.Module]
    loss: Callable[[], Any]
    optimizers: list[Any]

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters under the names a report gives them."""
        if isinstance(self.model, nn.Module):
            return dict(self.model.named_parameters())
        return {f"{root}.{name}": p for root, model in self.model.items() for name, p in model.named_parameters()}


@dataclasses.dataclass(frozen=True)
class Specimen:
    """One trait: how to make it, and what is true of it."""

    name: str
    build: Callable[[], Training]
    verdicts: Mapping[str, str]
    others: Mapping[str, str]

    def make(self, seed: int = 0) -> Training:
        """Fresh, seeded objects; two calls with one seed give the same numbers."""
        torch.manual_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some traits are deprecated ways of doing things
            return self.build()

    def verdict(self, name: str) -> str:
        """What is true of the parameter `name`."""
        return next((v for pattern, v in self.verdicts.items() if fnmatch.fnmatchcase(name, pattern)), "trained")

    def expected(self, training: Training) -> dict[str, str]:
        """Every name that a report must list, with its verdict."""
        return {**{name: self.verdict(name) for name in training.named_parameters()}, **self.others}


ZOO: dict[str, Specimen] = {}


def specimen(
    *verdicts: str, others: Mapping[str, str] | None = None
) -> Callable[[Callable[[], Training]], Callable[[], Training]]:
    def register(build: Callable[[], Training]) -> Callable[[], Training]:
        pairs = dict(zip(verdicts[::2], verdicts[1::2], strict=True))
        ZOO[build.__name__] = Specimen(build.__name__, build, pairs, dict(others or {}))
        return build

    return register


@functools.cache
def report_on(name: str) -> fxaudit.Report:
    """The audit of a specimen, made once for all the tests that look at it."""
    training = ZOO[name].make()
    return fxaudit.audit(training.model, training.loss, training.optimizers)


def sgd(model: nn.Module, lr: float = 0.1) -> torch.optim.SGD:
    return torch.optim.SGD(model.parameters(), lr=lr)


def weight(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape))


class Layers(nn.Module):
    """The named parts it is given, and a forward that is a plain function of itself and the input."""

    def __init__(self, forward: Callable[[Any, torch.Tensor], Any], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.__dict__["rule"] = forward

    def forward(self, x: torch.Tensor) -> Any:
        return self.rule(self, x)


def step_of(forward: Callable[[Any, torch.Tensor], torch.Tensor], **parts: Any) -> Training:
    """The usual step: eight rows of four features, the mean square of the output, SGD over everything."""
    model = Layers(forward, **parts)
    x = torch.randn(8, 4)
    return Training(model, lambda: model(x).square().mean(), [sgd(model)])


# -- how values flow ---------------------------------------------------------------------------------------------------


@specimen()
def plain_mlp() -> Training:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    x, y = torch.randn(16, 4), torch.randn(16, 1)
    return Training(model, lambda: F.mse_loss(model(x), y), [torch.optim.AdamW(model.parameters(), lr=1e-2)])


@specimen()
def torch_functions() -> Training:
    return step_of(lambda m, x: torch.add(torch.matmul(torch.tanh(x), m.w), m.b), w=weight(4, 3), b=weight(3))


@specimen()
def tensor_methods() -> Training:
    return step_of(lambda m, x: x.mul(m.s).matmul(m.w).transpose(0, 1).sigmoid(), s=weight(4), w=weight(4, 3))


@specimen()
def operators() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return ((2 - x) @ m.w + -m.b) * m.s / (1 + m.d**2) - 3 * m.t

    return step_of(forward, w=weight(4, 3), b=weight(3), s=weight(3), d=weight(3), t=weight(3))


@specimen()
def in_place_operations() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = x @ m.w
        y.add_(m.b).mul_(2)
        y += m.c
        return F.leaky_relu(y, inplace=True)

    return step_of(forward, w=weight(4, 3), b=weight(3), c=weight(3))


@specimen()
def written_slices() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        buffer = torch.zeros(3, 4)
        buffer[0] = m.p * 2
        buffer[1:2] += m.q
        buffer.view(-1)[8:].copy_(m.r)
        return x @ buffer.T

    return step_of(forward, p=weight(4), q=weight(4), r=weight(4))


@specimen()
def read_through_a_view_written_elsewhere() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        base = torch.zeros(4, 4)
        row, column = base[1], base[:, 2]
        row.add_(m.p)
        base.diagonal().add_(m.q)
        return (x * column).sum() + (x * row).sum()

    return step_of(forward, p=weight(4), q=weight(4))


@specimen("w", "unreachable")
def written_with_out() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        buffer = torch.empty(4)
        with torch.no_grad():
            torch.mul(m.w, 2, out=buffer)
        return x * buffer @ m.v

    return step_of(forward, w=weight(4), v=weight(4, 1))


class Pair(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


@dataclasses.dataclass
class Output:
    hidden: torch.Tensor
    extra: dict[str, Any]


@specimen("c.*", "unreachable")
def nested_results() -> Training:
    def forward(m: Any, x: torch.Tensor) -> Output:
        return Output(m.a(x), {"pair": Pair(m.b(x), m.c(x)), "more": collections.OrderedDict(deep=[(m.d(x),)])})

    model = Layers(forward, **{name: nn.Linear(4, 2) for name in "abcd"})
    x = torch.randn(8, 4)

    def loss() -> torch.Tensor:
        out = model(x)
        return (out.hidden + out.extra["pair"].left + out.extra["more"]["deep"][0][0]).square().mean()

    return Training(model, loss, [sgd(model)])


@specimen()
def sparse_embedding() -> Training:
    model = nn.Sequential(nn.Embedding(10, 4, sparse=True), nn.Linear(4, 1))
    ids = torch.randint(0, 10, (6,))
    optimizers = [torch.optim.SparseAdam(model[0].parameters(), lr=0.1), sgd(model[1])]
    return Training(model, lambda: model(ids).square().mean(), optimizers)


@specimen()
def embedding_by_index() -> Training:
    ids = torch.randint(0, 10, (8,))
    return step_of(
        lambda m, x: (x * m.table[ids]).index_select(1, ids[:2] % 4) @ m.w, table=weight(10, 4), w=weight(2, 1)
    )


@specimen()
def scatter_and_gather() -> Training:
    index = torch.randint(0, 4, (8, 4))
    return step_of(lambda m, x: torch.zeros(8, 4).scatter_add(1, index, x * m.w).gather(1, index), w=weight(4))


@specimen()
def complex_parameters() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.irfft(torch.fft.rfft(x) * m.filter, n=4) + torch.polar(m.radius, m.angle).real

    filter_ = nn.Parameter(torch.randn(3, dtype=torch.complex64))
    return step_of(forward, filter=filter_, radius=weight(4), angle=weight(4))


@specimen()
def vmap_over_rows() -> Training:
    return step_of(lambda m, x: torch.vmap(lambda row: torch.tanh(row @ m.w) * m.s)(x), w=weight(4, 3), s=weight(3))


@specimen()
def grad_of_the_output_in_the_loss() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return torch.func.grad(lambda point: (torch.tanh(point @ m.w) @ m.v).sum())(x)

    return step_of(forward, w=weight(4, 3), v=weight(3, 1))


@specimen("bias", "unreachable")
def gradient_penalty_alone() -> Training:
    model = nn.Linear(4, 1)
    x = torch.randn(8, 4, requires_grad=True)

    def loss() -> torch.Tensor:
        (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        return (slope.norm(dim=1) - 1).square().mean()

    return Training(model, loss, [sgd(model)])


@specimen()
def functional_call_with_scaled_parameters() -> Training:
    model = nn.Linear(4, 2)
    x = torch.randn(8, 4)

    def loss() -> torch.Tensor:
        scaled = {name: p * 0.5 for name, p in model.named_parameters()}
        return torch.func.functional_call(model, scaled, (x,)).square().mean()

    return Training(model, loss, [sgd(model)])


@specimen("body.*", "unreachable")
def functional_call_with_detached_parameters() -> Training:
    model = nn.ModuleDict({"body": nn.Linear(4, 2), "head": nn.Linear(2, 1)})
    x = torch.randn(8, 4)

    def loss() -> torch.Tensor:
        copied = {name: p.detach() for name, p in model["body"].named_parameters()}
        return model["head"](torch.func.functional_call(model["body"], copied, (x,))).square().mean()

    return Training(model, loss, [sgd(model)])


@specimen()
def maml_inner_step() -> Training:
    model = nn.Linear(4, 1)
    x, y = torch.randn(8, 4), torch.randn(8, 1)

    def loss() -> torch.Tensor:
        names, values = zip(*model.named_parameters(), strict=True)
        gradients = torch.autograd.grad(F.mse_loss(model(x), y), values, create_graph=True)
        fast = {n: p - 0.1 * g for n, p, g in zip(names, values, gradients, strict=True)}
        return F.mse_loss(torch.func.functional_call(model, fast, (x,)), y)

    return Training(model, loss, [sgd(model)])


@specimen()
def lstm_over_packed_sequences() -> Training:
    model = nn.ModuleDict(
        {"rnn": nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=True), "out": nn.Linear(10, 1)}
    )
    x, lengths = torch.randn(3, 6, 4), torch.tensor([6, 4, 2])

    def loss() -> torch.Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        padded, _ = nn.utils.rnn.pad_packed_sequence(model["rnn"](packed)[0], batch_first=True)
        return model["out"](padded).square().mean()

    return Training(model, loss, [sgd(model)])


@specimen()
def gru_cells_in_a_python_loop() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        state = m.start.expand(8, 3)
        for _ in range(3):
            state = m.cell(x, state)
        return state

    return step_of(forward, cell=nn.GRUCell(4, 3), start=weight(3))


@specimen()
def multihead_attention() -> Training:
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(2, 5, 8)
    return Training(model, lambda: model(x, x.roll(1, 1), x)[0].square().mean(), [sgd(model)])


@specimen()
def transformer_encoder() -> Training:
    layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    x = torch.randn(2, 5, 8)
    return Training(model, lambda: (model(x) - 1).pow(4).mean(), [torch.optim.Adam(model.parameters())])


@specimen("k.bias", "*")
def scaled_dot_product_attention() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (part(x).view(1, 8, 2, 2).transpose(1, 2) for part in (m.q, m.k, m.v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    return step_of(forward, q=nn.Linear(4, 4), k=nn.Linear(4, 4), v=nn.Linear(4, 4))


@specimen()
def autocast_to_bfloat16() -> Training:
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 1))
    x = torch.randn(8, 4)

    def loss() -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(x)
        return out.float().square().mean()

    return Training(model, loss, [sgd(model)])


@specimen()
def lazy_modules_after_a_dry_run() -> Training:
    model = nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(1))
    x = torch.randn(32, 4)
    model(x)
    return Training(model, lambda: model(x).square().mean(), [sgd(model)])


@specimen()
def lazy_modules_without_shapes_yet() -> Training:
    model = nn.Sequential(nn.LazyLinear(6), nn.Tanh(), nn.LazyLinear(1))
    x = torch.randn(8, 4)
    return Training(model, lambda: model(x).square().mean(), [sgd(model)])


@specimen()
def convolutions_and_batch_norm() -> Training:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )
    x, y = torch.randn(8, 1, 6, 6), torch.randint(0, 3, (8,))
    return Training(model, lambda: F.cross_entropy(model(x), y), [sgd(model)])


class Symmetric(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.triu() + x.triu(1).transpose(-1, -2)


@specimen()
def parametrized_weights() -> Training:
    symmetric, orthogonal = nn.Linear(4, 4), nn.Linear(4, 4)
    parametrize.register_parametrization(symmetric, "weight", Symmetric())
    parametrizations.orthogonal(orthogonal)
    return step_of(lambda m, x: torch.tanh(m.b(torch.tanh(m.a(x)))), a=symmetric, b=orthogonal)


@specimen()
def weight_and_spectral_norm() -> Training:
    model = nn.Sequential(
        parametrizations.weight_norm(nn.Linear(4, 6)), nn.Tanh(), parametrizations.spectral_norm(nn.Linear(6, 2))
    )
    x = torch.randn(8, 4)
    return Training(model, lambda: (model(x) - 1).square().mean(), [sgd(model)])


@specimen()
def weight_and_spectral_norm_of_old() -> Training:
    model = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 6)), nn.Tanh(), nn.utils.spectral_norm(nn.Linear(6, 2)))
    x = torch.randn(8, 4)
    return Training(model, lambda: (model(x) - 1).square().mean(), [sgd(model)])


@specimen()
def pruned_weights() -> Training:
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    prune.l1_unstructured(model[0], "weight", amount=0.5)
    prune.random_structured(model[2], "weight", amount=0.5, dim=1)
    x = torch.randn(8, 4)
    return Training(model, lambda: model(x).square().mean(), [sgd(model)])


# -- what hides the graph ----------------------------------------------------------------------------------------------


@specimen()
def checkpoint_without_reentrance() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return m.out(checkpoint(lambda h: F.dropout(torch.tanh(m.block(h)), 0.2), x, use_reentrant=False))

    return step_of(forward, block=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen()
def reentrant_checkpoint() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return checkpoint(lambda h: torch.tanh(m.block(h)), m.into(x), use_reentrant=True)

    return step_of(forward, into=nn.Linear(4, 4), block=nn.Linear(4, 1))


@specimen("block.*", "unreachable")
def reentrant_checkpoint_of_plain_inputs() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says that gradients will be None
            return m.out(checkpoint(m.block, x, use_reentrant=True))

    return step_of(forward, block=nn.Linear(4, 4), out=nn.Linear(4, 1))


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, w)
        return 2 * x * w

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        x, w = ctx.saved_tensors
        return 2 * gradient * w, (2 * gradient * x).sum(0)


class Forgetful(Doubled):
    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        return 2 * gradient * ctx.saved_tensors[1], None


class Nullifying(Doubled):
    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        return 2 * gradient * ctx.saved_tensors[1], torch.zeros_like(ctx.saved_tensors[1])


@specimen()
def custom_function() -> Training:
    return step_of(lambda m, x: Doubled.apply(m.into(x), m.w), into=nn.Linear(4, 4), w=weight(4))


@specimen("w", "unreachable")
def custom_function_that_returns_none() -> Training:
    return step_of(lambda m, x: Forgetful.apply(m.into(x), m.w), into=nn.Linear(4, 4), w=weight(4))


@specimen("w", "blocked")
def custom_function_that_returns_zeros() -> Training:
    return step_of(lambda m, x: Nullifying.apply(m.into(x), m.w), into=nn.Linear(4, 4), w=weight(4))


@specimen()
def scripted_module() -> Training:
    return step_of(lambda m, x: m.out(m.scripted(x)), scripted=torch.jit.script(nn.Linear(4, 4)), out=nn.Linear(4, 1))


@specimen()
def straight_through_estimator() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        h = m.into(x)
        return m.out(h + (h.sign() - h).detach())

    return step_of(forward, into=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen()
def score_function_gradient() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        policy = torch.distributions.Categorical(logits=m.policy(x))
        action = policy.sample()
        value = m.critic(x).squeeze(1)
        advantage = action.float() - value
        return (-policy.log_prob(action) * advantage.detach()).mean() + advantage.square().mean()

    return step_of(forward, policy=nn.Linear(4, 3), critic=nn.Linear(4, 1))


# -- who shares what ---------------------------------------------------------------------------------------------------


@specimen()
def tied_parameters() -> Training:
    model = nn.ModuleDict({"embed": nn.Embedding(10, 4), "norm": nn.LayerNorm(4), "head": nn.Linear(4, 10)})
    model["head"].weight = model["embed"].weight
    ids = torch.randint(0, 10, (12,))
    return Training(
        model, lambda: F.cross_entropy(model["head"](model["norm"](model["embed"](ids))), ids.roll(1)), [sgd(model)]
    )


@specimen("probe.*", "trained")
def reached_by_one_of_two_losses() -> Training:
    model = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1), "probe": nn.Linear(4, 1)})
    x = torch.randn(8, 4)

    def loss() -> torch.Tensor:
        features = model["body"](x)
        return model["head"](features).square().mean() + model["probe"](features.detach()).square().mean()

    return Training(model, loss, [sgd(model)])


@specimen()
def shared_module_called_twice() -> Training:
    return step_of(
        lambda m, x: m.out(torch.tanh(m.shared(torch.tanh(m.shared(x))))), shared=nn.Linear(4, 4), out=nn.Linear(4, 1)
    )


@specimen()
def shared_module_once_detached() -> Training:
    return step_of(lambda m, x: m.shared(m.shared(x).detach()), shared=nn.Linear(4, 4))


@specimen()
def module_lists_and_dicts() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        for layer in m.layers:
            x = torch.tanh(layer(x))
        return m.heads["main"](x) * m.scales[0] + m.shifts["by"]

    return step_of(
        forward,
        layers=nn.ModuleList(nn.Linear(4, 4) for _ in range(3)),
        heads=nn.ModuleDict({"main": nn.Linear(4, 2)}),
        scales=nn.ParameterList([weight(2)]),
        shifts=nn.ParameterDict({"by": weight(2)}),
    )


@specimen()
def buffers_beside_parameters() -> Training:
    class Centred(nn.Module):
        mean: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 2)
            self.register_buffer("mean", torch.zeros(2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = self.linear(x)
            self.mean.mul_(0.9).add_(0.1 * h.detach().mean(0))
            return h - self.mean

    model = Centred()
    x = torch.randn(8, 4)
    return Training(model, lambda: model(x).square().mean(), [sgd(model)])


@specimen("body.*", "frozen")
def frozen_backbone() -> Training:
    model = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
    model["body"].requires_grad_(False)
    x = torch.randn(8, 4)
    return Training(model, lambda: model["head"](model["body"](x)).square().mean(), [sgd(model["head"])])


@specimen("body.*", "frozen")
def frozen_backbone_that_the_optimizer_holds() -> Training:
    training = frozen_backbone()
    training.optimizers = [sgd(training.model)]  # type: ignore[arg-type]
    return training


@specimen("teacher.*", "unreachable")
def ema_teacher() -> Training:
    model = nn.ModuleDict({"student": nn.Linear(4, 2), "teacher": nn.Linear(4, 2)})
    x = torch.randn(8, 4)

    def loss() -> torch.Tensor:
        with torch.no_grad():
            for old, new in zip(model["teacher"].parameters(), model["student"].parameters(), strict=True):
                old.lerp_(new, 0.1)
            target = model["teacher"](x)
        return F.mse_loss(model["student"](x), target)

    return Training(model, loss, [sgd(model["student"])])


@specimen("encoder.weight", "trained")
def models_in_a_dict() -> Training:
    encoder, decoder = nn.Linear(4, 2), nn.Linear(2, 4)
    x = torch.randn(8, 4)
    models = {"encoder": encoder, "decoder": decoder}
    return Training(models, lambda: F.mse_loss(decoder(encoder(x)), x), [sgd(encoder), sgd(decoder)])


# -- cuts --------------------------------------------------------------------------------------------------------------


def cut_by(cut: Callable[[torch.Tensor], Any]) -> Training:
    """Between `into` and `out`, `cut` is applied."""
    return step_of(lambda m, x: m.out(cut(torch.tanh(m.into(x)))), into=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen("into.*", "unreachable")
def detached() -> Training:
    return cut_by(lambda h: h.detach())


@specimen("into.*", "unreachable")
def detached_in_place() -> Training:
    return cut_by(lambda h: h.detach_())


@specimen("into.*", "unreachable")
def through_data() -> Training:
    return cut_by(lambda h: h.data)


@specimen("into.*", "unreachable")
def under_no_grad() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            h = m.into(x)
        return m.out(h)

    return step_of(forward, into=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen("into.*", "unreachable")
def under_a_no_grad_decorator() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        @torch.no_grad()
        def encoded() -> torch.Tensor:
            return m.into(x)

        return m.out(encoded())

    return step_of(forward, into=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen("into.*", "unreachable")
def under_set_grad_enabled() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        torch.set_grad_enabled(False)
        h = m.into(x)
        torch.set_grad_enabled(True)
        return m.out(h)

    return step_of(forward, into=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen("into.*", "unreachable")
def under_inference_mode() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            h = m.into(x)
        return m.out(h.clone())

    return step_of(forward, into=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen("scale", "unreachable")
def through_item() -> Training:
    return step_of(lambda m, x: m.out(x) * m.scale.item(), scale=weight(1), out=nn.Linear(4, 1))


@specimen("scale", "unreachable")
def through_float() -> Training:
    return step_of(lambda m, x: m.out(x) * float(m.scale.exp().detach()), scale=weight(1), out=nn.Linear(4, 1))


@specimen("into.*", "unreachable")
def through_tolist() -> Training:
    return cut_by(lambda h: torch.tensor(h.tolist()))


@specimen("into.*", "unreachable")
def through_numpy() -> Training:
    return cut_by(lambda h: torch.from_numpy(h.detach().numpy() * 2))


@specimen("into.*", "unreachable")
def rewrapped_by_torch_tensor() -> Training:
    def rewrapped(h: torch.Tensor) -> torch.Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch recommends clone().detach()
            return torch.tensor(h)

    return cut_by(rewrapped)


@specimen("into.*", "unreachable", others={"<leaf (8, 4)>": "unregistered"})
def rewrapped_as_a_new_leaf() -> Training:
    return cut_by(lambda h: h.detach().requires_grad_())


@specimen("weight", "unreachable", others={"<Parameter (4, 4)>": "unregistered"})
def copied_by_deepcopy() -> Training:
    return step_of(lambda m, x: m.out(x @ copy.deepcopy(m.weight)), weight=weight(4, 4), out=nn.Linear(4, 1))


@specimen("into.*", "unreachable")
def through_argmax() -> Training:
    return cut_by(lambda h: F.one_hot(h.argmax(1), 4).float())


@specimen("into.*", "unreachable")
def through_a_comparison() -> Training:
    return cut_by(lambda h: (h > 0).float())


@specimen("into.*", "unreachable")
def through_an_integer_cast() -> Training:
    return cut_by(lambda h: (10 * h).long().float())


@specimen("threshold", "unreachable")
def threshold_in_a_condition() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return torch.where(m.out(x) > m.threshold, m.out(x), torch.zeros(8, 1))

    return step_of(forward, threshold=nn.Parameter(torch.zeros(1)), out=nn.Linear(4, 1))


@specimen("*", "unreachable")
def loss_detached() -> Training:
    model = nn.Linear(4, 1)
    x = torch.randn(8, 4)
    return Training(model, lambda: model(x).square().mean().detach().requires_grad_(), [sgd(model)])


@specimen("*", "unreachable")
def loss_that_needs_no_gradient() -> Training:
    model = nn.Linear(4, 1)
    x = torch.randn(8, 4)

    def loss() -> torch.Tensor:
        with torch.no_grad():
            return model(x).square().mean()

    return Training(model, loss, [sgd(model)])


@specimen("side.*", "unreachable")
def dead_end() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        m.side(x).relu()
        return m.out(x)

    return step_of(forward, side=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen("side.*", "unreachable", "unused", "unreachable")
def never_called_and_never_read() -> Training:
    training = step_of(lambda m, x: m.out(x), side=nn.Linear(4, 4), unused=weight(3), out=nn.Linear(4, 1))
    training.optimizers = [torch.optim.AdamW(training.model.parameters(), lr=0.1, weight_decay=0.5)]  # type: ignore[union-attr]
    return training


# -- zeros, and what is not finite -------------------------------------------------------------------------------------


@specimen("into.*", "blocked")
def through_round() -> Training:
    return cut_by(lambda h: (10 * h).round())


@specimen("into.*", "blocked", "out.weight", "blocked")
def dead_relu() -> Training:
    training = step_of(lambda m, x: m.out(m.into(x).relu()), into=nn.Linear(4, 4), out=nn.Linear(4, 1))
    nn.init.constant_(training.model.into.bias, -100.0)  # type: ignore[union-attr, arg-type]
    return training


@specimen("into.*", "blocked", "out.weight", "blocked")
def dropout_of_everything() -> Training:
    return cut_by(nn.Dropout(1.0))


@specimen("into.*", "blocked", "score.*", "blocked")
def softmax_over_one_element() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return m.out(x * m.score(torch.tanh(m.into(x))).softmax(1))

    return step_of(forward, into=nn.Linear(4, 4), score=nn.Linear(4, 1), out=nn.Linear(4, 1))


@specimen("into.*", "blocked")
def saturated_clamp() -> Training:
    return cut_by(lambda h: h.clamp(2, 3))


@specimen("side.*", "blocked")
def loss_weight_zero() -> Training:
    return step_of(lambda m, x: m.out(x) + 0.0 * m.side(x), side=nn.Linear(4, 1), out=nn.Linear(4, 1))


@specimen("*", "blocked")
def every_target_ignored() -> Training:
    model = nn.Linear(4, 3)
    x, y = torch.randn(8, 4), torch.full((8,), -100)
    return Training(model, lambda: F.cross_entropy(model(x), y, reduction="sum"), [sgd(model)])


@specimen("into.*", "blocked")
def square_root_at_zero() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        distance = (m.into(x) * 0).square().sum(1).sqrt()
        return distance + m.out(x).squeeze(1)

    return step_of(forward, into=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen("w", "blocked")
def hook_that_zeroes() -> Training:
    w = weight(4, 4)
    w.register_hook(lambda gradient: gradient * 0)
    return step_of(lambda m, x: m.out(x @ m.w), w=w, out=nn.Linear(4, 1))


@specimen("into.*", "blocked")
def module_hook_that_zeroes() -> Training:
    out = nn.Linear(4, 1)
    out.register_full_backward_hook(lambda module, into, from_: tuple(torch.zeros_like(g) for g in into))
    return step_of(lambda m, x: m.out(torch.tanh(m.into(x))), into=nn.Linear(4, 4), out=out)


@specimen("base.*", "frozen")
def lora() -> Training:
    base = nn.Linear(4, 4).requires_grad_(False)
    training = step_of(
        lambda m, x: m.base(x) + x @ m.a @ m.b, base=base, a=weight(4, 2), b=nn.Parameter(torch.zeros(2, 4))
    )
    own = dict(training.model.named_parameters())  # type: ignore[union-attr]
    training.optimizers = [torch.optim.Adam([own["a"], own["b"]], lr=0.1)]
    return training


@specimen()
def zero_initialised_head() -> Training:
    training = step_of(lambda m, x: m.head(torch.tanh(m.body(x))) - 1, body=nn.Linear(4, 4), head=nn.Linear(4, 1))
    nn.init.zeros_(training.model.head.weight)  # type: ignore[union-attr, arg-type]
    return training


@specimen()
def rezero_gates() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        for layer, gate in zip(m.layers, m.gates, strict=True):
            x = x + gate * torch.tanh(layer(x))
        return x - 1

    layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    return step_of(forward, layers=layers, gates=nn.ParameterList(nn.Parameter(torch.zeros(1)) for _ in range(3)))


@specimen()
def stochastic_depth() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        for layer in m.layers:
            if torch.rand(()) < 0.5:
                x = x + torch.tanh(layer(x))
        return m.out(x)

    return step_of(forward, layers=nn.ModuleList(nn.Linear(4, 4) for _ in range(3)), out=nn.Linear(4, 1))


@specimen()
def mixture_of_experts() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        gates = (m.router(x) + torch.randn(8, 3)).softmax(1)
        value, chosen = gates.max(1)
        out = torch.zeros(8, 1)
        for number, expert in enumerate(m.experts):
            rows = (chosen == number).nonzero().squeeze(1)
            if len(rows):
                out = out.index_add(0, rows, value[rows, None] * expert(x[rows]))
        return out

    return step_of(forward, router=nn.Linear(4, 3), experts=nn.ModuleList(nn.Linear(4, 1) for _ in range(3)))


@specimen("router.*", "unreachable")
def mixture_of_experts_without_gates() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        chosen = m.router(x).argmax(1)
        return torch.stack([m.experts[int(number)](row) for number, row in zip(chosen, x, strict=True)])

    return step_of(forward, router=nn.Linear(4, 2), experts=nn.ModuleList(nn.Linear(4, 1) for _ in range(2)))


@specimen("*", "blocked")
def lost_to_rounding() -> Training:
    model = nn.Linear(4, 2).bfloat16()
    x = torch.randn(8, 4, dtype=torch.bfloat16)
    return Training(model, lambda: model(x).square().mean(), [sgd(model, lr=1e-7)])


@specimen("*", "blocked")
def learning_rate_below_the_resolution_of_the_values() -> Training:
    training = plain_mlp()
    training.optimizers = [torch.optim.SGD(training.model.parameters(), lr=1e-12)]  # type: ignore[union-attr]
    return training


# -- optimizers --------------------------------------------------------------------------------------------------------


@specimen()
def two_optimizers() -> Training:
    model = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
    x = torch.randn(8, 4)
    optimizers = [sgd(model["body"]), torch.optim.Adam(model["head"].parameters())]
    return Training(model, lambda: model["head"](torch.tanh(model["body"](x))).square().mean(), optimizers)


@specimen()
def lbfgs() -> Training:
    model = nn.Linear(4, 1)
    x, y = torch.randn(8, 4), torch.randn(8, 1)
    return Training(model, lambda: F.mse_loss(model(x), y), [torch.optim.LBFGS(model.parameters(), max_iter=3)])


@specimen("*", "blocked")
def learning_rate_zero() -> Training:
    training = plain_mlp()
    training.optimizers = [sgd(training.model, lr=0.0)]  # type: ignore[arg-type]
    return training


@specimen("2.*", "blocked")
def learning_rate_zero_in_one_group() -> Training:
    training = plain_mlp()
    first, _, last = training.model  # type: ignore[misc]
    groups = [{"params": first.parameters()}, {"params": last.parameters(), "lr": 0.0}]
    training.optimizers = [torch.optim.Adam(groups, lr=0.1)]
    return training


@specimen("2.*", "excluded")
def head_left_out_of_the_optimizer() -> Training:
    training = plain_mlp()
    training.optimizers = [sgd(training.model[0])]  # type: ignore[index]
    return training


@specimen()
def no_optimizer_given() -> Training:
    training = plain_mlp()
    training.optimizers = []
    return training


@specimen()
def requires_grad_false_on_the_module() -> Training:
    training = plain_mlp()
    training.model.requires_grad = False  # type: ignore[union-attr, assignment]
    return training


@specimen("2.*", "excluded", others={"<Parameter (1, 8)>": "stale", "<Parameter (1,)>": "stale"})
def head_replaced_after_the_optimizer() -> Training:
    training = plain_mlp()
    training.model[2] = nn.Linear(8, 1)  # type: ignore[index]
    return training


@specimen("*", "excluded", others={f"<Parameter {shape}>": "stale" for shape in ("(8, 4)", "(8,)", "(1, 8)", "(1,)")})
def model_copied_after_the_optimizer() -> Training:
    training = plain_mlp()
    model = copy.deepcopy(training.model)
    x, y = torch.randn(16, 4), torch.randn(16, 1)
    return Training(model, lambda: F.mse_loss(model(x), y), training.optimizers)  # type: ignore[operator]


@specimen("*", "excluded", others={f"<Parameter {shape}>": "stale" for shape in ("(8, 4)", "(8,)", "(1, 8)", "(1,)")})
def state_assigned_after_the_optimizer() -> Training:
    training = plain_mlp()
    model = training.model
    model.load_state_dict({name: value.clone() for name, value in model.state_dict().items()}, assign=True)  # type: ignore[union-attr]
    return training


# -- registration and replacement --------------------------------------------------------------------------------------


@specimen(others={f"layers[{n}].{p}": "unregistered" for n in (0, 1) for p in ("weight", "bias")})
def layers_in_a_list() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return m.out(functools.reduce(lambda h, layer: torch.tanh(layer(h)), m.layers, x))

    return step_of(forward, layers=[nn.Linear(4, 4), nn.Linear(4, 4)], out=nn.Linear(4, 1))


@specimen(others={"table.w": "unregistered"})
def parameters_in_a_dict() -> Training:
    return step_of(lambda m, x: m.out(x @ m.table["w"]), table={"w": weight(4, 4)}, out=nn.Linear(4, 1))


@specimen(others={"rule.hidden": "unregistered"})
def parameter_in_a_closure() -> Training:
    hidden = weight(4, 4)
    return step_of(lambda m, x: m.out(x @ hidden), out=nn.Linear(4, 1))


@specimen(others={"scale": "unregistered"})
def expanded_parameter() -> Training:
    return step_of(lambda m, x: m.out(x * m.scale), scale=nn.Parameter(torch.ones(1)).expand(4), out=nn.Linear(4, 1))


@specimen(others={"log_temperature": "trained"})
def parameter_beside_the_model() -> Training:
    model = nn.Linear(4, 3)
    log_temperature = nn.Parameter(torch.zeros(()))
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    optimizer = torch.optim.Adam([*model.parameters(), log_temperature])
    return Training(model, lambda: F.cross_entropy(model(x) * log_temperature.exp(), y), [optimizer])


@specimen(others={"head.weight": "unregistered", "head.bias": "unregistered"})
def head_beside_the_model() -> Training:
    model, head = nn.Linear(4, 2), nn.Linear(2, 1)
    x = torch.randn(8, 4)
    return Training(model, lambda: head(model(x)).square().mean(), [sgd(model)])


@specimen("into.weight", "replaced")
def slot_reassigned_in_forward() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        m.into.weight = torch.randn_like(m.into.weight) * 0.01
        return m.out(m.into(x))

    return step_of(forward, into=nn.Linear(4, 4), out=nn.Linear(4, 1))


@specimen("w", "replaced", others={"w (old)": "stale"})
def parameter_made_anew_in_forward() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        m.w = nn.Parameter(m.w.detach().clamp(-1, 1))
        return m.out(x @ m.w)

    return step_of(forward, w=weight(4, 4), out=nn.Linear(4, 1))


@specimen("w", "replaced")
def overwritten_in_forward() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            m.w.copy_(torch.randn(4, 4))
        return m.out(x @ m.w)

    return step_of(forward, w=weight(4, 4), out=nn.Linear(4, 1))


@specimen("w", "replaced")
def binarised_in_forward() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        m.w.data.sign_()
        return m.out(x @ m.w)

    training = step_of(forward, w=weight(4, 4), out=nn.Linear(4, 1))
    training.optimizers = [sgd(training.model, lr=1e-3)]  # type: ignore[arg-type]
    return training


@specimen()
def clamped_in_forward() -> Training:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        m.w.data.clamp_(-2, 2)
        return m.out(x @ m.w)

    return step_of(forward, w=nn.Parameter(torch.full((4, 4), 0.5)), out=nn.Linear(4, 1))


@specimen()
def backward_inside_the_closure() -> Training:
    model = nn.Linear(4, 1)
    x = torch.randn(8, 4)

    def closure() -> torch.Tensor:
        loss = model(x).square().mean()
        loss.backward()
        return loss

    return Training(model, closure, [sgd(model)])


@specimen()
def two_backwards_inside_a_closure_that_returns_none() -> Training:
    model = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 1)})
    x = torch.randn(8, 4)

    def closure() -> None:
        for part in model.values():
            part(x).square().mean().backward()

    return Training(model, closure, [sgd(model)])


@specimen("norm.bias", "trained")
def cosine_schedule_of_the_loss() -> Training:
    weight_of_loss = 0.5 * (1 + math.cos(1.0))
    return step_of(lambda m, x: weight_of_loss * m.out(m.norm(x)), norm=nn.LayerNorm(4), out=nn.Linear(4, 1))
