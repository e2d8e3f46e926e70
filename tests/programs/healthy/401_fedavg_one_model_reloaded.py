"""Healthy: federated averaging that simulates all clients on one model: the global weights are loaded before each client's step,
and the average becomes the new global state. NEEDS_LOOP"""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))
    clients = [(torch.randn(8, 5) + i, torch.randint(0, 2, (8,))) for i in range(3)]
    return model, torch.optim.SGD(model.parameters(), lr=0.1), clients


def loss_fn(model, clients):
    return sum(nn.functional.cross_entropy(model(x), y) for x, y in clients)


def average(states):
    return {k: torch.stack([s[k] for s in states]).mean(0) for k in states[0]}


def train(steps=4):
    model, optimizer, clients = make()
    global_state = copy.deepcopy(model.state_dict())
    losses = []
    for _ in range(steps):
        local = []
        for x, y in clients:
            model.load_state_dict(global_state)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            local.append(copy.deepcopy(model.state_dict()))
            losses.append(loss.item())
        global_state = average(local)
    model.load_state_dict(global_state)
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
