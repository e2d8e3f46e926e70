"""Healthy: every second step a copy is taken; when the loss jumps, the last copy comes back and the rate is halved. Outliers make it jump
twice."""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=14):
    model, optimizer, (x, y) = make()
    good, previous, losses = copy.deepcopy(model.state_dict()), None, []
    for step in range(steps):
        scale = 50.0 if step in (4, 9) else 1.0
        loss = loss_fn(model, (x, y * scale))
        if previous is not None and loss.item() > 10 * previous:
            model.load_state_dict(good)
            for group in optimizer.param_groups:
                group["lr"] *= 0.5
            continue
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        previous = loss.item()
        losses.append(previous)
        if step % 2 == 0:
            good = copy.deepcopy(model.state_dict())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
