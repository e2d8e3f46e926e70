"""Federated averaging on one model: the average is computed and returned, and the caller drops it. Each client starts from the same
first weights.
Origin: made up after FedAvg tutorials."""
import copy

import torch
from torch import nn


def federated_round(model, optimizer, clients, global_state):
    local = []
    for x, y in clients:
        model.load_state_dict(global_state)  # <-- culprit
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        local.append(copy.deepcopy(model.state_dict()))
    return {k: torch.stack([s[k] for s in local]).mean(0) for k in global_state}


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    clients = [(torch.randn(8, 5), torch.randint(0, 2, (8,))) for _ in range(2)]
    return model, torch.optim.SGD(model.parameters(), lr=0.1), clients


def loss_fn(model, clients):
    return sum(nn.functional.cross_entropy(model(x), y) for x, y in clients)


def train(steps=3):
    model, optimizer, clients = make()
    global_state = copy.deepcopy(model.state_dict())
    losses = []
    for _ in range(steps):
        federated_round(model, optimizer, clients, global_state)  # <-- culprit
        model.load_state_dict(global_state)  # <-- culprit
        losses.append(loss_fn(model, clients).item())
    return model, losses


KIND = "loop"
EXPECT = {n: "replaced" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
