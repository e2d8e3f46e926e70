"""Healthy: cross-validation with one model and one optimizer, both put back to their first state before each fold."""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(18, 4), torch.randn(18, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(folds=3, steps=2):
    model, optimizer, (x, y) = make()
    first = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    index, scores = torch.arange(len(x)), []
    for fold in range(folds):
        model.load_state_dict(first[0])
        optimizer.load_state_dict(copy.deepcopy(first[1]))
        held_out = index % folds == fold
        model.train()
        for _ in range(steps):
            optimizer.zero_grad()
            loss_fn(model, (x[~held_out], y[~held_out])).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            scores.append(loss_fn(model, (x[held_out], y[held_out])).item())
    return model, scores


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
