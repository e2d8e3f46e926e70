"""K-fold with one model: the initial state is loaded at the start of each fold, the optimizer made anew. Origin: cross-validation scripts."""
import torch
from torch import nn
import torch.nn.functional as F


import copy


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(folds=3, steps=2):
    model, optimizer, (x, y) = make()
    initial = copy.deepcopy(model.state_dict())
    losses = []
    for k in range(folds):
        model.load_state_dict(initial)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        hold = torch.arange(len(x)) % folds == k
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_fn(model, (x[~hold], y[~hold]))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
