"""Training loops that use up randomness in every way; each returns everything that it computed.

`python tests/loops.py NAME OUT` writes the digest of one loop to a file.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

Computed = Iterator[Any]
STEPS = 6


def dropout_and_adam() -> Computed:
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.5), nn.BatchNorm1d(16), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        x = torch.randn(8, 4) * random.random() + np.random.rand()
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        yield loss, norm, [p.grad for p in model.parameters()]
        optimizer.step()
        scheduler.step()
        yield list(model.parameters()), list(model.buffers()), scheduler.get_last_lr()


def data_loader_with_shuffling() -> Computed:
    data = TensorDataset(torch.randn(20, 4), torch.randint(0, 3, (20,)))
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):
        for x, y in DataLoader(data, batch_size=6, shuffle=True):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield x, y, loss, list(model.parameters())


def transformer_with_fast_path() -> Computed:
    layer = nn.TransformerEncoderLayer(16, 4, dim_feedforward=32, dropout=0.1, batch_first=True)
    model = nn.TransformerEncoder(layer, 2)
    attention = nn.MultiheadAttention(16, 4, batch_first=True)
    optimizer = torch.optim.AdamW([*model.parameters(), *attention.parameters()], lr=1e-2)
    x = torch.randn(3, 7, 16)
    padding = torch.arange(7).expand(3, 7) >= torch.tensor([7, 4, 2])[:, None]
    for _ in range(3):
        model.train()
        loss = attention(*[model(x, src_key_padding_mask=padding)] * 3)[0].square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()
        attention.eval()
        with torch.no_grad():
            yield (
                loss,
                model(x, src_key_padding_mask=padding),
                attention(x, x, x, key_padding_mask=padding, need_weights=False),
            )
        with torch.inference_mode():
            yield model(x).clone()
        attention.train()


def checkpoint_and_custom_hooks() -> Computed:
    model = nn.ModuleDict({"a": nn.Linear(4, 8), "b": nn.Linear(8, 1)})
    model["a"].register_full_backward_hook(lambda module, into, out: None)
    model["b"].weight.register_hook(lambda gradient: gradient * 0.5)
    optimizer = torch.optim.RMSprop(model.parameters())
    for _ in range(STEPS):
        x = torch.randn(8, 4)
        h = checkpoint(lambda t: F.dropout(torch.tanh(model["a"](t)), 0.3), x, use_reentrant=False)
        loss = checkpoint(model["b"], h, use_reentrant=True).square().mean()
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        yield loss, list(model.parameters()), [p.grad for p in model.parameters()]


def recurrent_with_autocast() -> Computed:
    model = nn.LSTM(4, 6, num_layers=2, dropout=0.3, batch_first=True)
    head = nn.Linear(6, 1)
    optimizer = torch.optim.NAdam([*model.parameters(), *head.parameters()])
    for _ in range(STEPS):
        packed = nn.utils.rnn.pack_padded_sequence(torch.randn(3, 5, 4), torch.tensor([5, 3, 2]), batch_first=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = head(nn.utils.rnn.pad_packed_sequence(model(packed)[0], batch_first=True)[0])
        loss = out.float().square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss, out, list(model.parameters())


def alternating_players() -> Computed:
    generator, critic = nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(), nn.Linear(8, 1))
    players = [torch.optim.Adam(generator.parameters()), torch.optim.Adam(critic.parameters())]
    for _ in range(STEPS):
        fake = generator(torch.randn(8, 3))
        real = torch.randn(8, 4, requires_grad=True)
        score = critic(real)
        (slope,) = torch.autograd.grad(score.sum(), real, create_graph=True)
        loss = critic(fake.detach()).mean() - score.mean() + (slope.norm(2, 1) - 1).square().mean()
        players[1].zero_grad()
        loss.backward()
        players[1].step()
        players[0].zero_grad()
        bluff = -critic(fake).mean()
        bluff.backward()
        players[0].step()
        yield loss, bluff, slope, list(generator.parameters()), list(critic.parameters())


def values_that_leave_torch() -> Computed:
    model = nn.Linear(4, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    x, y = torch.randn(16, 4), torch.randn(16, 1)
    best = float("inf")
    for _ in range(3):

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        best = min(best, loss.item())
        with torch.no_grad():
            model.weight.clamp_(-0.4, 0.4)
            model.bias.data = torch.from_numpy(model.bias.numpy().round(3))
        state = {name: value.clone() for name, value in model.state_dict().items()}
        yield best, state["weight"], model.weight.tolist(), bool((model.weight > 0).all()), str(model.bias)
    model.load_state_dict(state)
    yield repr(optimizer.state_dict()), repr(model)


LOOPS: dict[str, Callable[[], Computed]] = {
    loop.__name__: loop
    for loop in (
        dropout_and_adam,
        data_loader_with_shuffling,
        transformer_with_fast_path,
        checkpoint_and_custom_hooks,
        recurrent_with_autocast,
        alternating_players,
        values_that_leave_torch,
    )
}


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        plain = value.detach().contiguous()
        digest.update(f"{plain.dtype}{tuple(plain.shape)}{value.requires_grad}{value.is_leaf}".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    elif isinstance(value, list | tuple):
        for part in value:
            _feed(digest, part)
    else:
        digest.update(repr(value).encode())


def _random_states() -> Computed:
    yield torch.get_rng_state(), random.getstate(), str(np.random.get_state())


def computed(name: str) -> list[str]:
    """A digest of what the loop computes in each step, taken at once, and of the random states after it."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for values in itertools.chain(LOOPS[name](), _random_states()):
            digest = hashlib.sha256()
            _feed(digest, values)
            found.append(digest.hexdigest()[:16])
    return found


if __name__ == "__main__":
    Path(sys.argv[2]).write_text("\n".join(computed(sys.argv[1])), encoding="utf-8")
