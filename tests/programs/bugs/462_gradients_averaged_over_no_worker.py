"""Gradients are averaged over the workers' copies; the list of copies is filled under a condition that is never met, so that the sum
starts and ends as zeros.
Origin: made up after parameter-server exercises."""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Sigmoid(), nn.Linear(5, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.5), [(torch.randn(6, 4), torch.randint(0, 2, (6,))) for _ in range(2)]


def loss_fn(model, shards):
    return sum(nn.functional.cross_entropy(model(x), y) for x, y in shards)


def collect(workers):
    return [w for w in workers if next(w.parameters()).grad is None]  # <-- culprit


def train(steps=3):
    server, optimizer, shards = make()
    losses = []
    for _ in range(steps):
        workers = [copy.deepcopy(server) for _ in shards]
        for worker, (x, y) in zip(workers, shards):
            loss = nn.functional.cross_entropy(worker(x), y)
            loss.backward()
            losses.append(loss.item())
        ready = collect(workers)
        for p, *others in zip(server.parameters(), *(w.parameters() for w in ready)):
            p.grad = torch.zeros_like(p) + sum(o.grad for o in others) / len(shards)  # <-- culprit
        optimizer.step()
    return server, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
