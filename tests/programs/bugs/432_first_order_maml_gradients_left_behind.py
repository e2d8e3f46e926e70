"""First-order MAML: the adapted copy gets the outer gradients, and nobody copies them to the meta-parameters.
Origin: made up after FOMAML implementations."""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    meta = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
    x = torch.linspace(-2, 2, 20)[:, None]
    return meta, torch.optim.Adam(meta.parameters(), lr=1e-2), (x, torch.sin(x))


def loss_fn(meta, batch):
    x, y = batch
    learner = copy.deepcopy(meta)  # <-- culprit
    inner = torch.optim.SGD(learner.parameters(), lr=0.05)
    inner.zero_grad()
    nn.functional.mse_loss(learner(x[::2]), y[::2]).backward()
    inner.step()
    return nn.functional.mse_loss(learner(x[1::2]), y[1::2])


def train(steps=3):
    meta, outer, batch = make()
    losses = []
    for _ in range(steps):
        outer.zero_grad()
        loss = loss_fn(meta, batch)
        loss.backward()
        outer.step()
        losses.append(loss.item())
    return meta, losses


KIND = "loop"
EXPECT = {n: "unreachable" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
