"""How to call the operations of the table: arguments with which each of them works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from fxaudit.capture.operations import Operation

__all__ = ["call", "method_in_place", "tensor"]

Torch = Callable[..., Any]
Sample = Callable[[Torch, torch.Tensor, torch.Tensor], Any]
HOMES = (torch, F, torch.special, torch.linalg, torch.Tensor, nn.init, torch._VF, torch.autograd)
INDEX = torch.tensor([[2, 0, 1], [0, 1, 2], [1, 1, 0]])
MASK = torch.tensor([[True, False, True], [False, False, True], [True, True, False]])
LINE = torch.tensor([2, 0, 1])
TARGET = torch.tensor([1.0, -1.0, 1.0])


def tensor(seed: int = 0) -> torch.Tensor:
    """Nine different numbers between 0 and 1."""
    return torch.rand(3, 3, generator=torch.Generator().manual_seed(seed)) * 0.8 + 0.1


REFLECTED: dict[str, Torch] = {
    "rdiv": lambda x: 2.0 / x,
    "rpow": lambda x: 2.0**x,
    "rmod": lambda x: 2.0 % x,
    "rfloordiv": lambda x: 2.0 // x,
}


def _cell(f: Torch, x: torch.Tensor, y: torch.Tensor, gates: int = 1) -> Any:
    """A recurrent cell, or a layer of one step, as the modules call them."""
    weight = torch.ones(3 * gates, 3)
    name = getattr(f, "__name__", "")
    if name.endswith("_cell"):
        return f(x, (y, y) if "lstm" in name else y, weight, weight)
    hidden = (y[None], y[None]) if name == "lstm" else y[None]
    return f(x[None], hidden, [weight, weight], False, 1, 0.0, False, False, False)


def _attention(f: Torch, x: torch.Tensor, y: torch.Tensor) -> Any:
    weight, out = torch.ones(9, 3) / 3, torch.eye(3)
    three = x[:, None]
    return f(three, three, three, 3, 1, weight, None, None, None, False, 0.0, out, None)


def _conv(f: Torch, x: torch.Tensor, y: torch.Tensor, dimensions: int) -> Any:
    shape = (1, 1, 3, 3, 1)[: dimensions + 2] if dimensions > 1 else (1, 3, 3)
    kernel = (1, 1, 2, 2, 1)[: dimensions + 2] if dimensions > 1 else (3, 3, 1)
    return f(x.reshape(shape), y.flatten()[: torch.Size(kernel).numel()].reshape(kernel))


def _pool(f: Torch, x: torch.Tensor, dimensions: int) -> Any:
    shape = {1: (1, 3, 3), 2: (1, 1, 3, 3), 3: (1, 1, 3, 3, 1)}[dimensions]
    return f(x.reshape(shape), 1)


SAMPLES: dict[str, Sample] = {
    "where": lambda f, x, y: f(MASK, x, y),
    "masked_fill": lambda f, x, y: f(x, MASK, 0.5),
    "masked_scatter": lambda f, x, y: f(x, MASK, y),
    "lerp": lambda f, x, y: f(x, y, 0.5),
    "threshold": lambda f, x, y: f(x, 0.5, 9.0),
    "clamp": lambda f, x, y: f(x, 0.3, 0.6),
    "prelu": lambda f, x, y: f(x, torch.tensor([0.25])),
    "view": lambda f, x, y: f(x, 9),
    "reshape": lambda f, x, y: f(x, (9,)),
    "unflatten": lambda f, x, y: f(x, 0, (3, 1)),
    "permute": lambda f, x, y: f(x, (1, 0)),
    "expand": lambda f, x, y: f(x, 2, 3, 3),
    "broadcast_to": lambda f, x, y: f(x, (2, 3, 3)),
    "unfold": lambda f, x, y: x.unfold(0, 2, 1),
    "fold": lambda f, x, y: f(x.reshape(1, 9, 1), (3, 3), (3, 3)),
    "as_strided": lambda f, x, y: f(x, (2, 2), (3, 1)),
    "real": lambda f, x, y: torch.real(torch.complex(x, y)),
    "imag": lambda f, x, y: torch.imag(torch.complex(y, x)),
    "__getitem__": lambda f, x, y: x[0],
    "narrow": lambda f, x, y: f(x, 0, 0, 2),
    "hsplit": lambda f, x, y: f(x, 3),
    "vsplit": lambda f, x, y: f(x, 3),
    "dsplit": lambda f, x, y: f(x[None], 3),
    "split_with_sizes": lambda f, x, y: f(x, [1, 2]),
    "index_select": lambda f, x, y: f(x, 0, LINE),
    "gather": lambda f, x, y: f(x, 0, INDEX),
    "take": lambda f, x, y: f(x, INDEX),
    "take_along_dim": lambda f, x, y: f(x, INDEX, 0),
    "masked_select": lambda f, x, y: f(x, MASK),
    "pad": lambda f, x, y: f(x, (1, 1)),
    "repeat": lambda f, x, y: f(x, 2, 2),
    "index_put": lambda f, x, y: f(x, (LINE[:2],), y[:2]),
    "index_copy": lambda f, x, y: f(x, 0, LINE[:2], y[:2]),
    "index_fill": lambda f, x, y: f(x, 0, LINE[:2], 0.5),
    "scatter": lambda f, x, y: f(x, 0, INDEX[:1], y),
    "select_scatter": lambda f, x, y: f(x, y[0], 0, 0),
    "slice_scatter": lambda f, x, y: f(x, y[:2], 0, 0, 2),
    "diagonal_scatter": lambda f, x, y: f(x, y[0]),
    "renorm": lambda f, x, y: f(x, 2, 0, 0.5),
    "resize": lambda f, x, y: f(x, 3, 3),
    "mv": lambda f, x, y: f(x, y[0]),
    "dot": lambda f, x, y: f(x[0], y[0]),
    "outer": lambda f, x, y: f(x[0], y[0]),
    "einsum": lambda f, x, y: f("ij,jk->ik", x, y),
    "tensordot": lambda f, x, y: f(x, y, 1),
    "addmv": lambda f, x, y: f(x[0], y, y[0]),
    "addr": lambda f, x, y: f(x, y[0], y[1]),
    "addbmm": lambda f, x, y: f(x, y[None], y[None]),
    "baddbmm": lambda f, x, y: f(x[None], y[None], y[None]),
    "bmm": lambda f, x, y: f(x[None], y[None]),
    "bilinear": lambda f, x, y: f(x, y, torch.ones(1, 3, 3)),
    "embedding": lambda f, x, y: F.embedding(LINE, x),
    "embedding_bag": lambda f, x, y: F.embedding_bag(LINE[None], x),
    "conv1d": lambda f, x, y: _conv(f, x, y, 1),
    "conv2d": lambda f, x, y: _conv(f, x, y, 2),
    "conv3d": lambda f, x, y: _conv(f, x, y, 3),
    "conv_transpose1d": lambda f, x, y: _conv(f, x, y, 1),
    "conv_transpose2d": lambda f, x, y: _conv(f, x, y, 2),
    "conv_transpose3d": lambda f, x, y: _conv(f, x, y, 3),
    "multi_head_attention_forward": _attention,
    "scaled_dot_product_attention": lambda f, x, y: f(x[None], x[None], x[None]),
    "lstm": lambda f, x, y: _cell(f, x, y, 4),
    "gru": lambda f, x, y: _cell(f, x, y, 3),
    "rnn_tanh": _cell,
    "rnn_relu": _cell,
    "lstm_cell": lambda f, x, y: _cell(f, x, y, 4),
    "gru_cell": lambda f, x, y: _cell(f, x, y, 3),
    "rnn_tanh_cell": _cell,
    "rnn_relu_cell": _cell,
    "batch_norm": lambda f, x, y: F.batch_norm(x, None, None, training=True),
    "layer_norm": lambda f, x, y: F.layer_norm(x, (3,)),
    "instance_norm": lambda f, x, y: F.instance_norm(x[None]),
    "rms_norm": lambda f, x, y: F.rms_norm(x, (3,)),
    "kthvalue": lambda f, x, y: f(x, 1),
    "max_pool1d": lambda f, x, y: _pool(F.max_pool1d, x, 1),
    "max_pool2d": lambda f, x, y: _pool(F.max_pool2d, x, 2),
    "max_pool3d": lambda f, x, y: _pool(F.max_pool3d, x, 3),
    "avg_pool1d": lambda f, x, y: _pool(f, x, 1),
    "avg_pool2d": lambda f, x, y: _pool(f, x, 2),
    "avg_pool3d": lambda f, x, y: _pool(f, x, 3),
    "adaptive_avg_pool1d": lambda f, x, y: _pool(f, x, 1),
    "adaptive_avg_pool2d": lambda f, x, y: _pool(f, x, 2),
    "adaptive_avg_pool3d": lambda f, x, y: _pool(f, x, 3),
    "ctc_loss": lambda f, x, y: F.ctc_loss(
        x.log_softmax(-1)[:, None], torch.tensor([[1]]), torch.tensor([3]), torch.tensor([1])
    ),
    "hinge_embedding_loss": lambda f, x, y: F.hinge_embedding_loss(x, TARGET),
    "margin_ranking_loss": lambda f, x, y: F.margin_ranking_loss(x[0], y[0], TARGET, margin=1.0),
    "triplet_margin_loss": lambda f, x, y: F.triplet_margin_loss(x, y, y + 0.1),
    "triplet_margin_with_distance_loss": lambda f, x, y: F.triplet_margin_with_distance_loss(x, y, y + 0.1),
    "multi_margin_loss": lambda f, x, y: F.multi_margin_loss(x, LINE),
    "multilabel_margin_loss": lambda f, x, y: F.multilabel_margin_loss(x, INDEX),
    "cosine_embedding_loss": lambda f, x, y: F.cosine_embedding_loss(x, y, TARGET),
    "isin": lambda f, x, y: f(x, y),
    "bitwise_and": lambda f, x, y: f(x > 0.5, y > 0.5),
    "bitwise_or": lambda f, x, y: f(x > 0.5, y > 0.5),
    "bitwise_xor": lambda f, x, y: f(x > 0.5, y > 0.5),
    "bitwise_not": lambda f, x, y: f(x > 0.5),
    "bitwise_left_shift": lambda f, x, y: f(x.long(), 1),
    "bitwise_right_shift": lambda f, x, y: f(x.long(), 1),
    "bincount": lambda f, x, y: f(LINE),
    "bucketize": lambda f, x, y: f(x, TARGET.sort().values),
    "searchsorted": lambda f, x, y: f(TARGET.sort().values, x),
    "one_hot": lambda f, x, y: f(LINE),
    "multinomial": lambda f, x, y: f(x, 2),
    "histc": lambda f, x, y: f(x.detach(), 3),
    "histogram": lambda f, x, y: f(x, 3)[0],
    "binomial": lambda f, x, y: f(torch.full((3, 3), 9.0), x),
    "poisson": lambda f, x, y: f(x * 9),
    "full": lambda f, x, y: f((3, 3), 1.5),
    "new_zeros": lambda f, x, y: f(x, (3, 3)),
    "new_ones": lambda f, x, y: f(x, (3, 3)),
    "new_full": lambda f, x, y: f(x, (3, 3), 1.5),
    "new_empty": lambda f, x, y: f(x, (3, 3)),
    "new_empty_strided": lambda f, x, y: f(x, (3, 3), (3, 1)),
    "full_like": lambda f, x, y: f(x, 1.5),
    "randint_like": lambda f, x, y: f(x, 9),
    "fill": lambda f, x, y: f(x, 1.5),
    "constant_": lambda f, x, y: f(x, 1.5),
    "uniform_": lambda f, x, y: f(x),
    "geometric_": lambda f, x, y: f(x, 0.5),
    "sparse_": lambda f, x, y: f(x, 0.5),
    "dirac_": lambda f, x, y: f(x.reshape(1, 3, 3)),
    "normal": lambda f, x, y: torch.normal(x, 1.0),
    "set_": lambda f, x, y: f(x, y),
    "tensor": lambda f, x, y: f(x),
    "new_tensor": lambda f, x, y: y.new_tensor(x),
    "from_numpy": lambda f, x, y: f(x.detach().numpy()),
    "frombuffer": lambda f, x, y: f(bytearray(16), dtype=torch.float32),
    "to": lambda f, x, y: f(x, torch.float64),
    "type": lambda f, x, y: f(x, torch.float64),
    "cuda": lambda f, x, y: x,
    "softmax": lambda f, x, y: torch.softmax(x, -1),
    "log_softmax": lambda f, x, y: torch.log_softmax(x, -1),
    "softmin": lambda f, x, y: F.softmin(x, -1),
    "dropout1d": lambda f, x, y: F.dropout1d(x),
    "dropout2d": lambda f, x, y: F.dropout2d(x[None, None])[0, 0],
    "dropout3d": lambda f, x, y: F.dropout3d(x[None, None, None])[0, 0, 0],
    "feature_dropout": lambda f, x, y: f(x, 0.5, True),
    "alpha_dropout": lambda f, x, y: torch.alpha_dropout(x, 0.5, True),
    "feature_alpha_dropout": lambda f, x, y: torch.feature_alpha_dropout(x, 0.5, True),
    "dropout": lambda f, x, y: torch.dropout(x, 0.5, True),
    "rrelu": lambda f, x, y: torch.rrelu(x),
    "roll": lambda f, x, y: f(x, 1),
    "slogdet": lambda f, x, y: torch.slogdet(x + torch.eye(3)),
    "eigh": lambda f, x, y: torch.linalg.eigh(x @ x.T),
    "acosh": lambda f, x, y: f(x + 1),
    "swap_tensors": lambda f, x, y: torch.utils.swap_tensors(x, y),
    "is_set_to": lambda f, x, y: f(x, y),
    "atleast_1d": lambda f, x, y: f(x),
    "atleast_2d": lambda f, x, y: f(x),
    "atleast_3d": lambda f, x, y: f(x),
    "broadcast_tensors": lambda f, x, y: f(x, y),
    "meshgrid": lambda f, x, y: f(x[0], y[0], indexing="ij"),
    "group_norm": lambda f, x, y: F.group_norm(x[None], 3),
    "qr": lambda f, x, y: torch.linalg.qr(x),
    "as_tensor": lambda f, x, y: f(x),
    "Variable": lambda f, x, y: f(x),
}
WRITTEN: dict[str, Sample] = {
    "acosh": lambda f, x, y: f(x),
    "normal": lambda f, x, y: f(x),
    "rrelu": lambda f, x, y: f(x),
    "resize": lambda f, x, y: f(x, 2, 2),
    "bitwise_and": lambda f, x, y: f(x, x),
    "bitwise_or": lambda f, x, y: f(x, x),
    "bitwise_xor": lambda f, x, y: f(x, x),
    "bitwise_not": lambda f, x, y: f(x),
    "bitwise_left_shift": lambda f, x, y: f(x, 1),
    "bitwise_right_shift": lambda f, x, y: f(x, 1),
}
"""The same for the form in place, where that is called otherwise."""


def _common(f: Torch, x: torch.Tensor, y: torch.Tensor) -> Iterator[Callable[[], Any]]:
    yield lambda: f(x)
    yield lambda: f(x, y)
    yield lambda: f(x, y, y)
    yield lambda: f(x, 0)
    yield lambda: f(x, 2)
    yield lambda: f(x, 0, 0)
    yield lambda: f(x, 0, 1)
    yield lambda: f([x, y])
    yield lambda: f(3)
    yield lambda: f(3, 3)
    yield lambda: f((3, 3))
    yield lambda: f(0, 3)
    yield lambda: f(0, 3, 4)
    yield lambda: f(9, (3, 3))


def functions(row: Operation) -> Iterator[Torch]:
    """The functions of torch that have the name of the row, or an attribute of a tensor as a function."""
    if row.name in REFLECTED:
        yield REFLECTED[row.name]
    for home in HOMES:
        found = getattr(home, row.name.removeprefix("linalg_"), None)
        if callable(found):
            yield found
        elif home is torch.Tensor and found is not None and not row.quiet:
            yield lambda x: getattr(x, row.name)


def call(row: Operation, x: torch.Tensor, y: torch.Tensor) -> Any:
    """What the operation makes of a tensor `x`, and of `y` where it takes two; `NotImplemented` where nothing works."""
    tried = (_called(function, SAMPLES.get(row.name), x, y) for function in functions(row))
    return next((made for made in tried if made is not NotImplemented), NotImplemented)


def method_in_place(row: Operation) -> Callable[[torch.Tensor, torch.Tensor], Any] | None:
    """The form in place of an operation, as a function of the tensor that it writes and of another."""
    name = row.name if row.name.endswith("_") else f"{row.name}_"
    function = getattr(torch.Tensor, name, None) or getattr(F, name, None)
    if function is None:
        return None
    return lambda x, y: _called(function, WRITTEN.get(row.name) or SAMPLES.get(row.name), x, y)


def _called(f: Torch, sample: Sample | None, x: torch.Tensor, y: torch.Tensor) -> Any:
    for attempt in [lambda: sample(f, x, y)] if sample is not None else _common(f, x, y):
        try:
            return attempt()
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError):
            continue
    return NotImplemented
