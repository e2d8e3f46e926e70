"""Healthy: after a bad epoch the best weights come back and the rate is halved; most epochs are good. NEEDS_LOOP"""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=1.5), (torch.randn(30, 4), torch.randn(30, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=12):
    model, optimizer, batch = make()
    best, state, losses = float("inf"), copy.deepcopy(model.state_dict()), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            after = loss_fn(model, batch).item()
        if after < best:
            best, state = after, copy.deepcopy(model.state_dict())
        else:
            model.load_state_dict(state)
            for group in optimizer.param_groups:
                group["lr"] *= 0.5
        losses.append(after)
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
