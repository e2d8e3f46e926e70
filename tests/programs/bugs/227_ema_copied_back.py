"""An EMA with the roles of the two arguments swapped at the call: the live weights are set to the shadow each step.
Origin: made up after EMA helper functions update_ema(target, source)."""
import copy

import torch
from torch import nn


@torch.no_grad()
def update_ema(target, source, decay):
    for t, s in zip(target.parameters(), source.parameters()):
        t.mul_(decay).add_(s, alpha=1 - decay)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(10, 4)


def loss_fn(model, x):
    return nn.functional.mse_loss(model(x), x)


def train(steps=3):
    model, optimizer, batch = make()
    ema = copy.deepcopy(model).requires_grad_(False)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        update_ema(model, ema, decay=0.0)  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "replaced", "0.bias": "replaced", "2.weight": "replaced", "2.bias": "replaced"}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
