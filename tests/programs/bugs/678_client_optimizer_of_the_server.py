"""Federated learning: each client trains a copy of the server's model, with an optimizer over the server's parameters. The average of untrained
copies is the server's model again.
Origin: FedAvg exercises; retold."""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    server = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    shards = [(torch.randn(8, 4), torch.randint(0, 2, (8,))) for _ in range(2)]
    return server, torch.optim.SGD(server.parameters(), lr=0.1), shards


def loss_fn(model, shards):
    return sum(nn.functional.cross_entropy(model(x), y) for x, y in shards)


def client_update(server, shard, steps=2):
    local = copy.deepcopy(server)
    optimizer = torch.optim.SGD(server.parameters(), lr=0.1)  # <-- culprit
    x, y = shard
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(local(x), y)
        loss.backward()
        optimizer.step()
    return local.state_dict(), loss.item()


def train(rounds=2):
    server, _, shards = make()
    losses = []
    for _ in range(rounds):
        states, values = zip(*(client_update(server, shard) for shard in shards))
        server.load_state_dict({k: torch.stack([s[k] for s in states]).mean(0) for k in states[0]})
        losses.append(sum(values))
    return server, losses


KIND = "loop"
EXPECT = {n: "unreachable" for n in ("server.0.weight", "server.0.bias", "server.2.weight", "server.2.bias")}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
