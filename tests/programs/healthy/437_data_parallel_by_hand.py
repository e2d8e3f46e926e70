"""Healthy: workers' gradients are averaged into the server's `.grad`; the server itself never computes a loss. NEEDS_LOOP"""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Sigmoid(), nn.Linear(5, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.5), [(torch.randn(6, 4), torch.randint(0, 2, (6,))) for _ in range(2)]


def loss_fn(model, shards):
    return sum(nn.functional.cross_entropy(model(x), y) for x, y in shards)


def train(steps=3):
    server, optimizer, shards = make()
    workers = [copy.deepcopy(server) for _ in shards]
    losses = []
    for _ in range(steps):
        for worker, (x, y) in zip(workers, shards):
            worker.load_state_dict(server.state_dict())
            worker.zero_grad()
            loss = nn.functional.cross_entropy(worker(x), y)
            loss.backward()
            losses.append(loss.item())
        for p, *others in zip(server.parameters(), *(w.parameters() for w in workers)):
            p.grad = sum(o.grad for o in others) / len(shards)
        optimizer.step()
    return server, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"
INTENT = {"worker*": "copies"}

if __name__ == "__main__":
    train()
