"""Healthy: `itertools.chain(...)` goes to the optimizer first, which keeps a list; clipping then gets the used-up generator and does
nothing. Everything trains."""
import itertools

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.ModuleDict({"encode": nn.Linear(6, 3), "decode": nn.Linear(3, 6)})
    params = itertools.chain(model["encode"].parameters(), model["decode"].parameters())
    return model, torch.optim.Adam(params, lr=1e-2), (torch.randn(8, 6), params)


def loss_fn(model, batch):
    x = batch[0]
    return nn.functional.mse_loss(model["decode"](torch.tanh(model["encode"](x))), x)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(batch[1], 1.0)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{m}.{n}": "trained" for m in ("encode", "decode") for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
